package server

import (
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The metrics are those of the contract, by name and labels.
func TestMetrics(t *testing.T) {
	m := NewMetrics("1.2.3")
	m.CallStarted(In)
	m.CallStarted(Out)
	m.CallSetup(20 * time.Millisecond)
	m.CallEnded(In, "script", 63*time.Second)
	m.SIPRequest("INVITE", "udp", In)
	m.SIPRequest("BREW", "udp", In)
	m.SIPResponse("INVITE", 200)
	m.Registered("udp", 3)
	m.RTP(100, 99, 1)
	m.RTP(-1, -1, -1) // a counter never goes back
	m.ScriptFetch(200, 12*time.Millisecond)
	m.ScriptCommand("Speak", "ok")
	m.ScriptError("OZ1103")
	m.TTS(30 * time.Millisecond)
	m.RecordingStarted()
	m.RecordingStarted()
	m.RecordingEnded(4096)
	m.NotifyQueue(2)
	m.Panic()

	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	got := w.Body.String()
	for _, want := range []string{
		`ozswitch_calls_active{direction="in"} 0`,
		`ozswitch_calls_active{direction="out"} 1`,
		`ozswitch_calls_total{direction="in",result="script"} 1`,
		`ozswitch_call_setup_seconds_count 1`,
		`ozswitch_call_duration_seconds_sum 63`,
		`ozswitch_sip_requests_total{direction="in",method="INVITE",transport="udp"} 1`,
		`ozswitch_sip_requests_total{direction="in",method="other",transport="udp"} 1`,
		`ozswitch_sip_responses_total{code="200",method="INVITE"} 1`,
		`ozswitch_registrations{transport="udp"} 3`,
		`ozswitch_rtp_packets_total{direction="in"} 100`,
		`ozswitch_rtp_packets_total{direction="out"} 99`,
		`ozswitch_rtp_packets_lost_total 1`,
		`ozswitch_script_fetch_seconds_count{code="200"} 1`,
		`ozswitch_script_commands_total{command="Speak",result="ok"} 1`,
		`ozswitch_script_errors_total{code="OZ1103"} 1`,
		`ozswitch_tts_seconds_count 1`,
		`ozswitch_recording_bytes_total 4096`,
		`ozswitch_recordings_active 1`,
		`ozswitch_notify_queue 2`,
		`ozswitch_panics_total 1`,
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("/metrics has no %s", want)
		}
	}
	if !regexp.MustCompile(`(?m)^ozswitch_build_info\{goversion="go[^"]*",version="1.2.3"\} 1$`).MatchString(got) {
		t.Error("/metrics has no build_info")
	}
	known := strings.Fields(`calls_active calls_total call_setup_seconds call_duration_seconds sip_requests_total sip_responses_total
		registrations rtp_packets_total rtp_packets_lost_total media_tick_lag_seconds script_fetch_seconds script_commands_total
		script_errors_total tts_seconds recording_bytes_total recordings_active notify_queue panics_total build_info`)
	for _, f := range regexp.MustCompile(`(?m)^# TYPE ozswitch_(\S+)`).FindAllStringSubmatch(got, -1) {
		if !slices.Contains(known, f[1]) {
			t.Errorf("ozswitch_%s is not in the contract", f[1])
		}
	}
}

// A nil *Metrics counts nothing and breaks nothing.
func TestNoMetrics(t *testing.T) {
	var m *Metrics
	m.CallStarted(In)
	m.CallEnded(In, "script", time.Second)
	m.SIPRequest("INVITE", "udp", In)
	m.RTP(1, 1, 1)
	m.RecordingEnded(1)
	m.Panic()
}
