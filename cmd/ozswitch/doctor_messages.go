package main

import (
	"ozswitch/switch/server"
)

// messages looks whether the mail server and the SMS service are there. It logs in
// at the mail server; at the message centre it only knocks, since a second login
// may end that of a switch that runs.
func (d *doctor) messages(cfg *server.Config) {
	for _, p := range server.ProbeMessages(d.ctx, cfg) {
		if p.OK {
			d.ok(p.Name, "%s", p.Words)
			continue
		}
		d.warn(p.Name, "see "+p.Name+": in the configuration", "%s", p.Words)
	}
}
