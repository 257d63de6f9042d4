package call

// LegOf names the leg that an event befalls; "" for one of the whole call.
func LegOf(e Event) LegID {
	switch e := e.(type) {
	case Provisional:
		return e.Leg
	case Accepted:
		return e.Leg
	case Refused:
		return e.Leg
	case Acked:
		return e.Leg
	case Cancelled:
		return e.Leg
	case Ended:
		return e.Leg
	case Lost:
		return e.Leg
	case Reoffered:
		return e.Leg
	case Reaccepted:
		return e.Leg
	case Rerefused:
		return e.Leg
	case Referred:
		return e.Leg
	case TransferRefused:
		return e.Leg
	case KeyInfo:
		return e.Leg
	case KeyAnswered:
		return e.Leg
	case MediaOpened:
		return e.Leg
	case MediaAgreed:
		return e.Leg
	case MediaDisagreed:
		return e.Leg
	case MediaFailed:
		return e.Leg
	case MediaLost:
		return e.Leg
	default: // of the whole call
		return ""
	}
}
