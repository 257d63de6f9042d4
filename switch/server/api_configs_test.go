package server_test

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"ozswitch/internal/golden"
	"ozswitch/switch/server"
)

// An operator asks the HTTP API of a switch.
type operator struct {
	t          *testing.T
	s          *server.Server
	name, pass string
	told       strings.Builder // requests and answers
}

// ask sends one command and gives the code and the answer.
func (o *operator) ask(command string, nv ...string) (int, string) {
	o.t.Helper()
	v := url.Values{"command": {command}}
	for i := 0; i < len(nv); i += 2 {
		v.Set(nv[i], nv[i+1])
	}
	fmt.Fprintf(&o.told, "-- POST /api --\n%s\n\n", v.Encode())
	v.Set("Username", o.name)
	v.Set("Password", o.pass)
	a, err := http.PostForm("http://"+o.s.HTTPAddr()+"/api", v)
	if err != nil {
		o.t.Fatal(err)
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	var answer struct{ Code int }
	if err := xml.Unmarshal(b, &answer); err != nil || a.StatusCode != http.StatusOK {
		o.t.Fatalf("%s: HTTP %d %s, %v", command, a.StatusCode, b, err)
	}
	if err != nil {
		o.t.Fatal(err)
	}
	fmt.Fprintf(&o.told, "%s\n", b)
	return answer.Code, string(b)
}

// wants asks and compares the code, and parts of the answer.
func (o *operator) wants(code int, parts []string, command string, nv ...string) {
	o.t.Helper()
	got, answer := o.ask(command, nv...)
	if got != code {
		o.t.Errorf("%s %q: code %d, want %d:\n%s", command, nv, got, code, answer)
	}
	for _, p := range parts {
		if !strings.Contains(answer, p) {
			o.t.Errorf("%s %q: no %q in\n%s", command, nv, p, answer)
		}
	}
}

// sip is ConfigXML of a telephone as the vendor's clients write it.
func sip(id, password, enabled string) string {
	return fmt.Sprintf(`<Config knownType="SIPExtensionInfo"><AuthorizationName>%s</AuthorizationName><Password>%s</Password><Username>%[1]s</Username><Enabled>%[3]s</Enabled><ID>%[1]s</ID><UserID>user%[1]s</UserID></Config>`, id, password, enabled)
}

// office makes a switch by a copy of examples/office.yaml, on ports of its own.
func office(t *testing.T) (o *operator, file string, source *server.Source) {
	t.Helper()
	b, err := os.ReadFile("../../examples/office.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	text := "data: " + filepath.Join(dir, "data") + "\n" + strings.NewReplacer(
		`listen: ["udp://127.0.0.1:5060", "tcp://127.0.0.1:5060"]`, `listen: ["udp://127.0.0.1:0"]`,
		"rtp: {address: 127.0.0.1}", "rtp: {address: 127.0.0.1, webrtc_port: -1}\nhttp: {listen: \"127.0.0.1:0\"}",
		"office.example\n", "localhost\n", // the realm that the telephone of these tests knows
		"users:\n", "users:\n  - {name: clerk, password: \"env:PASS_clerk\", api: true}   # no admin\n",
		"register: true", "register: false",
	).Replace(string(b))
	file = filepath.Join(dir, "ozswitch.yaml")
	if err := os.WriteFile(file, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
	source = &server.Source{File: file, Getenv: func(n string) (string, bool) { return "secret of " + n, true }}
	c, ps := source.Load()
	if c == nil {
		t.Fatal(ps)
	}
	s, _ := runBy(t, c, source)
	return &operator{t: t, s: s, name: "admin", pass: "secret of PASS_console"}, file, source
}

func content(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestConfigs: the four commands change the running switch and its file, and leave
// every byte of it that is not the extension's.
func TestConfigs(t *testing.T) {
	o, file, _ := office(t)
	was := content(t, file)
	o.wants(200, nil, "AddConfig", "ExtensionType", "SIP", "ConfigXML", sip("2011", "kept apart", "true"))
	const line = `  - {number: "2011", type: phone, password: "kept apart", owner: user2011}` + "\n"
	after := `  - {number: "2999", type: echo}` + "\n"
	if got, want := content(t, file), strings.Replace(was, after, after+line, 1); got != want {
		t.Errorf("after AddConfig:\n%s", got)
	}
	phone := newTelephone(t, o.s.SIPAddrs()[0])
	want(t, phone.login("2011", "kept apart", 600), "200")
	o.wants(200, []string{"\n  <Config knownType=\"SIPExtensionInfo\">\n    <AuthorizationName>2011<", "<Password>***<", "<LastIPAddress>" + phone.conn.LocalAddr().String() + " (Udp)<", "<UserAgentName>by hand<", "<UserID>user2011<"},
		"GetConfig", "ExtensionId", "2011")
	o.wants(703, nil, "AddConfig", "ExtensionType", "SIP", "ConfigXML", sip("2011", "another one", "true"))

	// What is not named stays; another password must be proven anew.
	o.wants(200, nil, "ModifyConfig", "ExtensionType", "SIP", "ConfigXML", `<Config><ID>2011</ID><Password>***</Password><forward><busy>2900</busy></forward><Name>Nina &amp; Ned</Name></Config>`)
	o.wants(200, []string{"by hand", "<name>Nina &amp; Ned</name>", "<forward>\n      <busy>2900</busy>"}, "GetConfig", "ExtensionId", "2011")
	o.wants(200, nil, "ModifyConfig", "ExtensionType", "SIP", "ConfigXML", `<Config><ID>2011</ID><Password>a new one</Password></Config>`)
	o.wants(200, []string{"<LastIPAddress/>"}, "GetConfig", "ExtensionId", "2011")
	want(t, phone.login("2011", "kept apart", 600), "401")
	want(t, phone.login("2011", "a new one", 600), "200")
	o.wants(200, nil, "ModifyConfig", "ExtensionType", "SIP", "ConfigXML", `<Config><ID>2011</ID><Enabled>false</Enabled></Config>`)
	want(t, phone.login("2011", "a new one", 600), "401")
	if got := content(t, file); !strings.Contains(got, `{number: "2011", type: phone, password: "a new one", owner: user2011, forward: {busy: "2900"}, name: "Nina & Ned", enabled: false}`) {
		t.Errorf("after three times ModifyConfig:\n%s", got)
	}
	o.wants(200, nil, "RemoveConfig", "ExtensionId", "2011")
	o.wants(701, []string{"Configuration for type '2011' not found"}, "RemoveConfig", "ExtensionId", "2011")
	o.wants(701, []string{"Configuration for type '2011' not found"}, "GetConfig", "ExtensionId", "2011")
	if got := content(t, file); got != was {
		t.Errorf("after AddConfig and RemoveConfig:\n%s", got)
	}

	// In block style, with a comment on its line; and the answer of GetConfig can be
	// sent back.
	o.wants(200, []string{`knownType="QueueExtensionInfo"`, "<ID>2300<", "<members>2004<", "<members>2005<", "<announce>30s<"}, "GetConfig", "ExtensionId", "2300")
	_, answer := o.ask("GetConfig", "ExtensionId", "2300")
	config := regexp.MustCompile(`(?s)<Config.*</Config>`).FindString(answer)
	o.wants(200, nil, "ModifyConfig", "ExtensionType", "queue", "ConfigXML", config)
	o.wants(200, nil, "ModifyConfig", "ExtensionType", "Queue", "ConfigXML", `<Config><ID>2300</ID><members>2004</members><overflow/><Max>9</Max></Config>`)
	got := content(t, file)
	for _, part := range []string{"  - number: \"2300\"                                                                                # support\n", "    members: [\"2004\"]\n", "    max: 9\n", "  - {number: \"2400\", type: conference"} {
		if !strings.Contains(got, part) {
			t.Errorf("no %q in\n%s", part, got)
		}
	}
	if strings.Contains(got, "overflow") || !strings.Contains(got, "env:PASS_2004") {
		t.Errorf("after ModifyConfig:\n%s", got)
	}
	told := strings.ReplaceAll(o.told.String(), phone.conn.LocalAddr().String(), "192.0.2.7:5060")
	golden.File(t, "testdata/api_configs.txt", []byte(told))
}

// TestConfigsRefused: what cannot be changes nothing, and says why.
func TestConfigsRefused(t *testing.T) {
	o, file, source := office(t)
	was := content(t, file)
	add := func(kind, config string, code int, parts ...string) {
		t.Helper()
		o.wants(code, parts, "AddConfig", "ExtensionType", kind, "ConfigXML", config)
	}
	add("SIP", `<Config><ID>2011</ID><Password>x`, 702, "Invalid configuration for type 'SIP'", "<Detail>")
	add("SIP", `<Config><ID>2011</ID></Config>`, 702, "<Detail>", "password")
	add("SIP", `<Config><ID>20 11</ID><Password>long enough</Password></Config>`, 702, "is no number")
	add("SIP", `<Config><ID>2011</ID><Password>long enough</Password><Username>other</Username></Config>`, 702, "must be the ID")
	add("SIP", `<Config><ID>2011</ID><Password>env:HOME</Password></Config>`, 702, "file: or env:")
	add("SIP", `<Config><ID>2011</ID><Password>***</Password></Config>`, 702, "stands for a secret")
	add("SIP", `<Config><ID>2011</ID><Password>long enough</Password><Colour>red</Colour></Config>`, 702, "is no key of the configuration")
	add("SIP", `<Config><ID>2011</ID><Password>long enough</Password><pickup_grop>x</pickup_grop></Config>`, 702, "did you mean &lt;pickup_group&gt;?")
	add("SIP", `<Config><ID>2011</ID><Password>a</Password><Password>b</Password></Config>`, 702, "twice")
	add("SIP", `<Config><ID>2011</ID><Password>long enough</Password><Enabled>maybe</Enabled></Config>`, 702, "want true or false")
	add("SIP", `<Config><ID>2011</ID><Password>long enough</Password><forward>2900</forward></Config>`, 702, "holds elements")
	add("SIP", `<Config><ID>2011</ID><Password>long enough</Password><name><b>x</b></name></Config>`, 702, "holds text")
	add("api", `<Config><ID>9000</ID></Config>`, 702, "needs a url")
	add("api", `<Config><ID>9000</ID><url>ftp://x/</url></Config>`, 702, "no http or https URL")
	add("conference", `<Config><ID>9000</ID><max>-1</max></Config>`, 702, "whole number")
	add("queue", `<Config><ID>9000</ID><members>2001</members><ring_time>soon</ring_time></Config>`, 702, "is no duration")
	add("SIP", `<Config knownType="QueueExtensionInfo"><ID>2011</ID></Config>`, 702, "Invalid configuration for type 'SIP'", `want "SIPExtensionInfo"`)
	add("phone", `<Config><ID>2011</ID></Config>`, 702, "Invalid configuration for type 'SIP'")
	add("fax", `<Config><ID>9000</ID></Config>`, 302, "Missing or invalid parameter 'ExtensionType' for command 'AddConfig'")
	o.wants(702, []string{"there is no extension 2077"}, "ModifyConfig", "ExtensionType", "SIP", "ConfigXML", sip("2077", "long enough", "true"))
	o.wants(702, []string{"is of type Queue"}, "ModifyConfig", "ExtensionType", "SIP", "ConfigXML", sip("2300", "long enough", "true"))
	o.wants(702, []string{"dialplan[0]", "2200"}, "RemoveConfig", "ExtensionId", "2200")

	clerk := &operator{t: t, s: o.s, name: "clerk", pass: "secret of PASS_clerk"}
	for _, command := range []string{"AddConfig", "ModifyConfig", "GetConfig", "RemoveConfig"} {
		clerk.wants(306, []string{"User is not allowed to use API in ACL"}, command) // before its parameters
	}
	if got := content(t, file); got != was {
		t.Errorf("the file has changed:\n%s", got)
	}

	// A file that somebody edits: comments do not matter, keys do.
	edited := "# mine\n" + was
	if err := os.WriteFile(file, []byte(edited), 0o640); err != nil {
		t.Fatal(err)
	}
	add("SIP", sip("2011", "kept apart", "true"), 200)
	o.wants(200, nil, "RemoveConfig", "ExtensionId", "2011")
	if got := content(t, file); got != edited {
		t.Errorf("the comment of somebody else:\n%s", got)
	}
	changed := strings.Replace(edited, "Rita (reception)", "Rob (reception)", 1)
	if err := os.WriteFile(file, []byte(changed), 0o640); err != nil {
		t.Fatal(err)
	}
	add("SIP", sip("2011", "kept apart", "true"), 300, "has changed since it was loaded", "SIGHUP")
	if err := os.WriteFile(file, []byte("extensions: ["), 0o640); err != nil {
		t.Fatal(err)
	}
	add("SIP", sip("2011", "kept apart", "true"), 300, "has changed since it was loaded")
	if _, _, err := o.s.ReloadFile(); err == nil {
		t.Error("a broken file is loaded")
	}
	if err := os.WriteFile(file, []byte(changed), 0o640); err != nil {
		t.Fatal(err)
	}
	if _, _, err := o.s.ReloadFile(); err != nil {
		t.Error(err)
	}
	add("SIP", sip("2011", "kept apart", "true"), 200)

	// A secret that the file names has changed.
	source.Getenv = func(n string) (string, bool) { return "another secret of " + n, true }
	o.wants(300, []string{"has changed since it was loaded"}, "RemoveConfig", "ExtensionId", "2011")
	if names, err := filepath.Glob(filepath.Join(filepath.Dir(file), ".*")); err != nil || len(names) != 0 {
		t.Errorf("left over: %q, %v", names, err)
	}
}

// TestConfigsFile: a symbolic link stays one, the mode is kept, and where the
// folder cannot be written the running switch does not change either.
func TestConfigsFile(t *testing.T) {
	o, file, _ := office(t)
	real := filepath.Join(t.TempDir(), "real.yaml")
	if err := os.Rename(file, real); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, file); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(real, 0o604); err != nil {
		t.Fatal(err)
	}
	was := content(t, real)
	o.wants(200, nil, "AddConfig", "ExtensionType", "echo", "ConfigXML", `<Config knownType="echo"><ID>2998</ID></Config>`)
	link, err := os.Lstat(file)
	if err != nil || link.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", link.Mode(), err)
	}
	if about, err := os.Stat(real); err != nil || about.Mode().Perm() != 0o604 {
		t.Errorf("the mode is %v, %v", about.Mode(), err)
	}
	if !strings.Contains(content(t, real), `{number: "2998", type: echo}`) {
		t.Errorf("the file is\n%s", content(t, real))
	}
	o.wants(200, nil, "RemoveConfig", "ExtensionId", "2998")
	if content(t, real) != was {
		t.Error("the file is not as it was")
	}
	if os.Getuid() == 0 {
		return // may write everywhere
	}
	if err := os.Chmod(filepath.Dir(real), 0o500); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(filepath.Dir(real), 0o700)
	o.wants(300, []string{"must be writable"}, "AddConfig", "ExtensionType", "echo", "ConfigXML", `<Config><ID>2998</ID></Config>`)
	o.wants(701, nil, "GetConfig", "ExtensionId", "2998")
}

// TestConfigsTogether: requests at the same time follow one another; none is lost.
func TestConfigsTogether(t *testing.T) {
	o, file, source := office(t)
	was := content(t, file)
	const n = 12
	each := func(do func(o *operator, i int)) {
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() { do(&operator{t: t, s: o.s, name: o.name, pass: o.pass}, i) })
		}
		wg.Wait()
	}
	each(func(o *operator, i int) {
		if code, answer := o.ask("AddConfig", "ExtensionType", "echo", "ConfigXML", fmt.Sprintf(`<Config><ID>%d</ID></Config>`, 5000+i)); code != 200 {
			t.Errorf("%d: %s", i, answer)
		}
	})
	c, ps := source.Load()
	if c == nil || strings.Count(content(t, file), "type: echo") != n+1 {
		t.Fatalf("%v in\n%s", ps, content(t, file))
	}
	each(func(o *operator, i int) {
		if code, answer := o.ask("RemoveConfig", "ExtensionId", fmt.Sprint(5000+i)); code != 200 {
			t.Errorf("%d: %s", i, answer)
		}
	})
	if content(t, file) != was {
		t.Errorf("after as many RemoveConfig:\n%s", content(t, file))
	}
}

