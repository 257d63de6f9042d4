package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// TestDoctorHost: what doctor says of a machine's clock, limits and buffers.
func TestDoctorHost(t *testing.T) {
	day := time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)
	for _, test := range []struct {
		name string
		look func(*doctor)
		want string // the line begins with
		do   string // and what to do has this
	}{
		{"clock", func(d *doctor) { d.clockAt(day, true, true) }, "ok    clock                 2030-05-01 12:00:00 UTC, synchronised", ""},
		{"clock nobody knows of", func(d *doctor) { d.clockAt(day, false, false) }, "ok    clock", ""},
		{"clock on its own", func(d *doctor) { d.clockAt(day, false, true) }, "warn  clock", "NTP"},
		{"clock of 1970", func(d *doctor) { d.clockAt(time.Unix(3600, 0), true, true) }, "fail  clock", "timedatectl"},
		{"files", func(d *doctor) { d.descriptorsOf(65536) }, "ok    open files            limit 65536", ""},
		{"few files", func(d *doctor) { d.descriptorsOf(1024) }, "warn  open files            limit 1024: enough for about 240 calls", "LimitNOFILE=65536"},
		{"hardly any files", func(d *doctor) { d.descriptorsOf(64) }, "fail  open files            limit 64: enough for 0 calls", "ulimit -n 65536"},
		{"buffers", func(d *doctor) { d.buffersOf(4<<20, 212992) }, "ok    UDP buffers", ""},
		{"Debian's buffers", func(d *doctor) { d.buffersOf(212992, 212992) }, "warn  UDP buffers", "net.core.rmem_max=4194304"},
		{"small buffers", func(d *doctor) { d.buffersOf(65536, 65536) }, "warn  UDP buffers           net.core.rmem_max 65536, rmem_default 65536: packets will be lost", "rmem_default=212992"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			d := &doctor{ctx: t.Context(), out: &out}
			test.look(d)
			line, do, _ := strings.Cut(out.String(), "\n")
			if !strings.HasPrefix(line, test.want) || !strings.Contains(do, test.do) {
				t.Errorf("doctor says %q, want %q and to do %q", out.String(), test.want, test.do)
			}
			if failed := strings.HasPrefix(test.want, "fail"); d.failed != failed {
				t.Errorf("failed = %v, want %v", d.failed, failed)
			}
		})
	}
}
