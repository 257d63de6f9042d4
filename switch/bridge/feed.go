package bridge

import "ozswitch/media/pace"

// Feed lets a leg speak to f and hear it, beneath whatever is played to it; nil
// ends that. Format.Of, as f gets it, is the leg's *codec.Codec. Errors are those of
// pace.Leg's commands, and ErrClosed.
func (l *Leg) Feed(f pace.Feed) error {
	if err := l.Usable(); err != nil && f != nil {
		return err
	}
	return l.over(l.paced.SetFeed(f))
}
