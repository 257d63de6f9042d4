// Package message sends mail and text messages, and receives text messages
// and delivery reports (SendEmail, SendSms, IncomingSMS, SMSDeliveryReport of
// the language; spec/ozml-language.md §10).
//
//   - Mailer sends one mail by SMTP.
//   - A Service sends text messages: SMPP (SMPP 3.4) or Gateway (HTTP). What
//     comes in goes to Events.
//   - Outbox stands before both. It keeps what is to be sent in the store,
//     tries again what can become better, and tells the outcome. It is the one
//     that calls use: it never makes them wait.
//
// It does not know calls, scripts or the configuration file. Who may send, the
// dial plan, and which files may be attached are its callers'.
//
// Every failure is a *Fault: place, cause, cure, and whether to try again.
//
// Start reading at outbox.go; then mail.go for mail, and sms.go, smpp.go,
// gateway.go for text messages. Pure, and fuzzed: frame.go (the SMPP framer),
// gsm.go (the alphabet), split.go and join.go (long messages), receipt.go.
//
// Two modules of others are used for what they are good at, and no further
// (docs/adr/0007 says why of SIP, and it is the same here): go-mail composes
// the message and speaks the commands of SMTP, gosmpp/pdu reads and writes the
// fields of SMPP. Sockets, deadlines, retries and goroutines are ours, since
// gosmpp's own session has goroutines without a recover on bytes from outside,
// asks for life signs once a minute at most, and blocks without end while a
// server is silent; and go-mail's client leaves the connection open when the
// login fails, and calls a mail undelivered whose acknowledgement it has.
package message
