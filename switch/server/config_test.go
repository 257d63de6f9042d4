package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"ozswitch/internal/golden"
)

func TestContractSample(t *testing.T) {
	c, ps := Load("testdata/contract.yaml", nil)
	if c == nil || len(ps) != 1 || !ps[0].Warning || !strings.Contains(ps[0].Msg, "no extension 1002") {
		t.Fatalf("Load = %v, want only a warning about 1002", ps)
	}
	for _, x := range []struct{ got, want any }{
		{c.Data, "./ozswitch-data"},
		{c.SIP.Listen, []Listen{{"udp", "127.0.0.1:5060"}, {"tcp", "127.0.0.1:5060"}}},
		{c.RTP.Ports, Ports{20000, 29998}},
		{c.RTP.Timeout, Duration(time.Minute)},
		{c.HTTP.Auth, "required"},
		{c.Users[0], User{Name: "HTTP_User_1", Password: "qwe123", API: true, URLs: "allowed"}},
		{len(c.Extensions), 8},
		{c.Extensions[1].URL, "http://127.0.0.1:8080/ivr.php"},
		{c.Extensions[3].RingTime, Duration(20 * time.Second)},
		{c.Extensions[6].Strategy, "longest-idle"},
		{c.Lines[0].CallerID, "+3612345678"},
		{c.Lines[0].Codecs, []string{"PCMA", "PCMU"}},
		{c.Dialplan[0], Rule{From: "extension", Match: "00*", To: Names{"carrier"}, Strip: 2, Prepend: "+", RingTime: Duration(time.Minute), Ring: "all"}},
		{c.Limits.Body, Size(1 << 20)},
		{c.Limits.Call, Duration(4 * time.Hour)},
		{c.Log.Sound, "off"},
		{c.Retention, Retention{Calls: Duration(30 * 24 * time.Hour), SpeechCache: 1 << 30, MinFree: 5}},
	} {
		if !reflect.DeepEqual(x.got, x.want) {
			t.Errorf("got %+v, want %+v", x.got, x.want)
		}
	}
}

func TestFullExample(t *testing.T) {
	c, ps := Load("../../examples/full.yaml", nil)
	if c == nil || len(ps) != 0 {
		t.Fatalf("Load = %v, want no remark", ps)
	}
	// It is complete: every key of Config stands in it.
	src, _ := os.ReadFile("../../examples/full.yaml")
	var keys func(reflect.Type)
	keys = func(rt reflect.Type) {
		switch {
		case rt.Kind() == reflect.Slice:
			keys(rt.Elem())
		case rt.Kind() == reflect.Struct && rt.PkgPath() == reflect.TypeFor[Config]().PkgPath():
			for f := range rt.Fields() {
				if k := f.Tag.Get("yaml"); k != "" {
					// How several destinations ring, and the strategy of a queue, are
					// told in the manual: one line shows one of them.
					if !strings.Contains(string(src), k+":") && k != "ring" {
						t.Errorf("examples/full.yaml has no key %s", k)
					}
					keys(f.Type)
				}
			}
		}
	}
	keys(reflect.TypeFor[Config]())
}

// An empty file is Default; Default is what the contract's sample spells out.
func TestDefault(t *testing.T) {
	for _, src := range []string{"", "# nothing\n", "---\n", "\xef\xbb\xbf", "~\n"} {
		c, ps := Parse("empty.yaml", []byte(src), nil)
		if len(ps) != 0 || !reflect.DeepEqual(c, Default()) {
			t.Errorf("Parse(%q) = %+v, %v, want Default", src, c, ps)
		}
	}
	sample, _ := Load("testdata/contract.yaml", nil)
	sample.Users, sample.Extensions, sample.Lines, sample.Dialplan = nil, nil, nil, nil
	d := Default()
	sample.SIP.Listen = d.SIP.Listen
	sample.HTTP.Allowed, sample.HTTP.Denied, sample.HTTP.Origins, sample.HTTP.Proxies, sample.Web.Allow = nil, nil, nil, nil, nil
	if !reflect.DeepEqual(sample, d) {
		t.Errorf("the sample is\n%+v\nDefault is\n%+v", sample, d)
	}
	if ps := d.Validate(); len(ps) != 0 {
		t.Errorf("Default: %v", ps)
	}
	var zero Config
	zero.Fill()
	if ps := zero.Validate(); ps.Err() != nil {
		t.Errorf("the zero Config, filled: %v", ps)
	}
}

// cases gives the configurations of testdata/problems.txt, by name.
func cases(t testing.TB) (names, sources []string) {
	src, err := os.ReadFile("testdata/problems.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(string(src), "\n-- ")[1:] {
		name, yaml, ok := strings.Cut(part, " --\n")
		if !ok {
			t.Fatalf("testdata/problems.txt: %q has no end of its name", part)
		}
		names, sources = append(names, name), append(sources, yaml+"\n")
	}
	return names, sources
}

