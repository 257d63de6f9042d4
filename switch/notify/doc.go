// Package notify is the web side of the switch: it asks web apps what to do
// with a call and tells them what happened (decisions 1, 2, 8 and 9).
//
//   - Asks (IncomingCall, CallConnected, DtmfEntered, GoTo,
//     RoutingInterception) wait for a document: CallWeb.Fetch, and CallWeb.First
//     with the ladder of fallbacks for a call that has no script yet.
//   - Reports (RecordCompleted, CallCompleted, Error …) must arrive: they go
//     through switch/queue.
//   - States (CallChanged) are worth telling for ten seconds.
//
// It does not run scripts: documents go back to who asked, or to
// Config.Answered. It is not the HTTP API (switch/api), which is asked.
//
// Start reading at client.go, then web.go. exchange.go is one HTTP exchange,
// allow.go says which addresses may be reached, faults.go names what can go
// wrong, in words for the author of the web app; outcome.go is the table of
// decisions 2.
package notify
