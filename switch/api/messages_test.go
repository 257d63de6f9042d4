package api

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ozswitch/ozml"
)

// A mailroom is a small true Messages: extension 666 is none, to the number 0 and to
// nobody there is no way, gone.wav does not exist.
type mailroom struct {
	ozml.Messages
	mail ozml.Mail
	sms  []ozml.SMS
}

func (p *mailroom) sends(s ozml.Sender) error {
	if s.Extension == "666" {
		return ozml.NoExtension(s.Extension)
	}
	return nil
}

func (p *mailroom) Mail(m ozml.Mail) (string, error) {
	p.mail = m
	switch {
	case len(m.To) == 1 && strings.HasPrefix(m.To[0], "nobody"):
		return "", ozml.NoRoute("no mail server", "")
	case len(m.Attachments) == 1 && m.Attachments[0] == "gone.wav":
		return "", &ozml.ParamError{Param: "Attachments", Command: m.At.Command, Why: "no such file"}
	}
	return "5f0c1d1e-9f7a-4c57-8a0e-0c1f8f6d2b11", p.sends(m.Sender)
}

func (p *mailroom) SMS(s ozml.SMS) (string, error) {
	p.sms = append(p.sms, s)
	if s.To == "0" {
		return "", ozml.NoRoute("sms.send does not allow 0", "")
	}
	return "0b9e4f2a-7d34-4a4e-9f3b-6f5b1c2d3e4f", p.sends(s.Sender)
}

func (p *mailroom) Send(m ozml.Message) error {
	if m.Connection == "nix" {
		return ozml.NoRoute("there is no connection nix", "")
	}
	return nil
}

func (p *mailroom) Inbox(_ context.Context, q ozml.InboxQuery) ([]ozml.Received, error) {
	if q.Folder != "inbox" {
		return nil, nil
	}
	at := time.Date(2026, 3, 2, 9, 15, 40, 0, time.Local)
	return []ozml.Received{
		{ID: "0b9e4f2a", From: "+3620", To: "9000", Type: "SMS:TEXT", Text: "Are <b>you</b> there?\x00 & why", Sent: at, Came: at.Add(time.Second)},
		{ID: "0b9e4f2b", From: "1001", To: "9000", Type: "SMS:TEXT", Text: "Szép", Came: at},
	}, nil
}

// codeOf reads the code of an answer in whatever form.
func codeOf(t testing.TB, w *httptest.ResponseRecorder) int {
	t.Helper()
	switch typ := w.Header().Get("Content-Type"); {
	case strings.HasPrefix(typ, "text/html"):
		if !strings.Contains(w.Body.String(), "<title>"+messages[codeOK]+"</title>") {
			t.Errorf("page %s", w.Body)
		}
		return codeOK
	case typ == "application/json":
		var v struct{ Code int }
		if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
			t.Errorf("%s: %v", w.Body, err)
		}
		return v.Code
	}
	return code(t, w)
}

// ContinueUrl leads a browser on, once all is taken; what was taken is told all
// the same.
func TestContinue(t *testing.T) {
	for _, c := range []struct {
		to   string
		want int
	}{{"1", 303}, {"0", 200}} {
		h, _ := testCommands(testAccess())
		w := httptest.NewRecorder()
		h.ServeHTTP(w, get("command=SendMessage&Action=sendmessage&MessageData=x&ContinueUrl=http%3a%2f%2fapp.example%2fnext&MessageCount=2&recipient0=2&recipient1="+c.to))
		h.Close()
		if got := w.Code; got != c.want || code(t, w) != 200 || (w.Header().Get("Location") == "http://app.example/next") != (c.want == 303) {
			t.Errorf("to %s: HTTP %d, Location %q, want %d", c.to, got, w.Header().Get("Location"), c.want)
		}
	}
}
