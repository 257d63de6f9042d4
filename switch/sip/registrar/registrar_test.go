package registrar

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

var (
	start = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	home  = netip.MustParseAddr("192.0.2.7")
)

func newAuth() *Auth {
	return NewAuth("pbx", []byte("secret"), []Account{NewAccount("1001", "pbx", "right", ""), NewAccount("1002", "pbx", "right", "sha-256"),
		NewAccount("1003", "pbx", "right", "both")})
}

// answer answers a challenge as a telephone does.
func answer(t *testing.T, challenge, user, password string, count int) string {
	t.Helper()
	c, err := digest.ParseChallenge(challenge)
	if err != nil {
		t.Fatal(err)
	}
	cred, err := digest.Digest(c, digest.Options{Method: "REGISTER", URI: "sip:pbx", Username: user, Password: password, Count: count})
	if err != nil {
		t.Fatal(err)
	}
	return cred.String()
}

func TestChallenges(t *testing.T) {
	a := newAuth()
	for user, want := range map[string]string{"1001": "MD5", "1002": "SHA-256", "1003": "SHA-256 MD5"} {
		got := ""
		for i, v := range a.Challenge(start, user, false) {
			c, err := digest.ParseChallenge(v)
			if err != nil || c.Realm != "pbx" || !c.SupportsQOP("auth") || c.Stale {
				t.Errorf("challenge %q: %v", v, err)
			}
			got = strings.TrimSpace(got + " " + c.Algorithm)
			if p := a.Check(start, home, "REGISTER", []string{answer(t, v, user, "right", i+1)}); p.Verdict != Good || p.User != user {
				t.Errorf("%s by %s: %+v, want good", user, c.Algorithm, p)
			}
		}
		if got != want {
			t.Errorf("%s is challenged by %q, want %q", user, got, want)
		}
	}
}

// TestNobodyLooksLikeSomebody: who does not exist is challenged as one who
// does, always the same way, and refused alike.
func TestNobodyLooksLikeSomebody(t *testing.T) {
	a := newAuth()
	kinds := map[int]int{}
	for i := range 60 {
		user := fmt.Sprint("nobody", i)
		first, again := a.Challenge(start, user, false), a.Challenge(start, user, false)
		if len(first) != len(again) {
			t.Errorf("%s is challenged differently each time", user)
		}
		kinds[len(first)]++
	}
	if kinds[1] == 0 || kinds[2] == 0 {
		t.Errorf("challenges by number of headers: %v, want both kinds", kinds)
	}
	md5 := a.Challenge(start, "1001", false)[0]
	wrong := a.Check(start, home, "REGISTER", []string{answer(t, md5, "1001", "wrong", 1)})
	nobody := a.Check(start, home, "REGISTER", []string{answer(t, md5, "nobody", "wrong", 1)})
	if wrong.Verdict != Wrong || nobody.Verdict != Wrong || wrong.Why == nobody.Why {
		t.Errorf("wrong password %+v, nobody %+v: want both wrong, told apart in Why only", wrong, nobody)
	}
}

