package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ozswitch/ozml/trace"
)

// consoleFile is the file in the data folder by which top finds the switch that
// runs there: its URL with name and password, for the owner's eyes only.
const consoleFile = "console.url"

// leaveAddress writes the file, and gives what takes it away.
func leaveAddress(data, addr, user, password string) (remove func(), err error) {
	name := filepath.Join(data, consoleFile)
	u := url.URL{Scheme: "http", Host: addr, User: url.UserPassword(user, password), Path: "/"}
	_ = os.Remove(name) // the mode counts only for a new file
	if err := os.WriteFile(name, []byte(u.String()+"\n"), 0o600); err != nil {
		return func() {}, fmt.Errorf("ozswitch top will not find this switch: %w", err)
	}
	return func() { _ = os.Remove(name) }, nil
}

// A topClient asks a switch by /v1.
type topClient struct{ server, user, password string }

// find fills in what was not given.
func (t *topClient) find(data string) error {
	secret, err := readSecret(t.password)
	if err != nil {
		return err
	}
	t.password = secret
	if b, err := os.ReadFile(filepath.Join(data, consoleFile)); err == nil && t.server == "" && t.user == "" {
		u, err := url.Parse(strings.TrimSpace(string(b)))
		if err != nil {
			return fmt.Errorf("top: %s does not hold a URL", filepath.Join(data, consoleFile))
		}
		t.user = u.User.Username()
		t.password, _ = u.User.Password()
		u.User = nil
		t.server = u.String()
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) && t.server == "" {
		return fmt.Errorf("top: %w", err)
	}
	if t.server == "" {
		t.server = "http://127.0.0.1:9509"
	}
	u, err := url.Parse(t.server)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return usagef("top: --server wants a URL such as http://127.0.0.1:9509, got %q", t.server)
	}
	t.server = strings.TrimSuffix(t.server, "/")
	return nil
}

// readSecret reads what stands behind file: and env:.
func readSecret(s string) (string, error) {
	if name, ok := strings.CutPrefix(s, "file:"); ok {
		b, err := os.ReadFile(name)
		return strings.TrimRight(string(b), "\r\n"), err
	}
	if name, ok := strings.CutPrefix(s, "env:"); ok {
		v, ok := os.LookupEnv(name)
		if !ok {
			return "", usagef("top: the environment has no %s", name)
		}
		return v, nil
	}
	return s, nil
}

// A topCall is a line of the table (GET /v1/calls).
type topCall struct {
	ID      string    `json:"id"`
	From    string    `json:"from"`
	To      string    `json:"to"`
	Script  string    `json:"script"`
	Doing   string    `json:"doing"`
	State   string    `json:"state"`
	Started time.Time `json:"started"`
	Talk    float64   `json:"talk_seconds"`
	Ring    float64   `json:"ring_seconds"`
}

// A topStatus is the head of the table (GET /v1/status).
type topStatus struct {
	Sentence      string  `json:"sentence"`
	Version       string  `json:"version"`
	Up            float64 `json:"up_seconds"`
	Calls         int     `json:"calls"`
	PerSecond     float64 `json:"calls_per_second"`
	Registrations int     `json:"registrations"`
	FetchP95      float64 `json:"fetch_p95_ms"`
	LagP99        float64 `json:"lag_p99_ms"`
}

// A topState is what was read at once.
type topState struct {
	status topStatus
	calls  []topCall
	events []trace.Event // of the call that is looked at
}

func (t *topClient) read(ctx context.Context) (s topState, err error) {
	var list struct {
		Live []topCall `json:"live"`
	}
	if err := t.ask(ctx, http.MethodGet, "/v1/calls?rows=1", &list); err != nil {
		return s, err
	}
	s.calls = list.Live
	return s, t.ask(ctx, http.MethodGet, "/v1/status", &s.status)
}

// refresh reads again what the screen shows.
func (t *topClient) refresh(ctx context.Context, m *topScreen) error {
	s, err := t.read(ctx)
	if err != nil {
		return err
	}
	if m.open != "" {
		if err := t.ask(ctx, http.MethodGet, "/v1/calls/"+url.PathEscape(m.open)+"/log", &s.events); err != nil {
			return err
		}
	}
	m.take(s)
	return nil
}

func (t *topClient) hangup(ctx context.Context, id string) error {
	return t.ask(ctx, http.MethodPost, "/v1/calls/"+url.PathEscape(id)+"/hangup", nil)
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 32 << 20

func (t *topClient) ask(ctx context.Context, method, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	res, err := t.send(ctx, method, path)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body := io.LimitReader(res.Body, maxAnswer)
	if res.StatusCode >= 300 {
		var p struct{ Code, Detail string }
		_ = json.NewDecoder(body).Decode(&p)
		if res.StatusCode == http.StatusUnauthorized && t.user == "" {
			p.Detail = "name and password are needed: --user and --password, or --data with the folder of a switch started with dev"
		}
		return fmt.Errorf("top: %s%s: %s %s", t.server, path, res.Status, clean(p.Detail))
	}
	if into == nil {
		return nil
	}
	if err := json.NewDecoder(body).Decode(into); err != nil {
		return fmt.Errorf("top: %s%s is not what a switch answers: %w", t.server, path, err)
	}
	return nil
}

func (t *topClient) send(ctx context.Context, method, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, t.server+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("X-Ozswitch", "1")
	if t.user != "" {
		req.SetBasicAuth(t.user, t.password)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("top: no switch answers at %s: %w", t.server, errors.Unwrap(err))
	}
	return res, nil
}

// follow tells that something happened, for as long as the switch says so; between
// that the screen is read anew each second all the same.
func (t *topClient) follow(ctx context.Context, news chan<- struct{}) {
	for ctx.Err() == nil {
		if res, err := t.send(ctx, http.MethodGet, "/v1/events"); err == nil {
			for lines := bufio.NewScanner(res.Body); lines.Scan(); {
				if !strings.HasPrefix(lines.Text(), "data:") {
					continue
				}
				select {
				case news <- struct{}{}:
				default: // a burst is one refresh
				}
			}
			res.Body.Close()
		}
		wait(ctx, time.Second)
	}
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
