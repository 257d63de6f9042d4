package message

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/linxGnu/gosmpp/data"
	"github.com/linxGnu/gosmpp/pdu"
)

func TestGSMAlphabet(t *testing.T) {
	for _, c := range []struct {
		text string
		want string // hex of the septets, "" = not in the alphabet
	}{
		{"Hi @£", "4869200001"},
		{"€[]{}\\^~|\f", "1b651b3c1b3e1b281b291b2f1b141b3d1b401b0a"},
		{"Üdv, Äß!", "5e64762c205b1e21"},
		{"szép", "737a0570"},
		{"ő", ""},
		{"ç", ""}, // 0x09 is the capital one
		{"\x1b", ""},
	} {
		b, ok := gsmEncode(c.text)
		if got := fmt.Sprintf("%x", b); got != c.want || ok != (c.want != "") {
			t.Errorf("gsmEncode(%q) = %s, %v, want %s", c.text, got, ok, c.want)
		}
	}
	for _, c := range []struct{ hex, want string }{
		{"1b", ""}, {"1b1b", " "}, {"1b41", "A"}, {"ff", "\uFFFD"}, {"411b65", "A€"},
	} {
		var b []byte
		fmt.Sscanf(c.hex, "%x", &b)
		if got := gsmDecode(b); got != c.want {
			t.Errorf("gsmDecode(%s) = %q, want %q", c.hex, got, c.want)
		}
	}
}

// FuzzGSM: what is encoded is read back; the library, which is another's work,
// agrees wherever it has an opinion.
func FuzzGSM(f *testing.F) {
	for _, s := range []string{"", "Hello", "€uro {x}", "ő", "\x1b", "日本", "@\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_ = gsmDecode([]byte(s)) // no crash
		_ = ucsDecode([]byte(s))
		if !utf8.ValidString(s) {
			return
		}
		if got := ucsDecode(ucsEncode(s)); got != s {
			t.Errorf("UCS-2 of %q came back as %q", s, got)
		}
		b, ok := gsmEncode(s)
		theirs, err := data.GSM7BIT.Encode(s)
		if ok != (err == nil) || ok && !bytes.Equal(b, theirs) {
			t.Errorf("gsmEncode(%q) = %x %v, the library %x %v", s, b, ok, theirs, err)
		}
		if ok && gsmDecode(b) != s {
			t.Errorf("GSM of %q came back as %q", s, gsmDecode(b))
		}
	})
}

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		name, text string
		alphabet   alphabet
		want       []int // octets of the parts
	}{
		{"empty", "", alphaGSM, []int{0}},
		{"one full", strings.Repeat("a", 160), alphaGSM, []int{160}},
		{"one too many", strings.Repeat("a", 161), alphaGSM, []int{153, 8}},
		{"escape at the cut", strings.Repeat("a", 152) + "€" + strings.Repeat("a", 20), alphaGSM, []int{152, 22}},
		{"one full of UCS-2", strings.Repeat("ő", 70), alphaUCS, []int{140}},
		{"71 of UCS-2", strings.Repeat("ő", 71), alphaUCS, []int{134, 8}},
		{"pair at the cut", strings.Repeat("ő", 66) + "😀" + strings.Repeat("ő", 10), alphaUCS, []int{132, 24}},
	} {
		sp, err := splitText(c.text)
		var got []int
		for _, p := range sp.parts {
			got = append(got, len(p))
		}
		if err != nil || sp.alphabet != c.alphabet || !slices.Equal(got, c.want) {
			t.Errorf("%s: %d %v %v, want %d %v", c.name, sp.alphabet, got, err, c.alphabet, c.want)
		}
	}
	if _, err := splitText(strings.Repeat("a", 255*153)); err != nil {
		t.Errorf("255 parts: %v", err)
	}
	if _, err := splitText(strings.Repeat("a", 255*153+1)); !IsFinal(err) {
		t.Errorf("256 parts: %v, want a final fault", err)
	}
}

