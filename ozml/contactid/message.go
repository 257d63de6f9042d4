package contactid

import (
	"fmt"
	"strings"
)

// A Qualifier says what became of an event; its value is the digit sent.
type Qualifier byte

// The qualifiers of Contact ID.
const (
	NewEvent     Qualifier = 1 // an alarm, a fault, or something opened
	NewRestore   Qualifier = 3 // it is over, or something closed
	StatusReport Qualifier = 6 // reported before, and still so
)

// String is the word OzML has for it.
func (q Qualifier) String() string {
	switch q {
	case NewEvent:
		return "NewEvent"
	case NewRestore:
		return "NewRestore"
	case StatusReport:
		return "StatusReport"
	}
	return fmt.Sprintf("Qualifier(%d)", byte(q))
}

// ParseQualifier reads a qualifier as OzML writes it, in any letter case, or as
// its digit; nothing means NewEvent.
func ParseQualifier(s string) (Qualifier, error) {
	s = strings.TrimSpace(s)
	for _, q := range []Qualifier{NewEvent, NewRestore, StatusReport} {
		if strings.EqualFold(s, q.String()) || s == string('0'+rune(q)) {
			return q, nil
		}
	}
	if s == "" {
		return NewEvent, nil
	}
	return 0, fmt.Errorf("%q is no event qualifier: write NewEvent, NewRestore or StatusReport", s)
}

// A Message is one report of a panel. The digits are 0-9 and B-F, in full width;
// there is no A, because Contact ID sends a 0 in its place (0 counts as ten).
// Make it by New or Parse; two messages are the same if they are ==.
type Message struct {
	Account   string // 4 digits: whose panel
	Qualifier Qualifier
	Event     string // 3 digits: what happened, see EventName
	Partition string // 2 digits: which part of the system, "00" for none
	Zone      string // 3 digits: which sensor, in events 4xx which user; "000" for none
}

// New makes a message of what a person or a script wrote: short numbers get zeros
// in front, small letters are taken as capitals. The error names the field, what
// is wrong with it and what to write.
func New(account, qualifier, event, partition, zone string) (Message, error) {
	q, err := ParseQualifier(qualifier)
	m := Message{Qualifier: q}
	for _, f := range []struct {
		to    *string
		name  string
		from  string
		width int
		exact bool
	}{
		{&m.Account, "account number", account, 4, true},
		{&m.Event, "event code", event, 3, false},
		{&m.Partition, "partition number", partition, 2, false},
		{&m.Zone, "zone number", zone, 3, false},
	} {
		if err == nil {
			*f.to, err = Field(f.name, f.from, f.width, f.exact)
		}
	}
	if err != nil {
		return Message{}, err
	}
	return m, nil
}

// Field checks one number of a message, called name in the error, and fills it up
// with zeros to width digits; exact says that there must be as many.
func Field(name, s string, width int, exact bool) (string, error) {
	digits := strings.ToUpper(strings.TrimSpace(s))
	want := fmt.Sprintf("up to %d digits", width)
	if exact {
		want = fmt.Sprintf("%d digits", width)
	}
	switch bad := strings.IndexFunc(digits, func(c rune) bool { return !strings.ContainsRune(Alphabet, c) }); {
	case digits == "":
		return "", fmt.Errorf("the %s is missing: write %s", name, want)
	case bad >= 0 && digits[bad] == 'A':
		return "", fmt.Errorf("the %s %q has an A, which Contact ID cannot send: write %s of 0-9 and B-F", name, s, want)
	case bad >= 0:
		return "", fmt.Errorf("the %s %q has %q in it: write %s of 0-9 and B-F", name, s, []rune(digits[bad:])[0], want)
	case len(digits) > width, exact && len(digits) < width:
		return "", fmt.Errorf("the %s %q has %d digits: write %s", name, s, len(digits), want)
	}
	return strings.Repeat("0", width-len(digits)) + digits, nil
}

// Alphabet is the digits of Contact ID. The place of a digit in it, from 1, is what
// it counts in the checksum: 0 is ten.
const Alphabet = "1234567890BCDEF"

// Length is how many digits a message has.
const Length = 16

// checksum is the digit that makes the sum of all a multiple of 15.
func checksum(digits string) byte {
	return Alphabet[14-sum(digits)%15]
}

func sum(digits string) (n int) {
	for i := range len(digits) {
		n += strings.IndexByte(Alphabet, digits[i]) + 1
	}
	return n
}

// Digits is the message as it is sent: account, 18 for Contact ID, qualifier,
// event, partition, zone and checksum; 16 in all.
func (m Message) Digits() string {
	s := m.Account + "18" + string('0'+rune(m.Qualifier)) + m.Event + m.Partition + m.Zone
	return s + string(rune(checksum(s)))
}

// Parse reads 16 digits; spaces between them count for nothing. The message type
// may be 18 or the older 98. The error says in words what is wrong.
func Parse(digits string) (Message, error) {
	s := strings.ToUpper(strings.Join(strings.Fields(digits), ""))
	if len(s) != Length {
		return Message{}, fmt.Errorf("%q has %d digits: a message has %d", digits, len(s), Length)
	}
	for i := range Length {
		if strings.IndexByte(Alphabet, s[i]) < 0 {
			return Message{}, fmt.Errorf("digit %d of %q is %q: Contact ID has 0-9 and B-F", i+1, digits, s[i])
		}
	}
	if sum(s)%15 != 0 {
		return Message{}, fmt.Errorf("%q has the checksum %c: with these digits it is %c, so at least one is wrong", digits, s[15], checksum(s[:15]))
	}
	if kind := s[4:6]; kind != "18" && kind != "98" {
		return Message{}, fmt.Errorf("%q is of type %s: Contact ID is type 18 or 98", digits, kind)
	}
	q, err := ParseQualifier(s[6:7])
	if err != nil {
		return Message{}, fmt.Errorf("%q has the qualifier %c: Contact ID has 1 (new event), 3 (restore) and 6 (status)", digits, s[6])
	}
	return Message{Account: s[:4], Qualifier: q, Event: s[7:10], Partition: s[10:12], Zone: s[12:15]}, nil
}

// String is the message in words: "account 1234: fire (110), new event, partition
// 01, zone 015".
func (m Message) String() string {
	became := map[Qualifier]string{NewEvent: "new event", NewRestore: "restored", StatusReport: "still so"}[m.Qualifier]
	where := "zone"
	if strings.HasPrefix(m.Event, "4") { // opening and closing: DC-05 has a user there
		where = "user"
		became = map[Qualifier]string{NewEvent: "opened", NewRestore: "closed", StatusReport: "still so"}[m.Qualifier]
	}
	return fmt.Sprintf("account %s: %s (%s), %s, partition %s, %s %s", m.Account, EventName(m.Event), m.Event, became, m.Partition, where, m.Zone)
}
