package server

import (
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the numbers of /metrics (contract.md "Metrics"): base units, and
// no label that a caller could fill. Each Metrics has a registry of its own. A
// nil *Metrics counts nothing.
type Metrics struct {
	registry *prometheus.Registry

	callsActive   *prometheus.GaugeVec
	callsTotal    *prometheus.CounterVec
	callSetup     prometheus.Histogram
	callDuration  prometheus.Histogram
	sipRequests   *prometheus.CounterVec
	sipResponses  *prometheus.CounterVec
	registrations *prometheus.GaugeVec
	rtpPackets    *prometheus.CounterVec
	rtpIn, rtpOut prometheus.Counter
	rtpLost       prometheus.Counter
	fetch         *prometheus.HistogramVec
	commands      *prometheus.CounterVec
	scriptErrors  *prometheus.CounterVec
	tts           prometheus.Histogram
	recorded      prometheus.Counter
	recordings    prometheus.Gauge
	notifyQueue   prometheus.Gauge
	panics        prometheus.Counter
}

// The two directions of a call, as the switch sees it, and of a packet.
const (
	In  = "in"
	Out = "out"
)

// NewMetrics makes the metrics of one switch; version is that of the build.
func NewMetrics(version string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	m.callsActive = add(m, prometheus.NewGaugeVec(gauge("calls_active", "Calls that are up or ringing."), []string{"direction"}))
	m.callsTotal = add(m, prometheus.NewCounterVec(counter("calls_total", "Calls that ended, by how they did."), []string{"direction", "result"}))
	m.callSetup = add(m, histogram("call_setup_seconds", "From the INVITE to its final answer.",
		.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60))
	m.callDuration = add(m, histogram("call_duration_seconds", "From answer to end.", 1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 14400))
	m.sipRequests = add(m, prometheus.NewCounterVec(counter("sip_requests_total", "SIP requests."), []string{"method", "transport", "direction"}))
	m.sipResponses = add(m, prometheus.NewCounterVec(counter("sip_responses_total", "SIP responses, by the method they answer."), []string{"method", "code"}))
	m.registrations = add(m, prometheus.NewGaugeVec(gauge("registrations", "Contacts that are registered."), []string{"transport"}))
	m.rtpPackets = add(m, prometheus.NewCounterVec(counter("rtp_packets_total", "RTP packets."), []string{"direction"}))
	m.rtpIn, m.rtpOut = m.rtpPackets.WithLabelValues(In), m.rtpPackets.WithLabelValues(Out)
	m.rtpLost = add(m, prometheus.NewCounter(counter("rtp_packets_lost_total", "RTP packets that never came.")))
	m.fetch = add(m, prometheus.NewHistogramVec(histogramOpts("script_fetch_seconds", "Requests for scripts, by HTTP status (0 = no answer).",
		.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10), []string{"code"}))
	m.commands = add(m, prometheus.NewCounterVec(counter("script_commands_total", "Commands of scripts, by how they ended."), []string{"command", "result"}))
	m.scriptErrors = add(m, prometheus.NewCounterVec(counter("script_errors_total", "Errors of scripts, by code."), []string{"code"}))
	m.tts = add(m, histogram("tts_seconds", "Time to synthesise an utterance.", .01, .025, .05, .1, .25, .5, 1, 2.5, 5))
	m.recorded = add(m, prometheus.NewCounter(counter("recording_bytes_total", "Bytes of recordings saved.")))
	m.recordings = add(m, prometheus.NewGauge(gauge("recordings_active", "Recordings that run.")))
	m.notifyQueue = add(m, prometheus.NewGauge(gauge("notify_queue", "Notifications that wait.")))
	m.panics = add(m, prometheus.NewCounter(counter("panics_total", "Bugs that ended a call or a request.")))

	build := prometheus.NewGaugeVec(gauge("build_info", "Always 1."), []string{"version", "goversion"})
	build.WithLabelValues(version, runtime.Version()).Set(1)
	m.registry.MustRegister(build)
	for _, d := range []string{In, Out} { // there from the first scrape
		m.callsActive.WithLabelValues(d)
	}
	return m
}

const namespace = "ozswitch"

func counter(name, help string) prometheus.CounterOpts {
	return prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}
}

func gauge(name, help string) prometheus.GaugeOpts {
	return prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}
}

