package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Healthz says that the process is alive: wire it at "GET /healthz".
func Healthz(w http.ResponseWriter, r *http.Request) {
	plain(w, http.StatusOK, "ok\n")
}

// NotFound answers what there is not below /v1/: wire it at "/v1/".
func NotFound(w http.ResponseWriter, r *http.Request) {
	(&problem{Status: http.StatusNotFound, Detail: "there is no " + r.Method + " " + r.URL.Path}).write(w)
}

// A Check is one thing that must be so for the switch to be ready.
type Check struct {
	Name string                          // "sip sockets", "voice", "store"
	Err  func(ctx context.Context) error // nil when it is so; why not otherwise
}

// Readyz says whether all of checks are so: 200, or 503 with a line for each.
// Wire it at "GET /readyz".
func Readyz(checks ...Check) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		status := http.StatusOK
		var b strings.Builder
		for _, c := range checks {
			if err := c.Err(ctx); err != nil {
				status = http.StatusServiceUnavailable
				fmt.Fprintf(&b, "%s: %v\n", c.Name, err)
			} else {
				fmt.Fprintf(&b, "%s: ok\n", c.Name)
			}
		}
		if len(checks) == 0 {
			b.WriteString("ok\n")
		}
		plain(w, status, b.String())
	})
}

func plain(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	io.WriteString(w, text)
}
