package ozml

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// The values that the manual's requests have for a parameter, or for one of a
// command (Command.Parameter). What a request needs and has no value here gets one
// by its kind.
var apiSamples = map[string]string{
	"CallId": "Qz81x", "TransferredCallId": "Qz81x", "TargetCallId": "Rt92y", "TransferorParty": "callee", "Party": "all",
	"Dialed": "1001", "DialedAddress": "1001", "Caller": "1001", "Callee": "1002", "Destination": "1002", "Target": "1002",
	"Call.Url": "http://127.0.0.1:8000/", "AudioFile": "hello.wav", "Text": "Dinner is ready", "Keys": "12#",
	"Request.RequestOzML": "<Request><OnInCall><Speak>Hello</Speak></OnInCall></Request>",
	"Record.Format":       "wav", "SendEmail.Recipient": "ann@example.org", "SendEmail.Subject": "Your order", "SendEmail.Message": "It is on its way.",
	"SendSms.Recipient": "+36201234567", "SendSms.Message": "Your table is reserved", "ToConnection": "HTTP_User_1@localhost",
	"PhoneNumber": "9300", "AccountNumber": "1234", "EventCode": "130", "PartitionNumber": "01", "ZoneNumber": "005",
}

type apiParam struct{ name, value string }

// apiRequest is a sample request of the HTTP API: that of the example, or what
// the command needs.
func (p Page) apiRequest() (all []apiParam) {
	if q, ok := strings.CutPrefix(p.Example, "command="+p.Name); ok {
		for pair := range strings.SplitSeq(strings.TrimPrefix(q, "&"), "&") {
			name, value, _ := strings.Cut(pair, "=")
			if v, err := url.QueryUnescape(value); err == nil && name != "" {
				all = append(all, apiParam{name, v})
			}
		}
		return all
	}
	for _, d := range p.Params {
		v, wanted := apiSamples[p.Name+"."+d.Name]
		needed := d.Required || d.MustIn&API != 0
		switch {
		case d.Name == "" || d.Kind == "commands" || d.Kind == "elements" || d.Kind == "fields":
			continue
		case wanted:
		case needed && apiSamples[d.Name] != "":
			v = apiSamples[d.Name]
		case needed && len(d.Values) > 0:
			v = d.Values[0]
		case needed && d.Kind == "URL":
			v = "http://127.0.0.1:8000/"
		case needed:
			v = "1"
		default:
			continue
		}
		all = append(all, apiParam{d.Name, v})
	}
	return all
}

// apiCurl, apiPHP, apiPython, apiNode and apiGo write the request for a shell and
// four languages; all but curl call the function that the page begins with.
func (p Page) apiCurl() string {
	s := "curl http://127.0.0.1:9509/api -u HTTP_User_1:change-me-1 \\\n  -d command=" + p.Name
	for _, a := range p.apiRequest() {
		if plainWord.MatchString(a.value) {
			s += " \\\n  -d " + a.name + "=" + a.value
		} else {
			s += " \\\n  --data-urlencode '" + strings.ReplaceAll(a.name+"="+a.value, "'", `'\''`) + "'"
		}
	}
	return s
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9._/-]+$`)

// pairs writes parameters as pair does, between open and end.
func (p Page) pairs(pair, open, end string, quote func(string) string) string {
	var s []string
	for _, a := range p.apiRequest() {
		s = append(s, fmt.Sprintf(pair, quote(a.name), quote(a.value)))
	}
	return open + strings.Join(s, ", ") + end
}

func (p Page) apiPHP() string {
	quote := func(s string) string { return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'" }
	return "echo ozswitch('" + p.Name + "', " + p.pairs("%s => %s", "[", "]", quote) + ");"
}

// double writes a text between double quotes as Python, JavaScript and Go read it.
func double(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s) + `"`
}

func (p Page) apiPython() string {
	return `print(ozswitch("` + p.Name + `", ` + p.pairs("%s: %s", "{", "}", double) + "))"
}

func (p Page) apiNode() string {
	return `console.log(await ozswitch("` + p.Name + `", ` + p.pairs("%s: %s", "{", "}", double) + "));"
}

func (p Page) apiGo() string {
	return `fmt.Println(ozswitch("` + p.Name + `", ` + p.pairs("%s: {%s}", "url.Values{", "}", double) + "))"
}

// overHTTP is what the page of a command says of its request.
func (p Page) overHTTP() string {
	if p.in&API == 0 {
		return ""
	}
	return "\n## Over HTTP\n\n```sh\n" + p.apiCurl() + "\n```\n\nThe same in [PHP, Python, Node and Go](http-api.md#" + strings.ToLower(p.Name) + ").\n"
}