func histogramOpts(name, help string, buckets ...float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: buckets}
}

func histogram(name, help string, buckets ...float64) prometheus.Histogram {
	return prometheus.NewHistogram(histogramOpts(name, help, buckets...))
}

func add[C prometheus.Collector](m *Metrics, c C) C {
	m.registry.MustRegister(c)
	return c
}

// Handler serves /metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// CallStarted counts a call that came in or goes out.
func (m *Metrics) CallStarted(direction string) {
	if m != nil {
		m.callsActive.WithLabelValues(direction).Inc()
	}
}

// CallEnded counts the end of a call that CallStarted counted. Result is one of
// the words of call.Result; talked is zero when it was never answered.
func (m *Metrics) CallEnded(direction, result string, talked time.Duration) {
	if m == nil {
		return
	}
	m.callsActive.WithLabelValues(direction).Dec()
	m.callsTotal.WithLabelValues(direction, result).Inc()
	if talked > 0 {
		m.callDuration.Observe(talked.Seconds())
	}
}

// CallSetup takes the time from the INVITE to its final answer.
func (m *Metrics) CallSetup(d time.Duration) {
	if m != nil {
		m.callSetup.Observe(d.Seconds())
	}
}

// SIPRequest counts a request. A method that SIP does not know counts as other:
// a stranger must not fill the table.
func (m *Metrics) SIPRequest(method, transport, direction string) {
	if m != nil {
		m.sipRequests.WithLabelValues(knownMethod(method), transport, direction).Inc()
	}
}

// SIPResponse counts a response, sent or received.
func (m *Metrics) SIPResponse(method string, code int) {
	if m != nil {
		m.sipResponses.WithLabelValues(knownMethod(method), strconv.Itoa(min(max(code, 0), 999))).Inc()
	}
}

func knownMethod(s string) string {
	switch s {
	case "INVITE", "ACK", "BYE", "CANCEL", "REGISTER", "OPTIONS", "INFO", "PRACK", "UPDATE", "REFER", "NOTIFY", "SUBSCRIBE", "MESSAGE", "PUBLISH":
		return s
	}
	return "other"
}

// Registered sets how many contacts are registered by a transport.
func (m *Metrics) Registered(transport string, n int) {
	if m != nil {
		m.registrations.WithLabelValues(transport).Set(float64(n))
	}
}

// RTP counts packets that came, went and were lost.
func (m *Metrics) RTP(received, sent, lost int64) {
	if m == nil {
		return
	}
	m.rtpIn.Add(float64(max(received, 0)))
	m.rtpOut.Add(float64(max(sent, 0)))
	m.rtpLost.Add(float64(max(lost, 0)))
}

// ScriptFetch takes the time of a request for a script; status 0 = no answer.
func (m *Metrics) ScriptFetch(status int, d time.Duration) {
	if m != nil {
		m.fetch.WithLabelValues(strconv.Itoa(min(max(status, 0), 999))).Observe(d.Seconds())
	}
}

// ScriptCommand counts a command by its name in the table (never one that a
// script made up) and how it ended: ok, skipped or failed.
func (m *Metrics) ScriptCommand(command, result string) {
	if m != nil {
		m.commands.WithLabelValues(command, result).Inc()
	}
}

// ScriptError counts an error of a script by its code (OZ1103).
func (m *Metrics) ScriptError(code string) {
	if m != nil {
		m.scriptErrors.WithLabelValues(code).Inc()
	}
}

// TTS takes the time that an utterance took to synthesise.
func (m *Metrics) TTS(d time.Duration) {
	if m != nil {
		m.tts.Observe(d.Seconds())
	}
}

// RecordingStarted counts a recording that runs.
func (m *Metrics) RecordingStarted() {
	if m != nil {
		m.recordings.Inc()
	}
}

// RecordingEnded counts the end of one; bytes is what was saved, 0 if nothing.
func (m *Metrics) RecordingEnded(bytes int64) {
	if m != nil {
		m.recordings.Dec()
		m.recorded.Add(float64(max(bytes, 0)))
	}
}

// NotifyQueue sets how many notifications wait.
func (m *Metrics) NotifyQueue(n int) {
	if m != nil {
		m.notifyQueue.Set(float64(n))
	}
}

// Panic counts a bug that was caught.
func (m *Metrics) Panic() {
	if m != nil {
		m.panics.Inc()
	}
}