// FuzzSplitJoin: a text goes through parts in any order, some twice, and is the
// same again.
func FuzzSplitJoin(f *testing.F) {
	f.Add("short", uint64(1), byte(7))
	f.Add(strings.Repeat("0123456789€", 60), uint64(2), byte(0))
	f.Add(strings.Repeat("日本語😀", 60), uint64(3), byte(255))
	f.Fuzz(func(t *testing.T, s string, seed uint64, ref byte) {
		if !utf8.ValidString(s) {
			return
		}
		sp, err := splitText(s)
		if err != nil {
			return
		}
		r := rand.New(rand.NewPCG(seed, 1))
		order := r.Perm(len(sp.parts))
		if len(order) > 1 {
			order = append([]int{order[0]}, order...)
		}
		j := newJoiner(time.Hour, 2)
		var got []SMS
		for _, i := range order {
			if len(got) > 0 {
				t.Fatal("finished before the last part")
			}
			body := sp.parts[i]
			var where part
			if n := len(sp.parts); n > 1 {
				if len(body)+6 > 159 {
					t.Fatalf("part of %d octets", len(body))
				}
				if where, body, err = readHeader(append(concatHeader(ref, n, i+1), body...)); err != nil || where != (part{uint16(ref), n, i + 1}) {
					t.Fatalf("header: %v %v", where, err)
				}
			}
			text, _ := sp.alphabet.text(body)
			got = append(got, j.add(time.Time{}, "+1", "2", where, text)...)
		}
		if len(got) != 1 || got[0].Text != s || got[0].Incomplete {
			t.Fatalf("%q came back as %+v", s, got)
		}
		if len(j.open) != 0 {
			t.Fatal("something is left in the joiner")
		}
	})
}

func TestJoinKeepsHalves(t *testing.T) {
	j := newJoiner(time.Hour, 2)
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	p := func(ref uint16, n int) part { return part{ref, 3, n} }
	j.add(start, "a", "b", p(1, 1), "one")
	j.add(start.Add(time.Minute), "a", "b", p(2, 3), "three")
	got := j.add(start.Add(2*time.Minute), "a", "b", p(3, 2), "two") // the oldest makes room
	if len(got) != 1 || got[0].Text != "one…" || !got[0].Incomplete {
		t.Errorf("made room with %+v", got)
	}
	if got := j.expire(start.Add(30 * time.Minute)); len(got) != 0 {
		t.Errorf("too early: %+v", got)
	}
	got = j.expire(start.Add(61 * time.Minute))
	if len(got) != 1 || got[0].Text != "…three" {
		t.Errorf("expired %+v", got)
	}
	if got := j.flush(start); len(got) != 1 || got[0].Text != "…two…" {
		t.Errorf("flushed %+v", got)
	}
}

func TestReadHeader(t *testing.T) {
	for _, c := range []struct {
		hex  string
		want part
		text string
		bad  bool
	}{
		{"0500034e0201" + "4142", part{0x4e, 2, 1}, "AB", false},
		{"060804abcd0302" + "41", part{0xabcd, 3, 2}, "A", false},
		{"0b0500034e02020501020304" + "41", part{}, "", true}, // an element longer than the header
		{"0b05040b8423f000034e0202" + "41", part{0x4e, 2, 2}, "A", false},
		{"050003010305" + "41", part{}, "A", false}, // part 5 of 3
		{"00" + "41", part{}, "A", false},
		{"", part{}, "", true},
		{"09", part{}, "", true},
		{"0100", part{}, "", true},
	} {
		var b []byte
		fmt.Sscanf(c.hex, "%x", &b)
		got, text, err := readHeader(b)
		if got != c.want || string(text) != c.text || (err != nil) != c.bad {
			t.Errorf("readHeader(%s) = %v %q %v, want %v %q", c.hex, got, text, err, c.want, c.text)
		}
	}
}

// message makes the bytes of a deliver_sm.
func message(change func(d *pdu.DeliverSM)) frame {
	d := pdu.NewDeliverSM().(*pdu.DeliverSM)
	d.SourceAddr, _ = pdu.NewAddressWithTonNpiAddr(1, 1, "36201234567")
	d.DestAddr, _ = pdu.NewAddressWithTonNpiAddr(0, 1, "9000")
	change(d)
	b := pdu.NewBuffer(nil)
	d.Marshal(b)
	return frame(b.Bytes())
}

