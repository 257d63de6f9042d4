package api

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"ozswitch/examples"
	"ozswitch/switch/extension"
)

// A Number is an extension.
type Number struct {
	Number      string    `json:"number"`
	Type        string    `json:"type"`
	Name        string    `json:"name"`
	File        string    `json:"file,omitempty"`
	URL         string    `json:"url,omitempty"`
	Registered  []Contact `json:"registered"`
	LastFailure string    `json:"last_failure,omitempty"` // of its registrations, in words: what, when, from where, what to do

	Settings *extension.Settings `json:"settings,omitempty"` // of a phone
}

// A Contact is where a telephone is.
type Contact struct {
	Contact   string    `json:"contact"`
	Address   string    `json:"address"`
	Transport string    `json:"transport"`
	UserAgent string    `json:"user_agent"`
	Expires   time.Time `json:"expires"`
}

// A NumberChange is what a number is to run.
type NumberChange struct {
	Type string `json:"type" enum:"script,api" doc:"whether a script of the switch runs, or a web app decides"`
	File string `json:"file,omitempty" doc:"of a script: a name of /v1/scripts"`
	URL  string `json:"url,omitempty" doc:"of api: where IncomingCall is posted to"`
}

// A Refusal says why a number cannot be changed, or there is none.
type Refusal struct {
	Status int
	Why    string
}

func (e *Refusal) Error() string { return e.Why }

// A NumberPath is a number of a path.
type NumberPath struct {
	Number string `path:"number" doc:"an extension's number"`
}

func (v *V1) getNumbers(_ context.Context, in *Pages) (*paged[Number], error) {
	return pageOf("/v1/extensions", v.numbers(), in, func(n Number) string { return n.Number })
}

// numbers gives them without lists that are null.
func (v *V1) numbers() []Number {
	all := slices.Clone(v.Numbers())
	for i := range all {
		if all[i].Registered == nil {
			all[i].Registered = []Contact{}
		}
	}
	return all
}

// putNumber changes what a number runs, from the next call on.
func (v *V1) putNumber(ctx context.Context, put *struct {
	NumberPath
	Body NumberChange
}) (*one[Number], error) {
	in := put.Body
	switch {
	case in.Type == "script" && in.URL == "":
		if _, err := v.script(in.File); err != nil {
			return nil, err
		}
	case in.Type == "api" && in.File == "":
		if err := httpURL(in.URL); err != nil {
			return nil, err
		}
	default:
		return nil, badRequest(`want {"type": "script", "file": NAME} or {"type": "api", "url": URL}`)
	}
	if err := v.SetNumber(put.Number, in); err != nil {
		return nil, err
	}
	return v.getNumber(ctx, &put.NumberPath)
}

// getNumber gives one extension.
func (v *V1) getNumber(_ context.Context, in *NumberPath) (*one[Number], error) {
	for _, n := range v.numbers() {
		if n.Number == in.Number {
			return give(n)
		}
	}
	return nil, notFound("there is no number %s", in.Number)
}

// patchNumber changes the settings of a phone: everybody those of his own, an
// admin of all.
func (v *V1) patchNumber(ctx context.Context, in *struct {
	NumberPath
	Body numberPatch
}) (*one[Number], error) {
	number := in.Number
	if u := UserOf(ctx); !u.Admin && (u.Phone == "" || u.Phone != number) {
		return nil, &problem{Status: http.StatusForbidden, Code: codeForbiddenUser, Detail: "this needs a user with admin: true, or whose phone " + number + " is"}
	}
	if in.Body.Settings == nil {
		return nil, badRequest(`want {"settings": {"forward": {"always": NUMBER, ...}, "dnd": true, "call_waiting": true}}, with what is to change`)
	}
	if err := v.ChangeSettings(number, *in.Body.Settings); err != nil {
		return nil, err
	}
	return v.getNumber(ctx, &in.NumberPath)
}

type numberPatch struct {
	Settings *extension.Change `json:"settings,omitempty" doc:"what is to change of a phone's"`
}

// httpURL refuses what is no URL of the web.
func httpURL(s string) error {
	if u, err := url.Parse(s); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return badRequest("the URL %q is none: want http://host/path or https://host/path", s)
	}
	return nil
}

type fetchRequest struct {
	URL    string `json:"url" doc:"of the web app"`
	Number string `json:"number,omitempty" doc:"that was called; without it the first that has a URL"`
}

