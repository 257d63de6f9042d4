// Start it by: go run main.go     Its URL: http://127.0.0.1:8000/
package main

import (
	"flag"
	"fmt"
	"html"
	"log"
	"net/http"
)

func answer(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	if r.PostFormValue("NotificationName") != "IncomingCall" {
		return // a report about the call: an empty answer lets the script go on
	}
	name := r.PostFormValue("CallerDisplayName")
	if name == "" {
		name = r.PostFormValue("CallerID")
	}
	fmt.Fprintf(w, `<Response>
  <Speak>Hello %s. This is your own app, in Go. Press 1.</Speak>
  <UserInput Timeout="5">
    <Inputs><Input Key="1"><Speak>You pressed one.</Speak></Input></Inputs>
  </UserInput>
</Response>`, html.EscapeString(name))
}

func main() {
	listen := flag.String("listen", "127.0.0.1:8000", "address of this web app")
	flag.Parse()
	log.Fatal(http.ListenAndServe(*listen, http.HandlerFunc(answer)))
}
