package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain puts the program onto the PATH of scripts and tests. The voice
// starts the program that it is in as its worker, and that may be this test.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "worker" {
		os.Exit(execute(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	testscript.Main(m, map[string]func(){"ozswitch": main})
}

// TestScripts runs the command line as a user does: testdata/*.txtar. $APP is
// the URL of the web app below, $APPADDR its host and port.
func TestScripts(t *testing.T) {
	app := httptest.NewServer(webApp())
	t.Cleanup(app.Close)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			u, err := url.Parse(app.URL)
			e.Setenv("APP", app.URL)
			e.Setenv("APPADDR", u.Host)
			return err
		},
	})
}

// webApp is a web application as a user writes one.
func webApp() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/ivr", func(w http.ResponseWriter, r *http.Request) {
		base := "http://" + r.Host
		switch r.PostFormValue("NotificationName") {
		case "IncomingCall":
			fmt.Fprintf(w, `<?xml version="1.0"?>
<Response>
  <Speak>Hello %s at %s, %s.</Speak>
  <Record Format="wav" Duration="1" FinishedUrl="%s/done"/>
  <UserInput Digits="2" Timeout="3" ForwardToUrl="%s/ivr">
    <InitialCommands><Speak>Two keys please</Speak></InitialCommands>
  </UserInput>
  <GoTo>%s/end</GoTo>
</Response>`, r.PostFormValue("CallerID"), r.PostFormValue("DialedNumber"), r.PostFormValue("Shop"), base, base, base)
		case "DtmfEntered":
			fmt.Fprintf(w, `<Response><Speak>You pressed %s</Speak></Response>`, r.PostFormValue("DtmfDigits"))
		default:
			http.Error(w, "who are you?", http.StatusBadRequest)
		}
	})
	mux.HandleFunc("/say", func(w http.ResponseWriter, _ *http.Request) { // an engine of speech.engine: http
		pcm := make([]byte, 2*8000)
		for i := 0; i < len(pcm); i += 2 { // a second of a rough hum
			pcm[i+1] = byte(i / 40 % 2 * 32)
		}
		header := "RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x80\x3e\x00\x00"
		w.Write(append([]byte(header), pcm...))
	})
	mux.HandleFunc("/end", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `<?xml version="1.0"?><Response><Speak>Goodbye</Speak></Response>`)
	})
	mux.HandleFunc("/done", func(w http.ResponseWriter, r *http.Request) {
		if r.PostFormValue("NotificationName") != "RecordCompleted" || r.PostFormValue("Reason") == "" {
			http.Error(w, "not RecordCompleted", http.StatusBadRequest)
		}
	})
	mux.HandleFunc("/php", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "\nWarning: Undefined variable $name in /var/www/ivr.php on line 7\n<?xml version=\"1.0\"?><Response/>")
	})
	mux.HandleFunc("/latin", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/xml; charset=iso-8859-1")
		fmt.Fprint(w, "<?xml version=\"1.0\"?><Response><Speak>caf\xe9</Speak></Response>")
	})
	for name, script := range map[string]string{ // for vet --crawl
		"start": `<Response>
  <UserInput Timeout="5">
    <InitialCommands><Speak>Choose</Speak></InitialCommands>
    <Inputs>
      <Input Key="1"><GoTo>$APP/crawl/round</GoTo></Input>
      <Input Key="2"><GoTo>$APP/crawl/bad</GoTo></Input>
      <Input Key="3"><GoTo>http://other.invalid/</GoTo></Input>
      <Input Key="4"><GoTo>$APP/broken</GoTo></Input>
      <Input Key="5"><GoTo>$APP/crawl/start</GoTo></Input>
      <Input Key="6"><GoTo>$APP/php</GoTo></Input>
    </Inputs>
  </UserInput>
</Response>`,
		"round": `<Response><Var ID="a">1</Var><GoTo>$APP/crawl/back</GoTo></Response>`,
		"back":  `<Response><GoTo Url="$APP/crawl/round"/></Response>`,
		"bad":   `<Response><Spaek>Hello</Spaek></Response>`,
	} {
		mux.HandleFunc("POST /crawl/"+name, func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, strings.ReplaceAll(script, "$APP", "http://"+r.Host))
		})
	}
	mux.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "Fatal error: out of memory", http.StatusInternalServerError)
	})
	return mux
}
