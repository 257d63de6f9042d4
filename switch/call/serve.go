package call

import "time"

// serveWanted lets a script have the party that stays.
func (c *Call) serveWanted(e ServeWanted) {
	out := c.leg(e.Instead)
	stays := c.seats[Caller]
	if out != nil {
		stays = c.other(out)
	} else if stays == nil {
		stays = c.seats[Callee]
	}
	switch {
	case stays == nil || !stays.up() || out == nil && e.Instead != c.left:
		c.settle(e.Ticket, Failure{481, "there is nobody to talk to"})
		return
	case c.dial != nil || c.serving != nil:
		c.settle(e.Ticket, Failure{491, "something is under way"})
		return
	case c.script: // it goes on when that one has ended
		c.serving = &e
		if !c.stopped {
			c.stopped = true
			c.do(StopScript{Transferred})
		}
		return
	}
	c.left, c.leftBy = "", time.Time{}
	c.leave(out)
	c.mix()
	c.script, c.stopped = true, false
	c.settle(e.Ticket, Failure{})
	c.do(StartScript{})
}
