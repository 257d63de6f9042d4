// Records a call. The switch posts a form for everything that happens on it:
// IncomingCall is answered with OzML, RecordCompleted says where the sound is.
package main

import (
	"encoding/xml"
	"flag"
	"fmt"
	"log"
	"net/http"
	"strings"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8000", "address of this web app")
	flag.Parse()
	http.HandleFunc("/", answer)
	log.Fatal(http.ListenAndServe(*listen, nil))
}

func answer(w http.ResponseWriter, r *http.Request) {
	switch r.PostFormValue("NotificationName") {
	case "IncomingCall":
		w.Header().Set("Content-Type", "application/xml; charset=utf-8")
		fmt.Fprintf(w, `<Response>
  <Speak>Your call will be recorded. You can stop recording by pressing 1. You have 1 minutes to talk.</Speak>
  <Record FinishedUrl="%s" FinishDigits="1" Format="wav"></Record>
  <Delay>60</Delay>
  <Hangup></Hangup>
</Response>`, escape("http://"+r.Host+"/"))
	case "RecordCompleted": // an empty answer: the script goes on
		log.Printf("%s s of %s: %s", r.PostFormValue("Duration"), r.PostFormValue("CallerID"), r.PostFormValue("RecordURL"))
	}
}

// escape makes any text safe between tags and in attributes.
func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder does not fail
	return b.String()
}