// TestConfigsWithoutFile: a switch without a file changes itself.
func TestConfigsWithoutFile(t *testing.T) {
	c := phones(t)
	c.Users = []server.User{{Name: "admin", Password: "of the admin", API: true, Admin: true}}
	s, _ := run(t, c)
	o := &operator{t: t, s: s, name: "admin", pass: "of the admin"}
	o.wants(200, nil, "AddConfig", "ExtensionType", "SIP", "ConfigXML", sip("1005", "five secret", "true"))
	five := newTelephone(t, s.SIPAddrs()[0])
	want(t, five.login("1005", "five secret", 600), "200")
	one := newTelephone(t, s.SIPAddrs()[0])
	want(t, one.login("1001", "one secret", 600), "200")
	o.wants(200, nil, "ModifyConfig", "ExtensionType", "SIP", "ConfigXML", `<Config><ID>1005</ID><name>Eve</name><forward><always>1001</always></forward></Config>`)
	o.wants(200, nil, "ModifyConfig", "ExtensionType", "SIP", "ConfigXML", `<Config><ID>1005</ID><forward><busy>1002</busy><always/></forward></Config>`)
	o.wants(200, []string{"<name>Eve</name>", "<busy>1002</busy>", "by hand"}, "GetConfig", "ExtensionId", "1005")
	if _, answer := o.ask("GetConfig", "ExtensionId", "1005"); strings.Contains(answer, "always") {
		t.Errorf("a key that was taken away is there: %s", answer)
	}
	o.wants(200, nil, "RemoveConfig", "ExtensionId", "1005")
	want(t, five.login("1005", "five secret", 600), "401")
	want(t, one.login("1001", "one secret", 600), "200")
}

