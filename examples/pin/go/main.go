// Asks for a PIN, three times at most. UserInput posts the digits to
// ForwardToUrl as DtmfEntered and runs what this app answers. What the app must
// remember between requests travels in the URL, as it does on the web.
//
// Say sensitive_input: true for the extension, and the switch logs no digits.
package main

import (
	"encoding/xml"
	"flag"
	"fmt"
	"log"
	"net/http"
	"strconv"
	"strings"
)

var accounts = map[string]string{"4711": "Anna & Sons", "0815": "Bob"} // a database, in life

func main() {
	listen := flag.String("listen", "127.0.0.1:8000", "address of this web app")
	flag.Parse()
	http.HandleFunc("/", answer)
	log.Fatal(http.ListenAndServe(*listen, nil))
}

func answer(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/xml; charset=utf-8")
	switch r.PostFormValue("NotificationName") {
	case "IncomingCall":
		ask(w, r, "Please enter your four digit PIN.", 1)
	case "DtmfEntered":
		tries, _ := strconv.Atoi(r.URL.Query().Get("tries"))
		name, known := accounts[r.PostFormValue("DtmfDigits")]
		switch {
		case known:
			fmt.Fprintf(w, `<Response><Speak>Welcome, %s.</Speak><Hangup/></Response>`, escape(name))
		case tries < 3:
			ask(w, r, "That is not right. Please try again.", tries+1)
		default:
			fmt.Fprint(w, `<Response><Speak>Goodbye.</Speak><Hangup/></Response>`)
		}
	}
}

// ask writes the question; its answer comes to this app with the number of tries.
func ask(w http.ResponseWriter, r *http.Request, says string, tries int) {
	url := fmt.Sprintf("http://%s/?tries=%d&from=pin", r.Host, tries)
	fmt.Fprintf(w, `<Response>
  <UserInput Digits="4" Timeout="5" Repeat="true" ForwardToUrl="%s">
    <InitialCommands>
      <Speak>%s</Speak>
    </InitialCommands>
  </UserInput>
</Response>`, escape(url), escape(says))
}

// escape makes any text safe between tags and in attributes.
func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder does not fail
	return b.String()
}