func TestFrame(t *testing.T) {
	good := message(func(d *pdu.DeliverSM) {
		d.Message, _ = pdu.NewBinaryShortMessageWithEncoding([]byte{0x04, 0x11}, data.UCS2)
	})
	f, err := readFrame(bytes.NewReader(append(slices.Clone(good), good...)))
	if err != nil || !bytes.Equal(f, good) {
		t.Fatalf("readFrame = %x, %v", f, err)
	}
	if c, err := f.deliverCoding(); c != 8 || err != nil {
		t.Errorf("deliverCoding = %d, %v, want 8", c, err)
	}
	for cut := 1; cut < len(good); cut++ {
		if _, err := readFrame(bytes.NewReader(good[:cut])); err == nil {
			t.Fatalf("a PDU of %d of %d bytes is taken", cut, len(good))
		}
		if cut > 16 { // the same with a length that says so
			short := slices.Clone(good[:cut])
			binary.BigEndian.PutUint32(short, uint32(cut))
			if _, err := short.deliverCoding(); err == nil {
				t.Errorf("fields cut off after %d of %d bytes are taken", cut, len(good))
			}
		}
	}
	for _, n := range []uint32{0, 15, 64<<10 + 1, 1 << 31, 1<<32 - 1} {
		b := slices.Clone(good)
		binary.BigEndian.PutUint32(b, n)
		if _, err := readFrame(io.MultiReader(bytes.NewReader(b), forever{})); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("length %d: %v, want a refusal", n, err)
		}
	}
}

type forever struct{}

func (forever) Read(b []byte) (int, error) { return len(b), nil }

// FuzzFrame: whatever comes, the framer gives whole PDUs within the limits, and
// what is read from them does not crash.
func FuzzFrame(f *testing.F) {
	f.Add([]byte(message(func(d *pdu.DeliverSM) {})))
	f.Add([]byte(message(func(d *pdu.DeliverSM) {
		d.EsmClass = 0x40
		d.Message, _ = pdu.NewBinaryShortMessageWithEncoding([]byte("\x05\x00\x03\x01\x02\x01hi"), data.GSM7BIT)
	})))
	f.Add([]byte(message(func(d *pdu.DeliverSM) {
		d.EsmClass = 4
		d.RegisterOptionalParam(pdu.Field{Tag: pdu.TagReceiptedMessageID, Data: []byte("abc\x00")})
		d.RegisterOptionalParam(pdu.Field{Tag: pdu.TagMessagePayload, Data: []byte("id:1 stat:DELIVRD")})
	})))
	f.Add([]byte{0, 0, 0, 16, 0x80, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		for {
			fr, err := readFrame(r)
			if err != nil {
				return
			}
			if len(fr) < 16 || len(fr) > 64<<10 || int(binary.BigEndian.Uint32(fr)) != len(fr) {
				t.Fatalf("a frame of %d bytes", len(fr))
			}
			coding, cerr := fr.deliverCoding()
			p, err := fr.parse()
			if err != nil && strings.HasPrefix(err.Error(), "panic") {
				t.Logf("the library: %v", err)
			}
			d, ok := p.(*pdu.DeliverSM)
			if !ok || err != nil || cerr != nil {
				continue
			}
			body, where, err := userData(d)
			if err != nil {
				continue
			}
			if where.total != 0 && (where.number < 1 || where.number > where.total || where.total > 255) {
				t.Fatalf("part %+v", where)
			}
			text, _ := alphabetOf(coding).text(body)
			if !utf8.ValidString(text) {
				t.Fatalf("text %q", text)
			}
			readReceipt(text, "", 0)
		}
	})
}