func TestCheck(t *testing.T) {
	a := newAuth()
	md5 := a.Challenge(start, "1001", false)[0]
	good := answer(t, md5, "1001", "right", 1)
	for _, c := range []struct {
		name   string
		after  time.Duration
		method string
		header string
		want   Verdict
	}{
		{"nothing", 0, "REGISTER", "", None},
		{"Basic", 0, "REGISTER", "Basic abc", None},
		{"broken", 0, "REGISTER", `Digest username="a`, None},
		{"another realm", 0, "REGISTER", strings.Replace(good, `realm="pbx"`, `realm="x"`, 1), None},
		{"right", 0, "REGISTER", good, Good},
		{"once more", 0, "REGISTER", good, Stale},
		{"next count", 0, "REGISTER", answer(t, md5, "1001", "right", 2), Good},
		{"count back", 0, "REGISTER", answer(t, md5, "1001", "right", 1), Stale},
		{"jump", time.Minute, "REGISTER", answer(t, md5, "1001", "right", 9), Good},
		{"too old", 6 * time.Minute, "REGISTER", answer(t, md5, "1001", "right", 10), Stale},
		{"another method", 0, "INVITE", answer(t, md5, "1001", "right", 11), Wrong},
		{"made up nonce", 0, "REGISTER", answer(t, `Digest realm="pbx",nonce="abc",qop="auth"`, "1001", "right", 1), Stale},
		{"changed nonce", 0, "REGISTER", strings.Replace(good, "nonce=\"", "nonce=\"A", 1), Wrong},
		{"without qop", 0, "REGISTER", answer(t, strings.Replace(a.Challenge(start, "1001", false)[0], `, qop="auth"`, "", 1), "1001", "right", 0), Good},
		{"auth-int", 0, "REGISTER", answer(t, strings.Replace(md5, `qop="auth"`, `qop="auth-int"`, 1), "1001", "right", 20), Wrong},
		{"sha-256 where md5 is set", 0, "REGISTER", answer(t, strings.Replace(md5, "MD5", "SHA-256", 1), "1001", "right", 21), Wrong},
		{"empty password", 0, "REGISTER", answer(t, md5, "nobody", "", 22), Wrong},
	} {
		if got := a.Check(start.Add(c.after), home, c.method, []string{c.header}); got.Verdict != c.want {
			t.Errorf("%s: verdict %d (%s), want %d", c.name, got.Verdict, got.Why, c.want)
		}
	}
}

// TestFailedLoginsAreSlowed: ten free tries, then 1, 2, 4 ... 32 s between two;
// other sources are not touched, and time heals.
func TestFailedLoginsAreSlowed(t *testing.T) {
	a, now := newAuth(), start
	md5 := a.Challenge(now, "1001", false)[0]
	bad := answer(t, md5, "1001", "wrong", 1)
	var waits []time.Duration
	for range 10 {
		if p := a.Check(now, home, "REGISTER", []string{bad}); p.Verdict != Wrong {
			t.Fatalf("a free try: %+v", p)
		}
	}
	for range 8 {
		if p := a.Check(now, home, "REGISTER", []string{bad}); p.Verdict != Wrong {
			t.Fatalf("after its wait: %+v", p)
		}
		p := a.Check(now, home, "REGISTER", []string{answer(t, a.Challenge(now, "1001", false)[0], "1001", "right", 1)})
		if p.Verdict != Slow {
			t.Fatalf("at once again: %+v, want slow, also with the right password", p)
		}
		waits = append(waits, p.Wait)
		now = now.Add(p.Wait)
	}
	if got := fmt.Sprint(waits); got != "[1s 2s 4s 8s 16s 16s 16s 16s]" { // one try is forgotten in 10 s
		t.Errorf("waits %s", got)
	}
	if p := a.Check(now, netip.MustParseAddr("192.0.2.8"), "REGISTER", []string{answer(t, a.Challenge(now, "1001", false)[0], "1001", "right", 1)}); p.Verdict != Good {
		t.Errorf("another source: %+v, want good", p)
	}
	now = now.Add(10 * time.Minute)
	for range 10 {
		if p := a.Check(now, home, "REGISTER", []string{bad}); p.Verdict != Wrong {
			t.Errorf("ten minutes later: %+v", p)
		}
	}
}

