// Package console serves the pages for people: the files that `make assets`
// builds from web/ into assets/, with their headers (ADR 0011). It knows
// nothing of calls and scripts; the pages get everything from /v1, which is
// switch/api's.
//
// The file assets/main-7F3KQ2LX.js is at /assets/main-7F3KQ2LX.js; its
// .gz beside it is what is sent to who takes gzip. What has a content hash in its name, eight
// letters before the ending, is cached for a year; the rest is asked for again
// each time. Every address of a page (Pages) gives index.html. Style elements
// that a script makes need the policy's nonce: it replaces {{nonce}} in
// index.html.
//
// Start at Handler.ServeHTTP.
package console
