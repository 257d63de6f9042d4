package ozml

import "fmt"

// Codes of what can go wrong between the switch and a web app, OZ130x, and with
// its answers, OZ135x. switch/notify finds them; the paper call uses the same.
const (
	CodeNoHost     = "OZ1301"
	CodeRefused    = "OZ1302"
	CodeTimeout    = "OZ1303"
	CodeStatus     = "OZ1304"
	CodeEmpty      = "OZ1305"
	CodeUnpack     = "OZ1306"
	CodeNotAllowed = "OZ1307"
	CodeRedirect   = "OZ1308"
	CodeTooLarge   = "OZ1309"
	CodeTLS        = "OZ1310"
	CodeBroken     = "OZ1311"
	CodeURL        = "OZ1312"
	CodeNotHTTP    = "OZ1313"
	CodeNetwork    = "OZ1314"
	CodeScriptFile = "OZ1315"
	CodeBook       = "OZ1340"
	CodeLostFields = "OZ1350"
	CodeIgnored    = "OZ1351"
	CodeNoScript   = "OZ1352"
)

// webCodes says what the manual says about each. What is wrong with a document
// itself has the codes of syntax.Codes.
func webCodes() []CodeDoc {
	return []CodeDoc{
		{Code: CodeNoHost, Title: "no such host", Cause: "The name in the URL is not known to the name servers of the machine that the switch runs on.", Cure: "Check the spelling; try `getent hosts NAME` on the switch. In containers use the name of the service.", Refused: true},
		{Code: CodeRefused, Title: "connection refused", Cause: "The machine is there, but no program listens on that port.", Cure: "Start the web app, and check the port. In a container 127.0.0.1 is the container itself.", Refused: true},
		{Code: CodeTimeout, Title: "no answer in time", Cause: "The web app did not send its whole answer within web.timeout. The caller hears nothing of it that long.", Cure: "Answer first and do slow work afterwards; raise web.timeout only if callers may wait. A web server with one worker that calls itself, or the switch, waits for itself.", Refused: true},
		{Code: CodeStatus, Title: "status is not 2xx", Cause: "The web app answered, but with an error status; its body is not looked at.", Cure: "Open the address with `curl -i -d NotificationName=IncomingCall URL` and look into the error log of the web server. The switch sends POST: the route must accept it, without a CSRF token and without a login page.", Refused: true},
		{Code: CodeEmpty, Title: "empty answer", Cause: "The web app answered 2xx, but without a body. Typically the program ended before it printed anything, with its error messages switched off.", Cure: "Look into the error log of the web server. To do nothing, answer <Response></Response>.", Refused: true},
		{Code: CodeUnpack, Title: "compression that cannot be unpacked", Cause: "The header Content-Encoding says something that the body is not, or a method other than gzip.", Cure: "Send gzip or nothing. Typically a program compresses by itself what the web server compresses again.", Refused: true},
		{Code: CodeNotAllowed, Title: "address is not allowed", Cause: "A script may not make the switch reach into the operator's network. Loopback, private, link-local, multicast and metadata addresses are refused unless web.allow lists them, and the switch itself always.", Cure: "If the switch shall reach it, add the line that the message shows to the configuration.", Refused: true},
		{Code: CodeRedirect, Title: "redirected without end", Cause: "The web app redirects in a circle, more than 5 times, or to something that is no http or https URL.", Cure: "Follow it with `curl -iL URL` and give the last address to the switch.", Refused: true},
		{Code: CodeTooLarge, Title: "answer too large", Cause: "The body is larger than limits.body, or does not end.", Cure: "Send less, or raise limits.body in the configuration.", Refused: true},
		{Code: CodeTLS, Title: "no secure connection", Cause: "The certificate is not valid for this name or at this time, its issuer is not known, or one side speaks no TLS.", Cure: "Try `curl -v URL` on the switch. For a certificate of your own issuer set web.ca_file.", Refused: true},
		{Code: CodeBroken, Title: "connection broke off", Cause: "The web app or something between closed the connection before its answer was whole. Typically the program crashed.", Cure: "Look into the error log of the web server. Do not set Content-Length by hand.", Refused: true},
		{Code: CodeURL, Title: "not a usable URL", Cause: "The URL cannot be read, has no host, or is neither http nor https.", Cure: "Write http://host:port/path. Characters such as spaces are written %20; in XML & is written &amp;.", Refused: true},
		{Code: CodeNotHTTP, Title: "not HTTP", Cause: "Something answers at that address, but it does not speak HTTP.", Cure: "Check the port.", Refused: true},
		{Code: CodeNetwork, Title: "network unreachable", Cause: "There is no way from the switch to that address.", Cure: "Check routes and firewalls on the machine that the switch runs on.", Refused: true},
		{Code: CodeScriptFile, Title: "script file cannot be read", Cause: "The file of a script extension or of fallback_script is not there or may not be read.", Cure: "Check its name and its rights.", Refused: true},
		{Code: CodeBook, Title: "address book cannot be read", Cause: "The provider of an address book is down, slow, or answers something that is no address book; or its file cannot be read. Calls go on without it.", Cure: "The message says what went wrong and since when; see addressbooks in the configuration, and try the URL with curl on the switch.", Refused: true},
		{Code: CodeLostFields, Title: "redirect lost the fields", Cause: "A redirect with 301, 302 or 303 is followed with GET (RFC 9110 15.4), so the page that answers sees none of the fields that were posted.", Cure: "Give the switch the last address, or redirect with 307 or 308, which keep the POST."},
		{Code: CodeIgnored, Title: "answer is not run", Cause: "Commands in the answer to a report count only on the first attempt or within 10 s of the event; those to a state only if nothing newer waits.", Cure: "Answer in time; use the HTTP API for what comes later."},
		{Code: CodeNoScript, Title: "answer is no script", Cause: "The answer to a notification that needs none has a body that is no OzML. It was taken as delivered.", Cure: "Answer with an empty body or <Response></Response>."},
	}
}

// StatusWords says that a web app answered a status that is not 2xx, and what to
// do about it. name is that of the status, "" when it has none.
func StatusWords(status int, name string) (cause, hint string) {
	cause, hint = fmt.Sprintf("the web app answered %d %s", status, name), Cure(CodeStatus)
	if name == "" {
		cause = fmt.Sprintf("the web app answered %d", status)
	}
	switch {
	case status == 401:
		hint = "put the credentials into the URL: https://user:password@host/path"
	case status == 403 || status == 419 || status == 422:
		hint = "a page that wants a CSRF token or a login cannot be asked by the switch; exempt this path from both"
	case status == 404 || status == 410:
		hint = "check the path; the web server is there, the page is not"
	case status == 405:
		hint = "the switch sends POST: let the route accept it"
	case status >= 500:
		hint = "the program failed; look into its error log"
	}
	return cause, hint
}

// Cure says what to do about a code, "" when nothing is written of it.
func Cure(code string) string {
	for _, d := range Codes() {
		if d.Code == code {
			return d.Cure
		}
	}
	return ""
}
