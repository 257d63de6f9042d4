package webphone

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ozswitch/switch/call"
	"ozswitch/switch/sip"
)

// TestText: a page sends a text and gets one, by its socket (RFC 3428, RFC 7118).
func TestText(t *testing.T) {
	inWorld(t, nil, func(t *testing.T, w *world) {
		page := w.open("10.0.0.2")
		page.register("1001", "one")
		sent := make(chan call.Failure, 1)
		var wg sync.WaitGroup
		wg.Go(func() {
			sent <- w.e.SendText(t.Context(), w.e.Bindings("1001")[0], sip.Text{From: "1002", To: "1001", Type: "text/plain", Body: []byte("Hello")})
		})
		got := page.read()
		if !strings.HasPrefix(got, "MESSAGE sip:1001@") || !strings.HasSuffix(got, "\r\n\r\nHello") || !strings.HasPrefix(header(got, "Via"), "SIP/2.0/WS ") {
			t.Fatalf("the page got %s", got)
		}
		answer := "SIP/2.0 200 OK\r\n"
		for line := range strings.SplitSeq(got, "\r\n") {
			name, _, _ := strings.Cut(line, ":")
			if slices.Contains([]string{"Via", "From", "To", "Call-ID", "CSeq"}, name) {
				answer += line + "\r\n"
			}
		}
		page.send(answer + "\r\n")
		if why := <-sent; why.Code != 200 {
			t.Errorf("sent: %+v", why)
		}
		// Its socket has gone: nobody is there.
		b := w.e.Bindings("1001")[0]
		page.ws.CloseNow()
		time.Sleep(time.Second)
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		if why := w.e.SendText(ctx, b, sip.Text{From: "1002", To: "1001", Body: []byte("x")}); why.Code != 480 {
			t.Errorf("to a page that has gone: %+v, want 480", why)
		}
		wg.Wait()
	})
}
