//go:build peers

package peers

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
)

// A webApp answers the switch and keeps what it was told.
type webApp struct {
	*httptest.Server
	answers map[string]string // by NotificationName; SELF is the app's own URL

	mu   sync.Mutex
	told []url.Values
}

func newWebApp(t *testing.T, answers map[string]string) *webApp {
	t.Helper()
	w := &webApp{answers: answers}
	w.Server = httptest.NewServer(w)
	t.Cleanup(w.Close)
	return w
}

func (w *webApp) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(out, err.Error(), http.StatusBadRequest)
		return
	}
	w.mu.Lock()
	w.told = append(w.told, r.PostForm)
	w.mu.Unlock()
	out.Header().Set("Content-Type", "application/xml")
	fmt.Fprint(out, w.answers[r.PostForm.Get("NotificationName")])
}

// notifications are all of a name so far.
func (w *webApp) notifications(name string) (all []url.Values) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.told {
		if f.Get("NotificationName") == name {
			all = append(all, f)
		}
	}
	return all
}
