package bridge

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"ozswitch/media/codec"
	"ozswitch/ozml/trace"
	"ozswitch/switch/call"
)

// fakeWeb is a wire that notes what it was told.
type fakeWeb struct {
	silentWire
	connected []string
	closed    bool
}

type silentWire struct{}

func (silentWire) Send([]byte) error                   { return nil }
func (silentWire) Recv([][]byte, []netip.AddrPort) int { return 0 }
func (silentWire) Aim(netip.AddrPort) error            { return nil }
func (silentWire) Rebind(netip.AddrPort) error         { return nil }
func (silentWire) LocalAddr() netip.AddrPort           { return netip.MustParseAddrPort("127.0.0.1:19998") }
func (w *fakeWeb) Close() error                        { w.closed = true; return nil }
func (w *fakeWeb) Offer() *call.WebMedia               { return &call.WebMedia{Ufrag: "ours", Setup: call.ActPass} }
func (w *fakeWeb) Connect(remote *call.WebMedia) error {
	w.connected = append(w.connected, remote.Ufrag)
	return nil
}
func (w *fakeWeb) Answer(remote *call.WebMedia) (*call.WebMedia, error) {
	if remote.Ufrag == "bad" {
		return nil, errors.New("no valid ufrag")
	}
	return &call.WebMedia{Ufrag: "ours-" + remote.Ufrag, Setup: call.Passive}, nil
}

// A browser's leg: its offer, a restart of ICE with hold, what cannot be agreed.
func TestWeb(t *testing.T) { synctest.Test(t, testWeb) }

func testWeb(t *testing.T) {
	r := newRig(t)
	defer r.stop()
	var wires []*fakeWeb
	var ups []func(netip.AddrPort)
	var started []string
	told := trace.SinkFunc(func(e trace.Event) {
		if e.Type == trace.MediaStarted {
			started = append(started, e.Name+" "+e.Peer)
		}
	})
	r.c.OpenWeb = func(c WebConfig) (WebWire, error) {
		w := &fakeWeb{}
		wires, ups = append(wires, w), append(ups, c.Up)
		return w, nil
	}
	offer := call.Media{Addr: netip.MustParseAddrPort("0.0.0.0:9"), Mux: true, Codecs: []call.Codec{{PT: 0, Name: "PCMU", ClockRate: 8000}}, Web: &call.WebMedia{Ufrag: "one"}}
	m, err := r.Open(call.OpenMedia{Leg: "web", Remote: &offer}, func(call.Event) bool { return true }, told)
	if err != nil || m.Web == nil || m.Web.Ufrag != "ours-one" || !m.Mux || m.Dir != call.SendRecv {
		t.Fatalf("Open = %+v, %v", m, err)
	}
	if err := r.Connect("web", offer); err != nil {
		t.Fatal(err)
	}
	if len(started) != 0 {
		t.Errorf("told before there was a way: %v", started)
	}
	ups[0](netip.MustParseAddrPort("192.0.2.50:50000"))
	again := offer
	again.Web, again.Dir = &call.WebMedia{Ufrag: "two"}, call.SendOnly
	m, err = r.Agree("web", &again)
	if err != nil || m.Web.Ufrag != "ours-two" || m.Dir != call.RecvOnly || m.Codecs[0].Name != "PCMU" {
		t.Fatalf("Agree = %+v, %v", m, err)
	}
	if err := r.Connect("web", again); err != nil {
		t.Fatal(err)
	}
	if got := wires[0].connected; len(got) != 2 || got[1] != "two" {
		t.Errorf("connected with %v, want one, two", got)
	}
	for name, change := range map[string]func(*call.Media){
		"plain RTP":        func(m *call.Media) { m.Web = nil },
		"no codec of ours": func(m *call.Media) { m.Codecs = []call.Codec{{PT: 18, Name: "G729", ClockRate: 8000}} },
		"bad ICE":          func(m *call.Media) { m.Web = &call.WebMedia{Ufrag: "bad"} },
	} {
		bad := again
		change(&bad)
		_, err := r.Agree("web", &bad)
		_, offer := errors.AsType[*AgreeError](err)
		_, none := errors.AsType[*CodecError](err)
		if !offer && !none {
			t.Errorf("%s: %v, want an AgreeError or a CodecError", name, err)
		}
	}
	m, err = r.Open(call.OpenMedia{Leg: "out", Web: true}, func(call.Event) bool { return true }, told)
	if err != nil || m.Web == nil || m.Web.Setup != call.ActPass || len(m.Codecs) != len(codec.Table) {
		t.Errorf("Open for an offer = %+v, %v", m, err)
	}
	ups[1](netip.MustParseAddrPort("192.0.2.51:50000")) // before the answer is told
	if err := r.Connect("out", offer); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(started, ", "); got != "PCMU 192.0.2.50:50000, PCMU 192.0.2.51:50000" {
		t.Errorf("the sound's start was told as %s, want each once, with its true path", got)
	}
	r.Close("web")
	r.Close("out")
	if !wires[0].closed || !wires[1].closed {
		t.Error("a wire was not closed")
	}
}
