package call

// The rules of effects that a call must keep to.

func (x *chaos) effect(f Effect) {
	x.t.Helper()
	switch f := f.(type) {
	case OpenMedia:
		p := x.leg(f.Leg)
		if p.open || p.opening {
			x.fail("%s was opened twice", f.Leg)
		}
		p.opening = true
	case ConnectMedia:
		p := x.leg(f.Leg)
		if !p.open {
			x.fail("%s was connected without a socket", f.Leg)
		}
		p.heard = true
	case AgreeMedia:
		x.box = append(x.box, MediaAgreed{f.Leg, our(first)})
		if x.r.IntN(4) == 0 {
			x.box[len(x.box)-1] = MediaDisagreed{f.Leg, Failure{488, "no"}}
		}
	case CloseMedia:
		p := x.leg(f.Leg)
		if !p.open {
			x.fail("%s was closed and is not open", f.Leg)
		}
		p.open, p.heard = false, false
		delete(x.tones, f.Leg)
		if x.joined[0] == f.Leg || x.joined[1] == f.Leg {
			x.joined = [2]LegID{}
		}
	case Invite:
		x.leg(f.Leg).invited = true
		if f.Offer == nil {
			x.fail("%s was invited without an offer", f.Leg)
		}
	case Cancel:
		p := x.leg(f.Leg)
		if !p.invited || p.up || p.gone {
			x.fail("Cancel of %s: %+v", f.Leg, p)
		}
		p.gone = true
		x.box = append(x.box, Refused{Leg: f.Leg, Failure: Failure{487, "cancelled"}})
	case Bye:
		p := x.leg(f.Leg)
		if !p.up || p.gone {
			x.fail("Bye to %s: %+v", f.Leg, p)
		}
		p.gone = true
	case Respond:
		x.responded(x.leg(f.Leg), f)
	case Reinvite:
		p := x.leg(f.Leg)
		if !p.up || p.gone {
			x.fail("Reinvite of %s: %+v", f.Leg, p)
		}
		if p.reinvited {
			x.box = append(x.box, Rerefused{f.Leg, Failure{491, "under way"}})
			return
		}
		p.reinvited = true
	case Info:
		if p := x.leg(f.Leg); !p.up || p.gone {
			x.fail("Info to %s: %+v", f.Leg, p)
		} else {
			p.keyed++
		}
	case SendKey:
		if p := x.leg(f.Leg); p.gone {
			x.fail("SendKey to %s, who has left", f.Leg)
		}
	case Join:
		if x.joined[0] != "" {
			x.fail("%v were joined already", x.joined)
		}
		a, b := x.leg(f.A), x.leg(f.B)
		if !a.open || !b.open || !a.heard && !b.heard {
			x.fail("Join of %+v and %+v", a, b)
		}
		if x.tones[f.A]+x.tones[f.B] != "" {
			x.fail("Join while %v sound", x.tones)
		}
		x.joined = [2]LegID{f.A, f.B}
	case Part:
		if x.joined != [2]LegID{f.A, f.B} {
			x.fail("Part, and joined were %v", x.joined)
		}
		x.joined = [2]LegID{}
	case Ringback:
		x.tone(f.Leg, "ringback", f.On)
	case Music:
		x.tone(f.Leg, "music", f.On)
	case StartScript:
		if x.script {
			x.fail("a second script")
		}
		x.script, x.stops = true, 0
	case StopScript:
		if x.stops++; !x.script || x.stops > 1 {
			x.fail("StopScript, for the %d. time", x.stops)
		}
	case Settle:
		if x.tickets[f.Ticket] == "" {
			x.fail("ticket %d was settled twice, or never given", f.Ticket)
		}
		delete(x.tickets, f.Ticket)
	case ReferProgress:
		if p := x.leg(f.Leg); p.gone {
			x.fail("ReferProgress to %s, who has left", f.Leg)
		} else if f.Code >= 200 {
			p.referred = false
		}
	case Give:
		p := x.leg(f.Leg)
		if x.joined[0] == f.Leg || x.joined[1] == f.Leg || x.tones[f.Leg] != "" {
			x.fail("%s was given away while it hears something", f.Leg)
		}
		p.here, p.open, p.gone = false, false, true
	case Arm:
		x.armed = f.At
	case Over:
		x.over = true
		if x.script {
			x.fail("Over while the script runs")
		}
	}
}

func (x *chaos) tone(leg LegID, what string, on bool) {
	x.t.Helper()
	switch p := x.leg(leg); {
	case on && (x.tones[leg] != "" || !p.open || !p.up && !p.heard):
		x.fail("%s for %s: it hears %q; %+v", what, leg, x.tones[leg], p)
	case on:
		x.tones[leg] = what
	case x.tones[leg] != what:
		x.fail("%s ends for %s, who hears %q", what, leg, x.tones[leg])
	default:
		delete(x.tones, leg)
	}
}

func (x *chaos) responded(p *party, f Respond) {
	x.t.Helper()
	switch {
	case p.gone:
		x.fail("Respond %d to %s, who has left", f.Code, f.Leg)
	case p.reoffered:
		if f.Code < 200 {
			x.fail("Respond %d to a re-INVITE", f.Code)
		}
		p.reoffered = false
	case !p.came || p.final:
		x.fail("Respond %d to %s, and nothing is pending: %+v", f.Code, f.Leg, p)
	case f.Code >= 300:
		p.final, p.gone = true, true
	case f.Code >= 200:
		p.final, p.up = true, true
		if f.Media == nil {
			x.fail("200 without SDP to %s", f.Leg)
		}
	}
}

// check looks whether anything is left of a call that is over.
func (x *chaos) check() {
	for _, id := range x.names {
		if p := x.legs[id]; p.opening {
			p.opening, p.open = false, true
			x.over = false // this may still be done
			x.post(MediaOpened{id, our(id)})
			x.over = true
		}
	}
	for _, id := range x.names {
		p := x.legs[id]
		if !p.here {
			continue
		}
		if p.open {
			x.fail("the sound of %s was never closed", id)
		}
		if !p.gone && (p.up || p.invited || p.came) {
			x.fail("nobody told %s that the call is over: %+v", id, p)
		}
	}
	if len(x.tickets) > 0 {
		x.fail("somebody waits still: %v", x.tickets)
	}
	if !x.armed.IsZero() {
		x.fail("a timer is armed still")
	}
}