func TestProblems(t *testing.T) {
	env := func(string) (string, bool) { return "", false }
	var got strings.Builder
	names, sources := cases(t)
	for i, name := range names {
		c, ps := Parse("x.yaml", []byte(sources[i]), env)
		if (c == nil) != (ps.Err() != nil) {
			t.Errorf("%s: Config %v with problems %v", name, c, ps)
		}
		said := "fine"
		if len(ps) > 0 {
			said = ps.Error()
		}
		fmt.Fprintf(&got, "-- %s --\n%s\n", name, said)
	}
	golden.File(t, "testdata/problems.want", []byte(got.String()))
	if ps := Check("testdata/no such file.yaml", nil); len(ps) != 1 || ps[0].Warning {
		t.Errorf("a missing file: %v", ps)
	}
}

// What looks like a number stays as it is written where a text is wanted.
func TestTexts(t *testing.T) {
	c, ps := Parse("x.yaml", []byte(`
users: [{name: yes, password: 0123456789}]
extensions:
  - {number: 0044, type: echo, name: 1e3}
  - {number: 1001, password: 12345678}
  - {number: 9200, type: ringgroup, members: [1001, 0044]}
lines: [{name: 1, address: 10.0.0.7, user: 0036, caller_id: +3612345678}]
dialplan:
  - {match: 00, to: [1, 0044], prepend: +36}
  - {from: 1, to: 0044}
web: &w {secret: 0x10}
`), nil)
	if c == nil {
		t.Fatal(ps)
	}
	got := []string{c.Users[0].Name, string(c.Users[0].Password), c.Extensions[0].Number, c.Extensions[0].Name, string(c.Extensions[1].Password),
		strings.Join(c.Extensions[2].Members, " "), c.Lines[0].Name, c.Lines[0].User, c.Lines[0].CallerID,
		c.Dialplan[0].Match, strings.Join(c.Dialplan[0].To, " "), c.Dialplan[0].Prepend, c.Dialplan[1].From, string(c.Web.Secret)}
	want := []string{"yes", "0123456789", "0044", "1e3", "12345678", "1001 0044", "1", "0036", "+3612345678", "00", "1 0044", "+36", "1", "0x10"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestSecrets(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "pw"), []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	src := "users:\n  - {name: a, password: file:pw}\n  - {name: b, password: env:PW}\n" +
		"extensions: [{number: 9, type: api, url: 'http://x/', secret: 'file:" + filepath.Join(dir, "pw") + "'}]\nweb: {secret: plain}\n"
	c, ps := Parse(filepath.Join(dir, "x.yaml"), []byte(src), func(n string) (string, bool) { return "from " + n, n == "PW" })
	if c == nil {
		t.Fatal(ps)
	}
	for i, want := range []Secret{"from a file", "from PW"} {
		if got := c.Users[i].Password; got != want {
			t.Errorf("users[%d].password = %q, want %q", i, string(got), string(want))
		}
	}
	if got := c.Extensions[0].Secret; got != "from a file" {
		t.Errorf("absolute path: %q", string(got))
	}
	// It is told by nothing that prints.
	var b bytes.Buffer
	fmt.Fprintf(&b, "%v %+v %#v %s %q", c.Users, c, c.Users[0].Password, c.Users[0].Password, c.Users[0].Password)
	json.NewEncoder(&b).Encode(c)
	if s := b.String(); strings.Contains(s, "from a file") || strings.Contains(s, "from PW") {
		t.Errorf("a secret is printed: %s", s)
	}
}

func TestDev(t *testing.T) {
	rand := bytes.NewReader(bytes.Repeat([]byte("0123456789abcdef"), 4))
	c, err := Dev(rand, "")
	if err != nil {
		t.Fatal(err)
	}
	if ps := c.Validate(); len(ps) != 0 || c.Public() {
		t.Errorf("Dev: %v, public %v", ps, c.Public())
	}
	if a, b := c.Users[0].Password, c.Extensions[0].Password; a == b || len(a) < 16 {
		t.Errorf("passwords %q and %q", string(a), string(b))
	}
	if e := c.Extensions[2]; e.Number != "9000" || e.Type != "script" {
		t.Errorf("9000 is %+v", e)
	}
	if c, _ := Dev(bytes.NewReader(make([]byte, 64)), "http://127.0.0.1:8080/x"); c.Extensions[2].Type != "api" || c.Extensions[2].URL == "" {
		t.Errorf("with a URL 9000 is %+v", c.Extensions[2])
	}
	if _, err := Dev(bytes.NewReader(nil), ""); err == nil {
		t.Error("without randomness: no error")
	}
}

func TestShift(t *testing.T) {
	c := Default()
	c.SIP.Listen = []Listen{{"udp", "127.0.0.1:5060"}, {"tls", "[::1]:5061"}}
	c.HTTP.PublicURL = "http://pbx.example:9509/x"
	if err := c.Shift(101); err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(c.SIP.Listen, c.HTTP.Listen, " ", c.HTTP.PublicURL, " ", c.RTP.Ports)
	if want := "[udp://127.0.0.1:5161 tls://[::1]:5162]127.0.0.1:9610 http://pbx.example:9610/x 20102-30099"; got != want {
		t.Errorf("shifted by 101: %s, want %s", got, want)
	}
	for _, n := range []int{60000, -6000, 40000} {
		if err := Default().Shift(n); err == nil {
			t.Errorf("Shift(%d): no error", n)
		}
	}
	c = Default()
	c.HTTP.Listen = "127.0.0.1:0"
	if err := c.Shift(7); err != nil || c.HTTP.Listen != "127.0.0.1:0" {
		t.Errorf("any free port becomes %s, %v", c.HTTP.Listen, err)
	}
}

func TestPublic(t *testing.T) {
	for _, c := range []struct {
		sip, http, url string
		proxies        bool
		want           bool
	}{
		{"127.0.0.1:5060", "127.0.0.1:9509", "", false, false},
		{"[::1]:5060", "localhost:9509", "http://localhost:9509", false, false},
		{"127.1.2.3:5060", "", "http://pbx.example", true, false},
		{"0.0.0.0:5060", "127.0.0.1:9509", "", false, true},
		{"[::]:5060", "127.0.0.1:9509", "", false, true},
		{":5060", "127.0.0.1:9509", "", false, true},
		{"127.0.0.1:5060", ":9509", "", false, true},
		{"127.0.0.1:5060", "192.168.0.1:9509", "", false, true},
		{"127.0.0.1:5060", "127.0.0.1:9509", "https://pbx.example", false, true},
		{"127.0.0.1:5060", "127.0.0.1:9509", "", true, true},
	} {
		x := &Config{SIP: SIP{Listen: []Listen{{"udp", c.sip}}}, HTTP: HTTP{Listen: c.http, PublicURL: c.url}}
		if c.proxies {
			x.HTTP.Proxies = []Net{{netip.MustParsePrefix("127.0.0.1/32")}}
		}
		if got := x.Public(); got != c.want {
			t.Errorf("Public with %+v = %v, want %v", c, got, c.want)
		}
	}
}

// The library takes a:80 in a list within {} for a key and a value.
func TestListsWithin(t *testing.T) {
	c, ps := Parse("x.yaml", []byte("http: {allowed: ['::1', fe80::/10]}\nweb: {allow: [a:80, 'b:90', c]}\n"+
		"sip: {listen: [udp://0.0.0.0:5060, tcp://a:5061]}\ndialplan: [{to: [a:b, 9000]}]\nlines: [{name: 'a:b', address: h}]\n"+
		"extensions: [{number: 9000, type: echo}]\n"), nil)
	if c == nil {
		t.Fatal(ps)
	}
	got := fmt.Sprint(c.HTTP.Allowed, c.Web.Allow, c.SIP.Listen, c.Dialplan[0].To)
	if want := "[::1/128 fe80::/10] [a:80 b:90 c] [udp://0.0.0.0:5060 tcp://a:5061] [a:b 9000]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDurations(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"0": 0, "20": 20 * time.Second, "1.5": 1500 * time.Millisecond, "60s": time.Minute, "30d": 720 * time.Hour, "1d12h": 36 * time.Hour, "4h30m": 270 * time.Minute,
	} {
		if got, err := ParseDuration(s); time.Duration(got) != want || err != nil {
			t.Errorf("ParseDuration(%q) = %v, %v, want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "-1", "-1s", "d", "1d-2h", "10 s", "NaN", "1e300", "Inf", "1w"} {
		if got, err := ParseDuration(s); err == nil {
			t.Errorf("ParseDuration(%q) = %v, want an error", s, got)
		}
	}
	for s, want := range map[string]Size{"0": 0, "4096": 4096, "64KiB": 65536, "1.5 MiB": 3 << 19, "1GB": 1e9, "2tib": 2 << 40} {
		if got, err := ParseSize(s); got != want || err != nil {
			t.Errorf("ParseSize(%q) = %d, %v, want %d", s, got, err, want)
		}
	}
	for _, s := range []string{"", "-1", "KiB", "1XiB", "99999999TiB", "1.2.3"} {
		if got, err := ParseSize(s); err == nil {
			t.Errorf("ParseSize(%q) = %d, want an error", s, got)
		}
	}
}

// FuzzParse: no crash; every problem has a message and, if it comes from a key
// of the file, a place within it; a Config that loads is filled and shifts.
func FuzzParse(f *testing.F) {
	for _, name := range []string{"testdata/contract.yaml", "../../examples/full.yaml"} {
		src, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	_, sources := cases(f)
	for _, src := range sources {
		f.Add([]byte(src))
	}
	f.Add([]byte("a: &a {b: *a}\nusers: *a\n<<: *a"))
	f.Fuzz(func(t *testing.T, src []byte) {
		if bytes.Contains(src, []byte("file:")) { // no reading of arbitrary files
			return
		}
		c, ps := Parse("x.yaml", src, nil)
		if (c == nil) != (ps.Err() != nil) {
			t.Fatalf("Config %v with problems %v", c, ps)
		}
		for _, p := range ps {
			if p.Msg == "" || p.Line > bytes.Count(src, []byte("\n"))+bytes.Count(src, []byte("\r"))+1 {
				t.Errorf("problem %+v", p)
			}
			_ = p.Excerpt()
		}
		if c != nil {
			_ = c.Shift(10)
		}
	})
}
