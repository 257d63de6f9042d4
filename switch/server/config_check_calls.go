package server

import (
	"fmt"
	"slices"
	"strings"

	"ozswitch/media/mp3"
	"ozswitch/switch/dialplan"
)

func (v *validator) codecs(path string, list []string) {
	for i, name := range list {
		v.oneOf(fmt.Sprintf("%s[%d]", path, i), name, "PCMU", "PCMA", "G722", "opus")
	}
}

func (v *validator) dialplan() {
	places := []string{"*"}
	froms := []string{"extension", "script", "any"}
	for _, l := range v.c.Lines {
		places, froms = append(places, l.Name), append(froms, l.Name)
	}
	for _, e := range v.c.Extensions {
		places = append(places, e.Number)
	}
	var times []string
	for i, t := range v.c.Times {
		path := fmt.Sprintf("times[%d]", i)
		if err := t.profile().Check(); err != nil {
			v.err(path, "%v", err)
		}
		if t.Name == "" || slices.Contains(times, t.Name) {
			v.err(path+".name", "want a name of its own")
		}
		times = append(times, t.Name)
	}
	for i, r := range v.c.Dialplan {
		path := fmt.Sprintf("dialplan[%d]", i)
		if _, err := dialplan.Compile(r.Match); err != nil {
			v.err(path+".match", "%v", err)
		}
		if name := strings.TrimPrefix(r.When, "!"); name != "" && !slices.Contains(times, name) {
			v.err(path+".when", "there are no times %q", name)
		}
		if r.From != "" && !slices.Contains(froms, r.From) {
			v.err(path+".from", "%q is neither a line nor one of extension, script, any", r.From)
		}
		if len(r.To) == 0 {
			v.err(path, "a rule needs a destination: to")
		}
		for j, to := range r.To {
			if !slices.Contains(places, to) {
				v.err(fmt.Sprintf("%s.to[%d]", path, j), "there is no line or extension %q", to)
			}
		}
		if r.Strip < 0 {
			v.err(path+".strip", "want 0 or more")
		}
		v.oneOf(path+".ring", r.Ring, "all", "order")
	}
}

func (v *validator) rest() {
	c := v.c
	v.url("routing_url", c.RoutingURL)
	v.url("call_changed_url", c.CallChangedURL)
	for i, a := range c.Web.Allow {
		if _, err := ParseNet(a); err == nil || a == "private" {
			continue
		}
		if _, err := hostPort(a, "80"); err != nil {
			v.err(fmt.Sprintf("web.allow[%d]", i), "%q is no host, host:port, network or the word private", a)
		}
	}
	if file := c.Recordings.Encoder; file != "" {
		if err := mp3.CheckWasm(file); err != nil {
			v.err("recordings.encoder", "%s", strings.TrimPrefix(err.Error(), "mp3: "))
		}
	}
	v.oneOf("speech.engine", c.Speech.Engine, "auto", "espeak-ng", "flite", "http")
	if c.Speech.Engine == "http" && c.Speech.URL == "" {
		v.err("speech.engine", "http needs speech.url: where the text is posted to")
	}
	v.url("speech.url", c.Speech.URL)
	v.codecs("codecs", c.Codecs)
	v.messages()
	for _, l := range []struct {
		name string
		n    int64
	}{
		{"body", int64(c.Limits.Body)}, {"depth", int64(c.Limits.Depth)}, {"elements", int64(c.Limits.Elements)},
		{"attributes", int64(c.Limits.Attributes)}, {"value", int64(c.Limits.Value)}, {"steps", int64(c.Limits.Steps)},
		{"jumps", int64(c.Limits.Jumps)}, {"fetches_per_second", int64(c.Limits.FetchesPerSecond)}, {"call", int64(c.Limits.Call)},
		{"calls", int64(c.Limits.Calls)}, {"calls_per_second", int64(c.Limits.CallsPerSecond)}, {"drain", int64(c.Limits.Drain)},
	} {
		if l.n < 0 {
			v.err("limits."+l.name, "want 0 or more")
		}
	}
	v.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	v.oneOf("log.format", c.Log.Format, "text", "json")
	v.oneOf("log.calls", c.Log.Calls, "full", "brief", "off")
	v.oneOf("log.sound", c.Log.Sound, "off", "all")
}
