package message

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// GatewayConfig is a service that takes text messages by HTTP POST (`sms:` of
// the configuration with type http).
type GatewayConfig struct {
	Address  string // URL
	User     string // HTTP Basic; "" = none
	Password string
	From     string // sender of messages that have none
	// Body is what is posted, with {to}, {from}, {text}, {id} and {report} (true
	// or false) in it, each written as Type demands.
	// "" = to={to}&from={from}&text={text}&id={id}&report={report}
	Body string
	// Type is the Content-Type; "" = application/x-www-form-urlencoded. With json
	// or xml in it the values are escaped as such, with form as in a URL.
	Type string
	// ID says where the answer has the service's id, for example
	// "messages.0.id"; "" = id, or the whole answer if it is one short word.
	ID string
	// Token must come with what the service posts to us (ServeHTTP); "" =
	// nothing is taken.
	Token string

	Dial    func(ctx context.Context, network, address string) (net.Conn, error) // nil = a net.Dialer
	Timeout time.Duration                                                        // of one request; 0 = 10 s
	Log     *slog.Logger                                                         // nil = slog.Default
}

const (
	maxAnswer   = 64 << 10 // bytes of an answer, and of what is posted to us
	formType    = "application/x-www-form-urlencoded"
	defaultBody = "to={to}&from={from}&text={text}&id={id}&report={report}"
)

// A Gateway sends text messages by HTTP. Use NewGateway. What comes in, comes
// to its ServeHTTP.
type Gateway struct {
	cfg    GatewayConfig
	events Events
	client *http.Client
	place  string
	escape func(string) string

	mu     sync.Mutex
	ledger *ledger
}

// NewGateway checks cfg and connects to nothing.
func NewGateway(cfg GatewayConfig, ev Events) (*Gateway, error) {
	u, err := url.Parse(cfg.Address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, wrong("sms.address", "write for example https://sms.example.org/send", "it is no http URL")
	}
	if u.User != nil {
		return nil, wrong("sms.address", "write them as sms.user and sms.password", "name and password stand in the URL")
	}
	if cfg.From != "" && !isNumber(cfg.From) && !isAlphaNum(cfg.From) {
		return nil, wrong("sms.from", "write a number, or at most 11 letters and digits", "%q cannot be a sender", cfg.From)
	}
	if cfg.Type == "" {
		cfg.Type = formType
	}
	if cfg.Body == "" {
		cfg.Body = defaultBody
		if cfg.Type != formType {
			return nil, wrong("sms.body", `for example {"to": "{to}", "text": "{text}"}`, "a type is given and no body")
		}
	}
	if !strings.Contains(cfg.Body, "{to}") || !strings.Contains(cfg.Body, "{text}") {
		return nil, wrong("sms.body", "put {to} and {text} where they belong", "it has no place for the number or the text")
	}
	g := &Gateway{cfg: cfg, events: ev, place: "SMS gateway " + u.Host, ledger: newLedger(keepReceipts, maxReceipts)}
	switch {
	case strings.Contains(cfg.Type, "json"):
		g.escape = escapeJSON
	case strings.Contains(cfg.Type, "xml"):
		g.escape = escapeXML
	case strings.Contains(cfg.Type, "form-urlencoded"):
		g.escape = url.QueryEscape
	default:
		return nil, wrong("sms.content_type", "use one with json, xml or form-urlencoded in it", "how values are written in %q is unknown", cfg.Type)
	}
	if g.cfg.Dial == nil {
		g.cfg.Dial = new(net.Dialer).DialContext
	}
	if g.cfg.Timeout <= 0 {
		g.cfg.Timeout = 10 * time.Second
	}
	if g.cfg.Log == nil {
		g.cfg.Log = slog.Default()
	}
	// No proxy from the environment and no redirects: what the operator wrote is
	// where the messages go (decisions 9).
	g.client = &http.Client{
		Transport:     &http.Transport{DialContext: g.cfg.Dial, MaxIdleConnsPerHost: 4, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: maxAnswer},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return g, nil
}

// Run waits for ctx to end, and closes what is open.
func (g *Gateway) Run(ctx context.Context) error {
	<-ctx.Done()
	g.client.CloseIdleConnections()
	return nil
}

// Send posts m.
func (g *Gateway) Send(ctx context.Context, m SMS) (string, error) {
	if m.From == "" {
		m.From = g.cfg.From
	}
	if err := checkSMS(m); err != nil {
		return "", err
	}
	body := strings.NewReplacer("{to}", g.escape(m.To), "{from}", g.escape(m.From), "{text}", g.escape(m.Text),
		"{id}", g.escape(m.ID), "{report}", strconv.FormatBool(m.Report)).Replace(g.cfg.Body)
	one, cancel := context.WithTimeout(ctx, g.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(one, http.MethodPost, g.cfg.Address, strings.NewReader(body))
	if err != nil {
		return "", wrong("sms.address", "correct it", "%v", err)
	}
	req.Header.Set("Content-Type", g.cfg.Type)
	if m.ID != "" {
		req.Header.Set("Idempotency-Key", plain(m.ID)) // so that a repetition need not arrive twice
	}
	if g.cfg.User != "" {
		req.SetBasicAuth(g.cfg.User, g.cfg.Password)
	}
	res, err := g.client.Do(req)
	if err != nil {
		return "", g.fault(ctx, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	switch {
	case res.StatusCode/100 == 2:
		id := answerID(b, g.cfg.ID) // it has taken the message, however its answer ends
		if m.Report {
			m.Text = ""
			g.mu.Lock()
			g.ledger.note(time.Now(), id, &sent{sms: m, open: 1})
			g.mu.Unlock()
		}
		return id, nil
	case err != nil:
		return "", g.fault(ctx, err)
	}
	return "", g.refusal(res.StatusCode, b)
}

func (g *Gateway) fault(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if u, ok := err.(*url.Error); ok {
		err = u.Err // without the URL: it may hold a key
	}
	return netFault(g.place, "sms.address", err)
}

func (g *Gateway) refusal(status int, body []byte) error {
	f := &Fault{Place: g.place, Code: status, Cause: fmt.Sprintf("it answered %d %s", status, plain(string(body)))}
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		f.Final, f.Cure = true, "correct sms.user and sms.password"
	case status/100 == 3:
		f.Final, f.Cure = true, "it sends elsewhere: correct sms.address"
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status == http.StatusTooEarly:
	case status/100 == 4:
		f.Final = true
	}
	return f
}

// answerID finds the service's id; "" when there is none.
func answerID(b []byte, where string) string {
	var v any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if d.Decode(&v) != nil {
		if s := strings.TrimSpace(string(b)); where == "" && len(s) <= 64 && !strings.ContainsAny(s, " \r\n\t<>") {
			return plain(s)
		}
		return ""
	}
	if where == "" {
		where = "id"
		if _, ok := v.(map[string]any); !ok {
			where = "" // the answer is the id
		}
	}
	for where != "" {
		var key string
		key, where, _ = strings.Cut(where, ".")
		switch t := v.(type) {
		case map[string]any:
			v = t[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(t) {
				return ""
			}
			v = t[i]
		default:
			return ""
		}
	}
	switch t := v.(type) {
	case string:
		return plain(t)
	case json.Number:
		return t.String()
	}
	return ""
}

func escapeJSON(s string) string {
	b, _ := json.Marshal(s) // a string always can
	return string(b[1 : len(b)-1])
}

func escapeXML(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // into memory
	return b.String()
}

// isForm tells whether a Content-Type is that of a form.
func isForm(contentType string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	return err == nil && t == formType
}