// A Fetched is the answer of a web app to a sample IncomingCall.
type Fetched struct {
	Status      int     `json:"status"` // 0 = no answer
	ContentType string  `json:"content_type"`
	MS          float64 `json:"ms"`
	Body        string  `json:"body"`
	Problems    []Diag  `json:"problems"`
	Error       string  `json:"error,omitempty"`
	Code        string  `json:"code,omitempty"`
	Hint        string  `json:"hint,omitempty"`

	Raw []byte `json:"-"` // the whole body as it came
}

// postFetch asks a web app as a call would.
func (v *V1) postFetch(ctx context.Context, body *struct{ Body fetchRequest }) (*one[Fetched], error) {
	in := body.Body
	if err := httpURL(in.URL); err != nil {
		return nil, err
	}
	f := v.Fetch(ctx, UserOf(ctx), in.URL, in.Number)
	if f.Problems == nil {
		f.Problems = []Diag{}
	}
	if f.Error == "" {
		_, f.Problems = v.Lint(in.URL, string(f.Raw))
	}
	return give(f)
}

// A Sample is a small web app in one language.
type Sample struct {
	Language string `json:"language"`
	File     string `json:"file"`
	Run      string `json:"run"` // the command that starts it
	URL      string `json:"url"` // where it then answers
	Text     string `json:"text"`
}

// getSamples gives the samples, for the host and port of url if there is one.
func (v *V1) getSamples(_ context.Context, in *struct {
	URL string `query:"url" doc:"where the app is to listen: http://127.0.0.1:8000"`
}) (*one[[]Sample], error) {
	const standard = "127.0.0.1:8000"
	at := standard
	if s := in.URL; s != "" {
		u, err := url.Parse(s)
		if err != nil || u.Scheme != "http" || u.Hostname() == "" {
			return nil, badRequest("url: want http://host:port")
		}
		at = u.Host
		if u.Port() == "" {
			at = net.JoinHostPort(u.Hostname(), "80")
		}
		if host, _, err := net.SplitHostPort(at); err != nil || net.ParseIP(host) == nil && host != "localhost" {
			return nil, badRequest("url: a sample listens on this machine: want http://127.0.0.1:port")
		}
	}
	_, port, _ := net.SplitHostPort(at)
	out := []Sample{}
	for _, s := range examples.HelloApp() {
		text := s.Text
		if at != standard {
			text = strings.ReplaceAll(strings.ReplaceAll(text, standard, at), "8000", port)
		}
		out = append(out, Sample{s.Language, s.File, strings.ReplaceAll(s.Run, standard, at), strings.ReplaceAll(s.URL, standard, at), text})
	}
	return give(out)
}

// A Status says how the switch is.
type Status struct {
	Sentence       string        `json:"sentence"`
	OK             bool          `json:"ok"`
	Version        string        `json:"version"`
	Up             float64       `json:"up_seconds"`
	Calls          int           `json:"calls"`
	Peak           int           `json:"calls_peak"`
	CallsPerSecond float64       `json:"calls_per_second"` // over the last minute
	Registrations  int           `json:"registrations"`
	Refused        []string      `json:"registrations_refused"` // the latest telephones that were not let in, in words
	FetchP95       float64       `json:"fetch_p95_ms"`          // of the last fetches
	LagP99         float64       `json:"lag_p99_ms"`            // how late sound was paced
	Checks         []CheckResult `json:"checks"`
	DiskFree       int64         `json:"disk_free_bytes"` // -1 = not known
}

// A CheckResult is one line of /readyz.
type CheckResult struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
}

// getStatus tells how the switch is, in a sentence and in figures.
func (v *V1) getStatus(ctx context.Context, _ *nothing) (*one[Status], error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	s := v.Status()
	s.OK, s.Sentence, s.Checks = true, "All well", []CheckResult{}
	if s.Refused == nil {
		s.Refused = []string{}
	}
	for _, c := range v.Checks {
		one := CheckResult{Name: c.Name, OK: true}
		if err := c.Err(ctx); err != nil {
			one.OK, one.Detail = false, err.Error()
			if s.OK {
				s.OK, s.Sentence = false, "Not well: "+c.Name+": "+err.Error()
			}
		}
		s.Checks = append(s.Checks, one)
	}
	v.linesDown(&s)
	return give(s)
}
