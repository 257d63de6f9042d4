// A menu with a menu below it, written from a table of departments.
package main

import (
	"bytes"
	"encoding/xml"
	"flag"
	"log"
	"net/http"
)

// Elements of OzML as encoding/xml writes them; it escapes every text.
type (
	response struct {
		XMLName   xml.Name `xml:"Response"`
		UserInput *userInput
	}
	userInput struct {
		Timeout int     `xml:",attr"`
		Repeat  bool    `xml:",attr"`
		BackKey string  `xml:",attr,omitempty"`
		Says    string  `xml:"InitialCommands>Speak"`
		Inputs  []input `xml:"Inputs>Input"`
	}
	input struct {
		Key    string     `xml:",attr"`
		Menu   *userInput `xml:"UserInput"`
		Speak  string     `xml:",omitempty"`
		Hangup *struct{}  `xml:",omitempty"`
	}
)

func menu(caller string) response {
	hello := "Hello."
	if caller != "" {
		hello = "Hello " + caller + "."
	}
	return response{UserInput: &userInput{
		Timeout: 3, Repeat: true,
		Says: hello + " For sales, press 1. For support, press 2.",
		Inputs: []input{
			say("1", "Sales opens at nine. Goodbye."),
			{Key: "2", Menu: &userInput{
				Timeout: 3, Repeat: true, BackKey: "*",
				Says: "For telephones & faxes, press 1. For the internet, press 2. To go back, press star.",
				Inputs: []input{
					say("1", "Turn it off and on again. Goodbye."),
					say("2", "We know, and we are working on it. Goodbye."),
				},
			}},
		},
	}}
}

func say(key, text string) input { return input{Key: key, Speak: text, Hangup: &struct{}{}} }

func main() {
	listen := flag.String("listen", "127.0.0.1:8000", "address of this web app")
	flag.Parse()
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.PostFormValue("NotificationName") != "IncomingCall" {
			return
		}
		var b bytes.Buffer
		e := xml.NewEncoder(&b)
		e.Indent("", "  ")
		if err := e.Encode(menu(r.PostFormValue("CallerDisplayName"))); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/xml; charset=utf-8")
		w.Write(b.Bytes())
	})
	log.Fatal(http.ListenAndServe(*listen, nil))
}
