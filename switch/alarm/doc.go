// Package alarm is Ademco Contact ID: how a burglar alarm panel reports over a
// telephone call, after SIA DC-05-1999.09.
//
// The receiver of the report answers and gives a handshake (1400 Hz and 2300 Hz,
// 100 ms each, 100 ms apart). The panel sends a message of 16 keys, 50 to 60 ms
// each with as much silence after it. If its checksum is right, the receiver says
// so by the kiss-off, 850 ms of 1400 Hz; else it is silent, and the panel sends
// again, four times in all. More messages may follow in the same call.
//
// A [Receiver] and a [Sender] are the two ends. Each is a sink of what it hears
// and a source of what it says, at 8 kHz ([Rate]): whoever drives one writes a
// frame and reads a frame every 20 ms, silence where nothing came. The samples are
// their clock, so a call of a minute runs in a few milliseconds on paper. They
// start no goroutine, wait for nothing, and belong to one goroutine at a time.
//
// What is said stands in ozml/contactid: messages, their digits, words for events.
// Keys may also come as packets (RFC 4733, SIP INFO), from an adapter that makes
// them of a panel's tones: [Receiver.Key].
//
// It is not: other alarm protocols (SIA DC-03 in sound, DC-09 over IP), the call
// itself, or anything that is done with a message. Nothing is kept: a message that
// was kissed off is the caller's to store. No voice follows a message (listen-in,
// events 606 and 609). Contact ID needs G.711; a codec that models speech spoils it.
//
// Start with receiver.go.
package alarm
