package main

import "ozswitch/switch/server"

// lines asks the carriers of the configuration whether they are there, and takes
// nothing from a switch that runs: it registers nowhere.
func (d *doctor) lines(cfg *server.Config) {
	err := server.ProbeLines(d.ctx, cfg, func(l server.LineProbe) {
		if l.OK {
			d.ok("line "+l.Name, "%s", l.Words)
			return
		}
		d.warn("line "+l.Name, "see lines[] in the configuration, and docs/lines.md", "%s", l.Words)
	})
	if err != nil {
		d.warn("lines", "", "they cannot be asked: %v", err)
	}
}
