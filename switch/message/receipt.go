package message

import (
	"strconv"
	"strings"
	"time"
)

// A note is a delivery receipt as it came.
type note struct {
	remote string
	state  State
	words  string
	final  bool
}

// receiptStates are the words of SMPP 3.4 appendix B, and the message_state
// values of 5.2.28.
var receiptStates = map[string]State{
	"DELIVRD": Delivered, "EXPIRED": Undelivered, "DELETED": Undelivered, "UNDELIV": Undelivered,
	"REJECTD": Undelivered, "UNKNOWN": Undelivered, "ACCEPTD": Waiting, "ENROUTE": Waiting,
}

var stateNumbers = [...]string{1: "ENROUTE", 2: "DELIVRD", 3: "EXPIRED", 4: "DELETED", 5: "UNDELIV", 6: "ACCEPTD", 7: "UNKNOWN", 8: "REJECTD"}

// readReceipt reads the text of a receipt (appendix B: "id:… sub:… stat:…
// err:…", in any order and letter case) and the optional parameters, which
// count more: the text is vendor specific.
func readReceipt(text, tlvID string, tlvState byte) (note, bool) {
	n := note{remote: strings.TrimSpace(tlvID)}
	low := strings.ToLower(text)
	field := func(name string) string {
		for from := 0; ; {
			i := strings.Index(low[from:], name+":")
			if i < 0 {
				return ""
			}
			i += from
			if i == 0 || low[i-1] == ' ' {
				v := text[i+len(name)+1:]
				if end := strings.IndexByte(v, ' '); end >= 0 {
					v = v[:end]
				}
				return v
			}
			from = i + 1
		}
	}
	// What follows "text:" is the beginning of the message, not of the receipt.
	if i := strings.Index(low, " text:"); i >= 0 && len(low) == len(text) {
		low, text = low[:i], text[:i]
	}
	if len(low) != len(text) { // letters that change their length: not ASCII, hence no receipt
		low, text = "", ""
	}
	if n.remote == "" {
		n.remote = field("id")
	}
	stat := strings.ToUpper(field("stat"))
	if int(tlvState) < len(stateNumbers) && stateNumbers[tlvState] != "" {
		stat = stateNumbers[tlvState]
	}
	n.state = receiptStates[stat]
	if n.remote == "" || n.state == "" {
		return note{}, false
	}
	n.words = stat
	if e := field("err"); strings.Trim(e, "0") != "" {
		n.words += ", error " + plain(e)
	}
	n.final = n.state != Waiting
	return n, true
}

// A ledger knows which remote id is a part of which message, so that receipts
// find their way. It is pure and has one owner at a time.
type ledger struct {
	keep  time.Duration
	max   int
	byID  map[string]*sent
	order []ledgerRow // oldest first
}

type ledgerRow struct {
	remote string
	at     time.Time
}

type sent struct {
	sms   SMS // without Text
	open  int // parts not known to have arrived
	ended bool
}

func newLedger(keep time.Duration, max int) *ledger {
	return &ledger{keep: keep, max: max, byID: map[string]*sent{}}
}

// note remembers a part.
func (l *ledger) note(now time.Time, remote string, s *sent) {
	for len(l.order) > 0 && (len(l.order) >= l.max || now.Sub(l.order[0].at) > l.keep) {
		delete(l.byID, l.order[0].remote)
		l.order = l.order[1:]
	}
	if remote == "" {
		return
	}
	l.byID[remote] = s
	l.order = append(l.order, ledgerRow{remote, now})
}

// take gives the Receipt that a note makes; false when there is nothing to
// tell: a part of a long message, or one too many. from is whose telephone it
// is about.
func (l *ledger) take(now time.Time, n note, from, to string) (Receipt, bool) {
	r := Receipt{Remote: n.remote, State: n.state, Words: n.words, At: now, SMS: SMS{From: to, To: from}}
	key, s := l.find(n.remote, from)
	if s == nil {
		return r, true // another process sent it: its caller may know the id
	}
	r.ID, r.SMS = s.sms.ID, s.sms
	if n.final {
		delete(l.byID, key)
	}
	switch {
	case s.ended, n.state == Waiting && s.open > 1:
		return Receipt{}, false
	case n.state == Delivered:
		if s.open--; s.open > 0 {
			return Receipt{}, false
		}
	}
	s.ended = n.final
	return r, true
}

// find looks for the id as it is, then in the other number system: many
// services answer in one and report in the other. Such a guess must be about
// the same telephone.
func (l *ledger) find(remote, from string) (string, *sent) {
	if s := l.byID[remote]; s != nil {
		return remote, s
	}
	for _, base := range [][2]int{{10, 16}, {16, 10}} {
		v, err := strconv.ParseUint(remote, base[0], 64)
		if err != nil {
			continue
		}
		k := strconv.FormatUint(v, base[1])
		for _, k := range []string{k, strings.ToUpper(k)} {
			if s := l.byID[k]; s != nil && sameNumber(s.sms.To, from) {
				return k, s
			}
		}
	}
	return "", nil
}

// sameNumber compares the last digits: services change prefixes.
func sameNumber(a, b string) bool {
	n := min(len(a), len(b), 6)
	return n > 0 && a[len(a)-n:] == b[len(b)-n:]
}
