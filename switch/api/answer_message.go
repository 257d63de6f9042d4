package api

import (
	"encoding/json"
	"html"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/beevik/etree"

	"ozswitch/ozml"
)

// messagePayload writes the payload of a command about messages; false = it is none.
func messagePayload(root *etree.Element, v any) bool {
	switch v := v.(type) {
	case ozml.SMSTaken:
		child(root, "SmsId", v.ID)
	case ozml.MailTaken:
		child(root, "EmailId", v.ID)
	case ozml.SMSesTaken:
		data := root.CreateElement("data")
		for _, m := range v.All {
			e := data.CreateElement("acceptreport")
			code, words := "0", "Message accepted for delivery"
			if m.Error != "" {
				code, words = "1", m.Error
			}
			child(e, "statuscode", code)
			child(e, "statusmessage", words)
			for _, c := range columns(m)[:5] {
				child(e, c.name, c.value)
			}
		}
	case ozml.Inbox:
		data := root.CreateElement("data")
		for _, m := range v.All {
			e := data.CreateElement("message")
			for _, c := range columns(m) {
				child(e, c.name, c.value)
			}
		}
	default:
		return false
	}
	return true
}

type column struct{ name, value string }

// columns are the elements of a message, in the names of the SMS gateway
// (http-api.md ReceiveMessage).
func columns(m ozml.Received) []column {
	return []column{{"messageid", m.ID}, {"originator", m.From}, {"recipient", m.To}, {"messagetype", m.Type},
		{"messagedata", legible(m.Text)}, {"senttime", moment(m.Sent)}, {"receivedtime", moment(m.Came)}}
}

// moment is empty for a time that is not known.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format(ozml.Stamp)
}

// legible leaves out what XML 1.0 cannot hold, which a text from outside may.
func legible(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// otherForm gives the answer in another form than XML, if a command asked for one.
func (a answer) otherForm() (contentType string, body []byte, ok bool) {
	in, is := a.payload.(ozml.Inbox)
	switch {
	case is && in.Format == "html":
		return "text/html; charset=utf-8", in2html(a, in.All), true
	case is && in.Format == "json":
		return "application/json", in2json(a, in.All), true
	}
	return "", nil, false
}

func in2html(a answer, all []ozml.Received) []byte {
	var b strings.Builder
	b.WriteString("<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>" + html.EscapeString(a.message) + "</title></head><body>\n<table>\n<tr>")
	for _, c := range columns(ozml.Received{}) {
		b.WriteString("<th>" + c.name + "</th>")
	}
	b.WriteString("</tr>\n")
	for _, m := range all {
		b.WriteString("<tr>")
		for _, c := range columns(m) {
			b.WriteString("<td>" + html.EscapeString(c.value) + "</td>")
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</table>\n</body></html>\n")
	return []byte(b.String())
}

func in2json(a answer, all []ozml.Received) []byte {
	type row struct {
		ID        string `json:"messageid"`
		From      string `json:"originator"`
		To        string `json:"recipient"`
		Type      string `json:"messagetype"`
		Text      string `json:"messagedata"`
		Sent      string `json:"senttime"`
		ReceivedT string `json:"receivedtime"`
	}
	rows := []row{}
	for _, m := range all {
		rows = append(rows, row{m.ID, m.From, m.To, m.Type, m.Text, moment(m.Sent), moment(m.Came)})
	}
	body, err := json.Marshal(map[string]any{"code": a.code, "message": a.message, "data": rows})
	if err != nil { // strings always can
		return nil
	}
	return append(body, '\n')
}

// sent writes body as the answer; Continue of SendMessage leads a browser on.
func (a answer) sent(w http.ResponseWriter, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if strings.HasPrefix(contentType, "text/html") { // what it shows came from outside
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	}
	if s, ok := a.payload.(ozml.SMSesTaken); ok && s.Continue != "" {
		h.Set("Location", s.Continue)
		w.WriteHeader(http.StatusSeeOther)
	}
	w.Write(body)
}
