package sip

// An Account is what calls by an outside line need to know of it. Config.Line
// looks it up by the line's name, for each call.
type Account struct {
	User, Password string
	Realm          string // whose challenges are answered; "" = any of the far end that was called
	From           string // host of our From, "sip.example.com"; "" = our address
	Proxy          string // SIP URI of an outbound proxy, "sip:10.0.0.1:5060"; "" = none
	Transport      string // "udp", "tcp", "tls"; "" = what the called URI says
	Assert         bool   // write P-Asserted-Identity (RFC 3325)
	Trust          bool   // believe the identities and diversions that come by it
}