func TestReadReceipt(t *testing.T) {
	for _, c := range []struct {
		text, id string
		state    byte
		want     string
	}{
		{"id:0123456789 sub:001 dlvrd:001 submit date:2601010000 done date:2601010001 stat:DELIVRD err:000 text:Hello id:9 stat:X", "", 0, "0123456789 Delivered DELIVRD"},
		{"ID:ab-1 STAT:expired ERR:012", "", 0, "ab-1 Failed EXPIRED, error 012"},
		{"id:7 stat:ACCEPTD", "", 0, "7 Waiting ACCEPTD"},
		{"id:7 stat:DELIVRD", "77", 5, "77 Failed UNDELIV"},
		{"", "77", 2, "77 Delivered DELIVRD"},
		{"xid:7 stat:DELIVRD", "", 0, "no"},
		{"id:7 stat:NEWS", "", 0, "no"},
		{"İİid:7 stat:DELIVRD", "", 0, "no"},
		{"", "", 2, "no"},
	} {
		n, ok := readReceipt(c.text, c.id, c.state)
		got := "no"
		if ok {
			got = fmt.Sprintf("%s %s %s", n.remote, n.state, n.words)
		}
		if got != c.want {
			t.Errorf("readReceipt(%q, %q, %d) = %s, want %s", c.text, c.id, c.state, got, c.want)
		}
	}
}

func TestLedger(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	l := newLedger(time.Hour, 3)
	long := &sent{sms: SMS{ID: "x", To: "+36201234567"}, open: 2}
	l.note(now, "255", long)
	l.note(now, "1a", long)
	take := func(id string, st State, from string) string {
		r, ok := l.take(now, note{remote: id, state: st, final: st != Waiting}, from, "9000")
		return fmt.Sprint(ok, " ", r.ID, " ", r.State)
	}
	for i, c := range []struct{ got, want string }{
		{take("255", Waiting, "36201234567"), "false  "},          // a part: nothing to tell yet
		{take("ff", Delivered, "36201234567"), "false  "},         // 255 in the other system; one part is still out
		{take("26", Delivered, "36209999999"), "true  Delivered"}, // 1a, but of another telephone: unknown
		{take("26", Delivered, "06201234567"), "true x Delivered"},
		{take("26", Delivered, "06201234567"), "true  Delivered"}, // told already, so unknown
	} {
		if c.got != c.want {
			t.Errorf("take %d: %s, want %s", i, c.got, c.want)
		}
	}
	one := func(id string) *sent { return &sent{sms: SMS{ID: id, To: "1"}, open: 1} }
	for _, id := range []string{"a1", "a2", "a3", "a4"} {
		l.note(now, id, one(id))
	}
	if l.byID["a1"] != nil || l.byID["a4"] == nil || len(l.order) != 3 {
		t.Errorf("of four in a ledger of three: %v", l.order)
	}
	l.note(now.Add(2*time.Hour), "a5", one("a5"))
	if len(l.byID) != 1 {
		t.Errorf("after two hours %d are kept, want 1", len(l.byID))
	}
}

func TestCheckSMS(t *testing.T) {
	for _, c := range []struct {
		s    SMS
		want string // place of the fault
	}{
		{SMS{To: "+36201234567", From: "Ozswitch", Text: "x"}, ""},
		{SMS{To: "112", Text: "x"}, ""},
		{SMS{To: "", Text: "x"}, "Recipient"},
		{SMS{To: "+", Text: "x"}, "Recipient"},
		{SMS{To: "+36 20", Text: "x"}, "Recipient"},
		{SMS{To: "123456789012345678901", Text: "x"}, "Recipient"},
		{SMS{To: "1", From: "a\x00b", Text: "x"}, "Sender"},
		{SMS{To: "1", From: "twelveletter", Text: "x"}, "Sender"},
		{SMS{To: "1", Text: ""}, "Message"},
		{SMS{To: "1", Text: "\xff"}, "Message"},
		{SMS{To: "1", Text: strings.Repeat("x", 33<<10)}, "Message"},
	} {
		err := checkSMS(c.s)
		f, _ := errors.AsType[*Fault](err)
		if c.want == "" && err != nil || c.want != "" && (f == nil || f.Place != c.want || !f.Final || f.Cure == "") {
			t.Errorf("checkSMS(%.60v) = %v, want a fault of %q", c.s, err, c.want)
		}
	}
}
