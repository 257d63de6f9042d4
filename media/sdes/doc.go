// Package sdes carries the sound of a leg by SRTP whose keys stand in the SDP (RFC
// 4568, RFC 3711): a Wire around a pace.Wire encrypts what is sent, and lets
// through only what the far end has sent, once. Keys that are agreed by DTLS are
// media/rtc's.
//
// Start at Wire. What is offered and taken is decided in switch/bridge/sdes.go.
package sdes
