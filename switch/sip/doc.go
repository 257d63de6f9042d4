// Package sip turns SIP messages into the events of package call, and its
// effects into messages. An Endpoint is one user agent with its sockets; it
// decides what SIP decides (who may answer what, what is repeated, what is
// refused) and nothing about calls.
//
// The way of a message: flow (bytes, framing, limits) -> Endpoint.receive
// (overload, one parse, checks) -> its shard (found by Call-ID: transactions
// and legs under one lock, so that the messages of one call keep their order)
// -> the mailbox of the call. One goroutine reads each listener and does all
// of that; one goroutine a shard waits for its timers.
//
// It is not a proxy. Who is who and where telephones are is the registrar
// folder's; register.go speaks for it. A leg that came is uas.go (reliable.go:
// PRACK), one that we called uac.go (early.go), both are indialog.go, reinvite.go
// and refer.go; identity.go says who calls, sdes.go keeps keys out of traces. Start
// reading at endpoint.go, then receive.go.
package sip
