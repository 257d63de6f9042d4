package transaction

import "time"

// inviteServer is figure 7 of RFC 3261 17.2.1 with the Accepted state of RFC
// 6026 7.1. The user sends 100 itself, at once. The 2xx is repeated by the
// user until its ACK (RFC 3261 13.3.1.4), so a 2xx leaves no bytes here.
func (m *Machine) inviteServer(now time.Time, e Event) []Effect {
	if e.What == Broken && m.state != Terminated {
		return m.over(Effect{Do: Expired})
	}
	switch m.state {
	case Proceeding:
		switch {
		case e.What == Again && m.out != nil:
			return []Effect{send(m.out)}
		case e.What == Answer && e.Status < 200:
			m.out = e.Bytes
			return []Effect{send(m.out)}
		case e.What == Answer && e.Status < 300:
			m.out = nil
			return m.linger(now, Accepted, Life, send(e.Bytes)) // Timer L
		case e.What == Answer:
			m.out, m.state = e.Bytes, Completed
			m.end = now.Add(Life) // Timer H
			m.repeatFrom(now, T1) // Timer G
			return []Effect{send(m.out)}
		}
	case Completed:
		switch {
		case e.What == Again:
			return []Effect{send(m.out)}
		case e.What == Ack:
			m.out = nil
			return m.linger(now, Confirmed, m.unless(T4)) // Timer I
		case e.What == Tick && !now.Before(m.end):
			return m.over(Effect{Do: Expired})
		case e.What == Tick && m.due(now):
			return m.repeated(T2)
		}
	case Confirmed, Accepted:
		if e.What == Tick && !now.Before(m.end) {
			return m.over()
		}
	}
	return nil
}

// server is figure 8 of RFC 3261 17.2.2.
func (m *Machine) server(now time.Time, e Event) []Effect {
	if e.What == Broken && m.state != Terminated {
		return m.over(Effect{Do: Expired})
	}
	switch m.state {
	case Trying, Proceeding:
		switch {
		case e.What == Again && m.out != nil:
			return []Effect{send(m.out)}
		case e.What == Answer && e.Status < 200:
			m.out, m.state = e.Bytes, Proceeding
			return []Effect{send(m.out)}
		case e.What == Answer:
			m.out = e.Bytes
			return m.linger(now, Completed, m.unless(Life), send(e.Bytes)) // Timer J
		}
	case Completed:
		switch {
		case e.What == Again:
			return []Effect{send(m.out)}
		case e.What == Tick && !now.Before(m.end):
			return m.over()
		}
	}
	return nil
}

// due tells whether the repeat timer has come.
func (m *Machine) due(now time.Time) bool { return !m.repeat.IsZero() && !now.Before(m.repeat) }
