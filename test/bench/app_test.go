//go:build bench && linux

package bench

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// scripts are what the web app answers to a call of each number. A # in one is
// a number that no call had before, so that its sentence is a fresh one; URL is
// the app's own address.
var scripts = map[string]string{
	"9001": `<Response><Play>2s.wav</Play><Record FinishDigits="1" Format="wav" FinishedUrl="URL"/><Delay>60</Delay><Hangup/></Response>`,
	"9002": `<Response><Play>5s.wav</Play></Response>`,
	"9004": `<Response><Play Repeat="true">5s.wav</Play></Response>`,
	"9005": `<Response><Play>2s.wav</Play><Record FinishDigits="1" Format="mp3" FinishedUrl="URL"/><Delay>60</Delay><Hangup/></Response>`,
	"9006": `<Response><Speak>Your order with the number # will be with you on Monday.</Speak></Response>`,
	"9008": `<Response><Speak>Order #.</Speak><Record FinishDigits="1" Format="wav" FinishedUrl="URL"/><Delay>60</Delay><Hangup/></Response>`,
	"9009": `<Response><Play>2s.wav</Play><UserInput Timeout="2" Digits="1"/><Record Duration="3" Format="wav" FinishedUrl="URL"/><Play>5s.wav</Play></Response>`,
	"9007": `<Response><Record Duration="60" FinishDigits="1" Format="wav" FinishedUrl="URL"/><Delay>60</Delay></Response>`,
}

// An app is the web app that the switch asks.
type app struct {
	url    string
	server *http.Server
	fresh  atomic.Int64

	mu   sync.Mutex
	told map[string]int // notifications by name
}

func newApp() *app {
	a := &app{told: map[string]int{}}
	a.server = &http.Server{Handler: a}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err) // a machine without loopback
	}
	a.url = "http://" + l.Addr().String()
	go func() { _ = a.server.Serve(l) }()
	return a
}

func (a *app) close() { _ = a.server.Close() }

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.FormValue("NotificationName")
	a.mu.Lock()
	a.told[name]++
	a.mu.Unlock()
	if name != "IncomingCall" {
		return
	}
	script := scripts[strings.TrimPrefix(r.URL.Path, "/")]
	script = strings.ReplaceAll(script, "URL", a.url+r.URL.Path)
	script = strings.ReplaceAll(script, "#", fmt.Sprint(4711+a.fresh.Add(1)*37))
	w.Header().Set("Content-Type", "application/xml")
	fmt.Fprint(w, script)
}

// count is how many notifications of a name came.
func (a *app) count(name string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.told[name]
}
