package message

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// ServeHTTP takes what the service posts, as a form or as flat JSON:
//
//   - a message: from, to, text;
//   - a delivery report: id (the service's), status, and if it has them ref
//     (our id, which went out as {id}), from, to.
//
// GatewayConfig.Token must come as "Authorization: Bearer TOKEN", as the
// password of HTTP Basic, or as the field token. The answer is 204, or a line
// that says what is wrong.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "post it", http.StatusMethodNotAllowed)
		return
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAnswer))
	if err != nil {
		http.Error(w, "the message is too long", http.StatusRequestEntityTooLarge)
		return
	}
	fields, ok := readFields(r.Header.Get("Content-Type"), b)
	if !g.allowed(r, fields["token"]) {
		http.Error(w, "the token is missing or wrong; it is sms.token of the configuration", http.StatusForbidden)
		return
	}
	if !ok {
		http.Error(w, "send a form, or JSON without depth, in UTF-8", http.StatusBadRequest)
		return
	}
	now := time.Now()
	if fields["status"] != "" {
		rc, ok := gatewayReceipt(fields, now)
		if !ok {
			http.Error(w, "status is none of delivered, failed, expired, rejected, undeliverable, sent, accepted, queued; or id is missing", http.StatusBadRequest)
			return
		}
		if rc, ok = g.match(rc, now); ok {
			tell(g.cfg.Log, g.events.Delivered, rc)
		}
		w.WriteHeader(http.StatusNoContent)
		return
	}
	m := SMS{From: plain(fields["from"]), To: plain(fields["to"]), Text: fields["text"], At: now}
	if m.From == "" || m.Text == "" {
		http.Error(w, "a message has from, to and text; a report has id and status", http.StatusBadRequest)
		return
	}
	tell(g.cfg.Log, g.events.Received, m)
	w.WriteHeader(http.StatusNoContent)
}

// match finds the message that rc is about; false when all was told already.
func (g *Gateway) match(rc Receipt, now time.Time) (Receipt, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	// A report comes from the telephone that the message went to; the service
	// may name the two either way round, so only the id decides here.
	n := note{remote: rc.Remote, state: rc.State, words: rc.Words, final: rc.State != Waiting}
	got, ok := g.ledger.take(now, n, "", "")
	if !ok || got.ID != "" {
		return got, ok
	}
	return rc, true
}

// allowed compares without telling by its time how much was right.
func (g *Gateway) allowed(r *http.Request, field string) bool {
	got := field
	if t, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		got = t
	} else if _, p, ok := r.BasicAuth(); ok {
		got = p
	}
	a, b := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(g.cfg.Token))
	return g.cfg.Token != "" && subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

// readFields reads a form or a flat JSON object; names in any letter case.
func readFields(contentType string, b []byte) (map[string]string, bool) {
	out := map[string]string{}
	if !utf8.Valid(b) {
		return out, false
	}
	if isForm(contentType) {
		form, err := url.ParseQuery(string(b))
		for k, v := range form {
			if !utf8.ValidString(v[0]) {
				return out, false
			}
			out[strings.ToLower(k)] = v[0]
		}
		return out, err == nil
	}
	var flat map[string]any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if d.Decode(&flat) != nil {
		return out, false
	}
	for k, v := range flat {
		switch t := v.(type) {
		case string:
			out[strings.ToLower(k)] = t
		case json.Number:
			out[strings.ToLower(k)] = t.String()
		case map[string]any, []any:
			return out, false
		}
	}
	return out, true
}

// gatewayStates are the words that services use.
var gatewayStates = map[string]State{
	"delivered": Delivered, "delivrd": Delivered,
	"failed": Undelivered, "expired": Undelivered, "rejected": Undelivered, "undelivered": Undelivered, "undeliverable": Undelivered,
	"undeliv": Undelivered, "rejectd": Undelivered, "deleted": Undelivered,
	"sent": Waiting, "accepted": Waiting, "queued": Waiting, "buffered": Waiting, "enroute": Waiting, "acceptd": Waiting,
}

func gatewayReceipt(f map[string]string, now time.Time) (Receipt, bool) {
	st := gatewayStates[strings.ToLower(f["status"])]
	r := Receipt{ID: plain(f["ref"]), Remote: plain(f["id"]), State: st, Words: plain(f["status"]), At: now,
		SMS: SMS{ID: plain(f["ref"]), From: plain(f["from"]), To: plain(f["to"])}}
	return r, st != "" && (r.ID != "" || r.Remote != "")
}