// TestNumberInFile: what a number runs is written into the file as well.
func TestNumberInFile(t *testing.T) {
	o, file, _ := office(t)
	o.wants(200, nil, "AddConfig", "ExtensionType", "api", "ConfigXML", `<Config knownType="api"><ID>9000</ID><url>http://127.0.0.1:8000/</url><name>IVR</name></Config>`)
	put := func(number, body string, code int, part string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://"+o.s.HTTPAddr()+"/v1/extensions/"+number, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth(o.name, o.pass)
		r.Header.Set("Content-Type", "application/json")
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		b, err := io.ReadAll(a.Body)
		if err != nil || a.StatusCode != code || !strings.Contains(string(b), part) {
			t.Errorf("PUT %s %s: %d %s, %v; want %d, %s", number, body, a.StatusCode, b, err, code, part)
		}
	}
	put("9000", `{"type":"api","url":"http://127.0.0.1:9000/x.php"}`, 200, "x.php")
	if !strings.Contains(content(t, file), `{number: "9000", type: api, url: "http://127.0.0.1:9000/x.php", name: "IVR"}`) {
		t.Errorf("the file is\n%s", content(t, file))
	}
	put("2300", `{"type":"api","url":"http://127.0.0.1:9000/x.php"}`, 409, "runs no script")
	put("9999", `{"type":"api","url":"http://127.0.0.1:9000/x.php"}`, 404, "9999")
	if err := os.WriteFile(file, []byte("users: []"), 0o640); err != nil {
		t.Fatal(err)
	}
	put("9000", `{"type":"api","url":"http://127.0.0.1:9000/y.php"}`, 409, "SIGHUP")
}
