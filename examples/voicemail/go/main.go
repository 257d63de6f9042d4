// Takes a message. Record returns at once and the end of a script waits for it;
// the answer to RecordCompleted takes the call over, which is how the caller
// comes to hear a thank-you.
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
		fmt.Fprintf(w, `<Response>
  <Speak>Hello, nobody can answer now. Please leave a message after the tone, then press the hash key.</Speak>
  <Beep/>
  <Record FinishedUrl="%s" FinishDigits="#" Inactivity="5" Duration="120" Format="mp3"/>
</Response>`, escape("http://"+r.Host+"/"))
	case "RecordCompleted": // Reason: digit, inactivity, duration, hangup ...
		log.Printf("message of %s s from %s: %s", r.PostFormValue("Duration"), r.PostFormValue("CallerID"), r.PostFormValue("RecordURL"))
		if r.PostFormValue("Reason") == "hangup" {
			return
		}
		seconds, _ := strconv.ParseFloat(r.PostFormValue("Duration"), 64)
		fmt.Fprintf(w, `<Response><Speak>Thank you for your message of %.0f seconds. Goodbye.</Speak><Hangup/></Response>`, seconds)
	}
}

// escape makes any text safe between tags and in attributes.
func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder does not fail
	return b.String()
}
