package transaction

import "time"

// inviteClient is figure 5 of RFC 3261 17.1.1.2 with the Accepted state of RFC
// 6026 7.2. The ACK of a refusal is ours, that of a 2xx the user's.
func (m *Machine) inviteClient(now time.Time, e Event) []Effect {
	if e.What == Broken && m.state < Completed {
		return m.over(Effect{Do: Expired})
	}
	switch m.state {
	case Calling, Proceeding:
		switch {
		case e.What == Start:
			m.out = e.Bytes
			m.end = now.Add(Life) // Timer B
			m.repeatFrom(now, T1) // Timer A
			return []Effect{send(m.out)}
		case e.What == Answer && e.Status < 200:
			if m.state == Calling {
				m.end = time.Time{} // how long it may ring is the user's affair
			}
			m.state, m.repeat, m.out = Proceeding, time.Time{}, nil
			return []Effect{{Do: Deliver}}
		case e.What == Answer && e.Status < 300:
			m.out = nil
			return m.linger(now, Accepted, Life, Effect{Do: Deliver}) // Timer M
		case e.What == Answer:
			m.out = e.Bytes
			return m.linger(now, Completed, m.unless(timerD), send(e.Bytes), Effect{Do: Deliver})
		case e.What == Abandon && m.end.IsZero():
			m.end = now.Add(Life) // RFC 3261 9.1: no 487 within 64*T1
		case e.What == Tick && !m.end.IsZero() && !now.Before(m.end):
			return m.over(Effect{Do: Expired})
		case e.What == Tick && m.due(now):
			return m.repeated(0)
		}
	case Completed:
		switch {
		case e.What == Answer && e.Status >= 300:
			return []Effect{send(m.out)}
		case e.What == Tick && !now.Before(m.end):
			return m.over()
		}
	case Accepted:
		switch {
		case e.What == Answer && e.Status >= 200 && e.Status < 300:
			return []Effect{{Do: Deliver}} // once more, or from another fork
		case e.What == Tick && !now.Before(m.end):
			return m.over()
		}
	}
	return nil
}

// client is figure 6 of RFC 3261 17.1.2.2.
func (m *Machine) client(now time.Time, e Event) []Effect {
	if e.What == Broken && m.state < Completed {
		return m.over(Effect{Do: Expired})
	}
	switch m.state {
	case Trying, Proceeding:
		switch {
		case e.What == Start:
			m.out = e.Bytes
			m.end = now.Add(Life) // Timer F
			m.repeatFrom(now, T1) // Timer E
			return []Effect{send(m.out)}
		case e.What == Answer && e.Status < 200:
			m.state = Proceeding
			m.interval = T2 // the next repeats are T2 apart
			return []Effect{{Do: Deliver}}
		case e.What == Answer:
			m.out = nil
			return m.linger(now, Completed, m.unless(T4), Effect{Do: Deliver}) // Timer K
		case e.What == Tick && !now.Before(m.end):
			return m.over(Effect{Do: Expired})
		case e.What == Tick && m.due(now):
			return m.repeated(T2)
		}
	case Completed:
		if e.What == Tick && !now.Before(m.end) {
			return m.over()
		}
	}
	return nil
}