// ManualAPI prints the page of the HTTP API.
func (t Table) ManualAPI() string {
	var b strings.Builder
	b.WriteString(apiIntro)
	for _, p := range t.Manual() {
		if p.in&API == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n### %s\n\n%s: [its parameters](%s.md#parameters).\n\n```sh\n%s\n```\n\n<details><summary>PHP, Python, Node, Go</summary>\n\n", p.Name, upper(p.line()), strings.ToLower(p.Name), p.apiCurl())
		for _, l := range [][2]string{{"php", p.apiPHP()}, {"python", p.apiPython()}, {"js", p.apiNode()}, {"go", p.apiGo()}} {
			fmt.Fprintf(&b, "```%s\n%s\n```\n\n", l[0], l[1])
		}
		b.WriteString("</details>\n")
	}
	return b.String()
}

const apiIntro = `# HTTP API

A request is a form (GET or POST) at ` + "`/api`" + ` of the switch's HTTP port: ` + "`command`" + ` and the
parameters of the command, in any letter case. Who asks is a user with ` + "`api: true`" + `, by Basic
or by ` + "`username` and `password`" + ` in the form. Prefer POST: addresses are kept in logs.

The answer is XML with HTTP status 200. ` + "`<Code>`" + ` says how it went, ` + "`<Message>`" + ` in words:

` + "```xml" + `
<?xml version="1.0"?>
<Response xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">
  <Code>200</Code>
  <Message>Command successfully executed</Message>
</Response>
` + "```" + `

| Code | Means |
| --- | --- |
| 200 | done; some commands answer more, such as ` + "`<CallId>`" + ` |
| 300 | the request cannot be read |
| 301 | no such command |
| 302 | a parameter is missing or wrong; the message names it |
| 303 | the command cannot be used here, or not now |
| 304, 305 | no credentials, or wrong ones |
| 306, 307 | this user, or this address, may not do that |
| 401 | no such API extension |
| 402 | the call could not be made |
| 501 | no route for this mail or text message |
| 601 | no such call |
| 701 to 703 | no such configuration, a wrong one, or it is there already |

Everything here is also at ` + "`/v1`" + `, as JSON: its description is at ` + "`/v1/openapi.json`" + `.

## From a program

PHP:

` + "```php" + `
<?php
// ozswitch sends a command and gives the answer, an XML document.
function ozswitch(string $command, array $parameters): string
{
    $answer = file_get_contents('http://127.0.0.1:9509/api', false, stream_context_create(['http' => [
        'method' => 'POST',
        'header' => ['Content-Type: application/x-www-form-urlencoded', 'Authorization: Basic ' . base64_encode('HTTP_User_1:change-me-1')],
        'content' => http_build_query(['command' => $command] + $parameters),
    ]]));
    if ($answer === false) {
        throw new RuntimeException('the switch does not answer');
    }

    return $answer;
}
` + "```" + `

Python:

` + "```python" + `
import base64, urllib.parse, urllib.request

def ozswitch(command, parameters):
    """Sends a command and gives the answer, an XML document."""
    form = urllib.parse.urlencode({"command": command, **parameters}).encode()
    login = base64.b64encode(b"HTTP_User_1:change-me-1").decode()
    request = urllib.request.Request("http://127.0.0.1:9509/api", form, {"Authorization": "Basic " + login})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read().decode()
` + "```" + `

Node:

` + "```js" + `
// ozswitch sends a command and gives the answer, an XML document.
async function ozswitch(command, parameters) {
  const answer = await fetch("http://127.0.0.1:9509/api", {
    method: "POST",
    headers: { Authorization: "Basic " + btoa("HTTP_User_1:change-me-1") },
    body: new URLSearchParams({ command, ...parameters }),
  });
  return answer.text();
}
` + "```" + `

Go:

` + "```go" + `
package main

import (
	"io"
	"net/http"
	"net/url"
	"strings"
)

// ozswitch sends a command and gives the answer, an XML document.
func ozswitch(command string, parameters url.Values) (string, error) {
	parameters.Set("command", command)
	r, err := http.NewRequest(http.MethodPost, "http://127.0.0.1:9509/api", strings.NewReader(parameters.Encode()))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("HTTP_User_1", "change-me-1")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	return string(b), err
}
` + "```" + `

## Commands

` + "`Qz81x`" + ` stands for the id of a call that is up: ListActiveCalls lists them, every notification has it.
`
