// Package rtc carries the packets of a leg by WebRTC: ICE finds the way
// (RFC 8445), DTLS-SRTP guards it (RFC 5764), consent keeps it open (RFC 7675).
//
// A [Port] is one UDP socket for all calls. It tells apart what comes (RFC 7983):
// STUN goes to the ICE agent of pion, once its integrity was checked here; DTLS
// goes to pion's handshake; SRTP, which is nearly all, is decrypted in the
// reader's goroutine and laid into the ring of its [Wire], without allocating.
// A Wire is a pace.Wire, so a browser's leg is paced like any other.
//
// It is not: SDP (switch/sip), codecs (media/codec), times (media/pace).
// Start at Port.Open; the way of a packet is Port.read, Wire.take, Wire.Recv.
package rtc
