// Package api is the switch's incoming HTTP: the legacy command API (Commands),
// the JSON API below /v1 (V1) with its live events (Events), recordings
// (Recordings) and probes (Healthz, Readyz). Each is an http.Handler or is
// mounted as one; switch/server wires them.
//
// A request of the command API is a script of one command: its parameters
// become the attributes of one element, the command table checks them and a
// machine runs it in a World that the server gives. So this package knows no
// command by name but Call, for its time limit, and those that V1 runs for its
// own routes; what exists is the table's.
//
// The routes of V1. "any" looks at credentials by itself; "user" wants Basic
// credentials or the cookie of a session, of a user with api or admin; "admin"
// one with admin. What changes something by cookie needs the header X-Ozswitch: 1.
//
//	POST   /v1/session                    any    sign a browser in: {name, password}
//	GET    /v1/session                    user   who is signed in, and what the switch is
//	DELETE /v1/session                    any    sign out
//	GET    /v1/events                     user   all events, as Server-Sent Events
//	GET    /v1/calls                      user   live and past calls: page, rows, q ...
//	POST   /v1/calls                      user   ring {to}; the script of {from}, or {script}
//	GET    /v1/calls/{id}                 user   one call
//	GET    /v1/calls/{id}/events          user   its events, as Server-Sent Events
//	GET    /v1/calls/{id}/log             user   its events so far, as an array
//	GET    /v1/calls/{id}/documents       user   the script that ran: name, seq
//	GET    /v1/calls/{id}/peaks           user   its waveform: width
//	GET    /v1/calls/{id}/sound.wav       user   its sound: left we, right the caller
//	GET    /v1/calls/{id}/export.json     user   all of it
//	GET    /v1/calls/{id}/export.pcap     user   its SIP and RTP
//	GET    /v1/calls/{id}/export.mmd      user   its ladder, as a Mermaid diagram
//	GET    /v1/calls/{id}/export.zip      user   all of these
//	POST   /v1/calls/{id}/hangup          user   hang up
//	POST   /v1/calls/{id}/keys            user   press {keys} for the caller
//	GET    /v1/scripts                    user   the scripts and who runs them
//	GET    /v1/scripts/{name}             user   one, with its text and ETag
//	PUT    /v1/scripts/{name}             admin  save {text}; If-Match where it exists
//	DELETE /v1/scripts/{name}             admin  remove one; If-Match
//	POST   /v1/lint                       user   what is wrong with {text}
//	POST   /v1/run                        user   play {text} or {name} on paper, with a {caller}
//	GET    /v1/commands                   user   the words of the language
//	POST   /v1/fetch                      admin  post a sample IncomingCall to {url}
//	GET    /v1/extensions                 user   the numbers and where telephones are
//	GET    /v1/extensions/{number}        user   one of them
//	PUT    /v1/extensions/{number}        admin  what a number runs: {type, file, url}
//	PATCH  /v1/extensions/{number}        user   {settings} of a phone: one's own, an admin all
//	GET    /v1/queues                     user   the call queues: who waits, what the agents do
//	GET    /v1/conferences                user   the conferences that somebody is in
//	GET    /v1/lines                      user   the outside lines and how they are
//	GET    /v1/status                     user   how the switch is
//	GET    /v1/samples                    user   a small web app in five languages: url
//
// It is not the console and places no calls itself. Start with commands.go and
// v1.go; who may do what stands in access.go, vault.go and session.go.
package api