func contact(t *testing.T, uri string, seconds int) Contact {
	t.Helper()
	c := Contact{Expires: time.Duration(seconds) * time.Second}
	uri, c.Instance, _ = strings.Cut(uri, "#")
	if err := sip.ParseUri(uri, &c.URI); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestTable is the life of an extension's bindings, step by step.
func TestTable(t *testing.T) {
	tab := NewTable()
	show := func(all []Binding) string {
		var s []string
		for _, b := range all {
			s = append(s, strings.TrimPrefix(b.Contact, "sip:"))
		}
		return strings.Join(s, " ")
	}
	type list []Contact
	for _, c := range []struct {
		name     string
		after    int // seconds from the start
		id       string
		seq      uint32
		star     bool
		contacts list
		want     string // bindings then
		changes  string
		refuse   int
	}{
		{"asks", 0, "x", 1, false, nil, "", "", 0},
		{"first", 0, "a", 1, false, list{contact(t, "sip:a@h", 60)}, "a@h", "registered", 0},
		{"the same copy", 1, "a", 1, false, list{contact(t, "sip:a@h", 60)}, "", "", 500},
		{"refreshed", 30, "a", 2, false, list{contact(t, "sip:%61@H", 60)}, "%61@H", "unregistered registered", 0},
		{"refreshed once more", 31, "a", 3, false, list{contact(t, "sip:%61@H", 60)}, "%61@H", "refreshed", 0},
		{"another port", 32, "b", 1, false, list{contact(t, "sip:a@h:5062", 600)}, "%61@H a@h:5062", "registered", 0},
		{"another transport", 33, "c", 1, false, list{contact(t, "sip:a@h;transport=tcp", 600)}, "%61@H a@h:5062 a@h;transport=tcp", "registered", 0},
		{"NUL is kept apart", 34, "d", 1, false, list{contact(t, "sip:a%00@h", 600)}, "%61@H a@h:5062 a@h;transport=tcp a%00@h", "registered", 0},
		{"one ran out, one removed", 100, "e", 1, false, list{contact(t, "sip:a%00@h", 0)}, "a@h:5062 a@h;transport=tcp", "expired unregistered", 0},
		{"unknown removed", 101, "f", 1, false, list{contact(t, "sip:zz@h", 0)}, "a@h:5062 a@h;transport=tcp", "", 0},
		{"star out of order", 102, "b", 1, true, nil, "", "", 500},
		{"star", 103, "b", 2, true, nil, "", "unregistered unregistered", 0},
		{"an instance", 104, "g", 1, false, list{contact(t, "sip:i@h:1#<urn:1>", 600)}, "i@h:1", "registered", 0},
		{"moves", 105, "h", 1, false, list{contact(t, "sip:i@h:2#<urn:1>", 600)}, "i@h:2", "unregistered registered", 0},
		{"eleven", 106, "i", 1, false, make(list, 11), "", "", 403},
	} {
		r := Request{Binding: Binding{User: "1001", CallID: c.id, CSeq: c.seq}, Star: c.star, Contacts: c.contacts}
		all, changes, refuse := tab.Register(start.Add(time.Duration(c.after)*time.Second), r)
		var what []string
		for _, ch := range changes {
			what = append(what, string(ch.What))
		}
		code := 0
		if refuse != nil {
			code = refuse.Code
		}
		if got := strings.Join(what, " "); show(all) != c.want || got != c.changes || code != c.refuse {
			t.Errorf("%s: %q, %s, %d; want %q, %s, %d", c.name, show(all), got, code, c.want, c.changes, c.refuse)
		}
	}
}

func TestTooManyContacts(t *testing.T) {
	tab := NewTable()
	for i := range 12 {
		now := start.Add(time.Duration(i) * time.Second)
		tab.Register(now, Request{Binding: Binding{User: "1", CallID: fmt.Sprint(i)}, Contacts: []Contact{contact(t, fmt.Sprintf("sip:%d@h", i), 600)}})
	}
	all := tab.Of(start, "1")
	if len(all) != MaxContacts || all[0].Contact != "sip:11@h" || all[9].Contact != "sip:2@h" {
		t.Errorf("%d bindings, %v ... ; want the ten latest", len(all), all)
	}
	if _, ok := tab.At(start, Place{"1", "sip:0@h"}); ok {
		t.Error("the oldest is still there")
	}
	if _, ok := tab.At(start, Place{"1", "sip:11@h"}); !ok {
		t.Error("the newest is not there")
	}
	if got := len(tab.Sweep(start.Add(605 * time.Second))); got != 4 {
		t.Errorf("%d ran out by then, want 4", got)
	}
	if got := len(tab.All(start.Add(605 * time.Second))); got != 6 {
		t.Errorf("%d left, want 6", got)
	}
}

// TestOneContactOfTwo: who registers with the contact of another takes nothing
// from him, neither by coming nor by leaving.
func TestOneContactOfTwo(t *testing.T) {
	tab := NewTable()
	register := func(user string, seconds int) {
		t.Helper()
		if _, _, no := tab.Register(start, Request{Binding: Binding{User: user, CallID: user, CSeq: uint32(1000 - seconds), UserAgent: "of " + user},
			Contacts: []Contact{contact(t, "sip:x@y.invalid", seconds)}}); no != nil {
			t.Fatal(no)
		}
	}
	have := func(user, want string) {
		t.Helper()
		b, _ := tab.At(start, Place{user, "sip:x@y.invalid"})
		if r, _ := tab.Reach(start, user, "sip:x@y.invalid;ob"); b.UserAgent != want || r.UserAgent != want {
			t.Errorf("%s has the telephone %q, and %q by its dialog, want %q", user, b.UserAgent, r.UserAgent, want)
		}
	}
	register("1001", 600)
	register("1002", 600)
	have("1001", "of 1001")
	have("1002", "of 1002")
	register("1002", 0)
	have("1001", "of 1001")
	have("1002", "")
	register("1002", 300)
	if b, ok := tab.Drop(Place{"1002", "sip:x@y.invalid"}); !ok || b.User != "1002" {
		t.Errorf("dropped %+v, %v", b, ok)
	}
	have("1001", "of 1001")
	if _, ok := tab.Drop(Place{"1002", "sip:x@y.invalid"}); ok {
		t.Error("dropped twice")
	}
}

// TestLatestFirst: the latest is who registered last, be it for shorter; to
// register again counts.
func TestLatestFirst(t *testing.T) {
	tab := NewTable()
	for i, c := range []struct {
		uri     string
		seconds int
		want    string
	}{{"sip:desk@h", 3600, "sip:desk@h"}, {"sip:tab@b.invalid", 600, "sip:tab@b.invalid"}, {"sip:desk@h", 3600, "sip:desk@h"}, {"sip:tab@b.invalid", 60, "sip:tab@b.invalid"}} {
		now := start.Add(time.Duration(i) * time.Second)
		tab.Register(now, Request{Binding: Binding{User: "1", CallID: c.uri, CSeq: uint32(i + 1)}, Contacts: []Contact{contact(t, c.uri, c.seconds)}})
		if got := tab.Of(now, "1")[0].Contact; got != c.want {
			t.Errorf("after step %d %s is first, want %s", i+1, got, c.want)
		}
	}
}

// TestAllOrNothing: of a REGISTER that is refused nothing is told either.
func TestAllOrNothing(t *testing.T) {
	tab := NewTable()
	old := contact(t, "sip:old@h", 600)
	tab.Register(start, Request{Binding: Binding{User: "1", CallID: "a", CSeq: 2}, Contacts: []Contact{old}})
	_, changes, no := tab.Register(start, Request{Binding: Binding{User: "1", CallID: "a", CSeq: 1}, Contacts: []Contact{contact(t, "sip:new@h", 600), old}})
	if no == nil || len(changes) != 0 || len(tab.Of(start, "1")) != 1 {
		t.Errorf("refused %v, told of %v", no, changes)
	}
}

func TestRestore(t *testing.T) {
	tab := NewTable()
	b := Binding{User: "1", Contact: "sip:a@h", Expires: start.Add(time.Minute)}
	if !tab.Restore(start, b) || tab.Restore(start.Add(time.Minute), b) || tab.Restore(start, Binding{User: "1", Contact: "<", Expires: b.Expires}) {
		t.Error("restored what must not be, or not what must")
	}
	if got := tab.Of(start, "1"); len(got) != 1 || got[0].Contact != b.Contact {
		t.Errorf("restored %v", got)
	}
}

// BenchmarkCheck is what a login costs. Budget: 10 us.
func BenchmarkCheck(b *testing.B) {
	b.ReportAllocs()
	a := newAuth()
	c, _ := digest.ParseChallenge(a.Challenge(start, "1001", false)[0])
	cred, _ := digest.Digest(c, digest.Options{Method: "REGISTER", URI: "sip:pbx", Username: "1001", Password: "right", Count: 1})
	header := []string{cred.String()}
	for b.Loop() {
		a.Check(start, home, "REGISTER", header)
	}
}

// TestSameURI is the comparison of contacts: the examples of RFC 3261 19.1.4, and
// what its rules say besides.
func TestSameURI(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp", true},
		{"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true},
		{"sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5", true},
		{"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com", "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com", true},
		{"sip:alice@atlanta.com?subject=project%20x&priority=urgent", "sip:alice@atlanta.com?priority=urgent&subject=project%20x", true},
		{"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", false},
		{"sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false},
		{"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false},
		{"sip:bob@biloxi.com", "sips:bob@biloxi.com", false},
		{"sip:bob:secret@biloxi.com", "sip:bob@biloxi.com", false},
		{"sip:bob@biloxi.com;security=on", "sip:bob@biloxi.com;security=off", false},
		{"sip:bob@biloxi.com;user=phone", "sip:bob@biloxi.com", false},
		{"sip:bob@biloxi.com;ttl=1", "sip:bob@biloxi.com", false},
		{"sip:bob@biloxi.com;maddr=192.0.2.1", "sip:bob@biloxi.com", false},
		{"sip:bob@biloxi.com?a=1&a=1", "sip:bob@biloxi.com?a=1&b=1", false},
		{"sip:bob@[2001:db8::1]:5060", "sip:bob@[2001:DB8::1]:5060", true},
	} {
		var a, b sip.Uri
		if err := sip.ParseUri(c.a, &a); err != nil {
			t.Fatalf("%s: %v", c.a, err)
		}
		if err := sip.ParseUri(c.b, &b); err != nil {
			t.Fatalf("%s: %v", c.b, err)
		}
		if sameURI(&a, &b) != c.want || sameURI(&b, &a) != c.want {
			t.Errorf("%s and %s: same %v, want %v", c.a, c.b, sameURI(&a, &b), c.want)
		}
	}
}

// TestPreferredFirst: q goes before the time (RFC 3261 20.10).
func TestPreferredFirst(t *testing.T) {
	tab := NewTable()
	for i, rank := range []int{500, 0, 900, 0} {
		c := contact(t, fmt.Sprintf("sip:%d@h", i), 600)
		c.Rank = rank
		tab.Register(start.Add(time.Duration(i)*time.Second), Request{Binding: Binding{User: "1", CallID: fmt.Sprint(i), Allow: "INVITE, message"}, Contacts: []Contact{c}})
	}
	got := ""
	for _, b := range tab.Of(start, "1") {
		got += strings.TrimPrefix(b.Contact, "sip:") + " "
		if !b.Allows("MESSAGE") || b.Allows("REFER") {
			t.Errorf("%s allows %q", b.Contact, b.Allow)
		}
	}
	if got != "3@h 1@h 0@h 2@h " {
		t.Errorf("in the order %s", got)
	}
	if b := (Binding{}); !b.Allows("REFER") {
		t.Error("one that did not say takes nothing")
	}
}

// TestWhy: what is wrong with a login is told in words, and what to do; what goes
// on and on is told once.
func TestWhy(t *testing.T) {
	a := newAuth()
	md5 := a.Challenge(start, "1001", false)[0]
	tell := func(want, do, header string) {
		t.Helper()
		p := a.Check(start, home, "REGISTER", []string{header})
		if !strings.Contains(p.Why, want) || want == "" && p.Why != "" || !strings.Contains(p.Do, do) {
			t.Errorf("%d: %q, %q; want %q, %q", p.Verdict, p.Why, p.Do, want, do)
		}
	}
	good := answer(t, md5, "1001", "right", 1)
	tell("", "", "")
	tell(`the domain "x"`, `wants "pbx"`, strings.Replace(good, `realm="pbx"`, `realm="x"`, 1))
	tell("wrong password", "enter the password", answer(t, md5, "1001", "wrong", 1))
	tell("no such extension", "the number of an extension", answer(t, md5, "4711", "wrong", 1))
	tell("does not use SHA-256", "digest: both", answer(t, strings.Replace(md5, "MD5", "SHA-256", 1), "1001", "right", 1))
	tell("", "", good)
	for range 3 {
		tell("", "", good)
	}
	tell("old challenges again and again", "restart", good)
	tell("", "", good)
	tell("", "", answer(t, md5, "1001", "right", 2))
	for range 3 {
		tell("", "", good)
	}
	tell("old challenges again and again", "restart", good)
	for range 8 {
		tell("wrong password", "", answer(t, md5, "1001", "wrong", 1))
	}
	tell("nothing is looked at for 1s", "every phone at that address", good)
	tell("", "", good)
}
