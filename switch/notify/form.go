package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"ozswitch/ozml"
)

const (
	eventIDHeader   = "Ozswitch-Event-Id"
	signatureHeader = "Ozswitch-Signature"
)

// fields gives what is posted: the fields that every notification of a call
// has (decisions 8), those of the call that the table of package ozml names for
// this one, and its own.
func (c *Client) fields(n ozml.Notification, i ozml.CallInfo, at time.Time) url.Values {
	v := url.Values{}
	v.Set("Timestamp", at.Format(time.RFC3339))
	if i.ID != "" {
		v.Set("CallID", i.ID)
		v.Set("CallId", i.ID)
		v.Set("CallerID", i.Caller)
		v.Set("CallerId", i.Caller)
		v.Set("Direction", i.Direction)
	}
	for _, f := range c.known[n.Name] {
		switch f.Name {
		case "DialedNumber":
			v.Set(f.Name, i.Dialed)
		case "ApiExtension":
			v.Set(f.Name, i.Extension)
		case "CallerDisplayName":
			v.Set(f.Name, i.CallerName)
		}
	}
	maps.Copy(v, n.Fields)
	v.Set("NotificationName", n.Name)
	return v
}

// form writes the fields as a body: NotificationName first, the rest by name,
// so that the same notification is always the same bytes.
func form(v url.Values) string {
	names := make([]string, 0, len(v))
	for name := range v {
		if name != "NotificationName" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString("NotificationName=" + url.QueryEscape(v.Get("NotificationName")))
	for _, name := range names {
		for _, value := range v[name] {
			b.WriteString("&" + url.QueryEscape(name) + "=" + url.QueryEscape(value))
		}
	}
	return b.String()
}

// headers of decisions 8. An empty secret signs nothing.
func headers(id, secret, body string, now time.Time) http.Header {
	h := http.Header{}
	h.Set("Cache-Control", "no-store,no-cache")
	h.Set("Pragma", "no-cache")
	h.Set("Accept", "application/xml, text/xml;q=0.9, */*;q=0.5")
	h.Set(eventIDHeader, id)
	if secret != "" {
		h.Set(signatureHeader, Sign(secret, body, now))
	}
	return h
}

// Sign gives the header Ozswitch-Signature of a body: the time, and the
// HMAC-SHA256 over "time.body".
func Sign(secret, body string, now time.Time) string {
	t := strconv.FormatInt(now.Unix(), 10)
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(t + "." + body))
	return fmt.Sprintf("t=%s,v1=%s", t, hex.EncodeToString(m.Sum(nil)))
}

// secret is the one that signs: global URLs have web.secret, the others that of
// the extension whose script runs.
func (c *Client) secret(name, extension string) string {
	if name == "RoutingInterception" || name == "CallChanged" {
		return c.cfg.Secret
	}
	return c.cfg.SecretFor(extension)
}
