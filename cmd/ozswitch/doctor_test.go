package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"ozswitch/switch/server"
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

// TestDoctorRunning: a switch that runs is asked which telephones it did not let in.
func TestDoctorRunning(t *testing.T) {
	said := `"sentence":"All well","ok":true,"registrations":2,"registrations_refused":["1001: wrong password (from 192.0.2.7:5060 by udp, at 2030-05-01 12:00:00): enter it once more","4711: unknown (from x, at y)"]`
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, password, _ := r.BasicAuth(); r.URL.Path != "/v1/status" || name != "boss" || password != "of boss" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, "{%s}", said)
	}))
	defer app.Close()
	look := func(cfg *server.Config, want ...string) {
		t.Helper()
		var out bytes.Buffer
		d := &doctor{ctx: t.Context(), out: &out}
		d.running(cfg)
		var got []string
		for line := range strings.Lines(out.String()) {
			got = append(got, strings.Join(strings.Fields(line), " "))
		}
		if !slices.Equal(got, want) || d.failed {
			t.Errorf("doctor says %q, want %q", got, want)
		}
	}
	cfg := server.Default()
	cfg.Data, cfg.HTTP.Listen = t.TempDir(), strings.TrimPrefix(app.URL, "http://")
	look(cfg) // nobody's password is known
	cfg.Users = []server.User{{Name: "hashed", API: true, Password: "$argon2id$x"}, {Name: "boss", Admin: true, Password: "of boss"}}
	look(cfg, "ok running switch "+app.URL+": All well",
		"warn telephone refused 1001: wrong password (from 192.0.2.7:5060 by udp, at 2030-05-01 12:00:00)", "-> enter it once more",
		"warn telephone refused 4711: unknown (from x, at y)")
	said = `"sentence":"Not well: disk","ok":false,"registrations":7,"registrations_refused":[]`
	look(cfg, "warn running switch "+app.URL+": Not well: disk", "ok telephones 7 registered, none was turned away")
	cfg.Users[1].Password = "another"
	look(cfg, "warn running switch "+app.URL+"/v1/status: 401 Unauthorized")
	app.Close()
	look(cfg) // none runs
}
