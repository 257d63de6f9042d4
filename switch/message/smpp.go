package message

import (
	"context"
	"crypto/tls"
	"fmt"
	"hash/fnv"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/linxGnu/gosmpp/data"
	"github.com/linxGnu/gosmpp/pdu"
)

// SMPPConfig is the message centre (`sms:` of the configuration with type
// smpp).
type SMPPConfig struct {
	Address    string // host or host:port; port 2775 if not given
	User       string // system_id, at most 15 characters
	Password   string // at most 8 (SMPP 3.4, 4.1.1)
	SystemType string
	From       string      // sender of messages that have none; "" = the centre's choice
	TLS        *tls.Config // nil = in the clear

	// Dial connects; nil = a net.Dialer. TLS is put on top of it.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	EnquireLink time.Duration // a sign of life is asked for this often; 0 = 30 s
	Timeout     time.Duration // for connecting and for each answer; 0 = 10 s
	Window      int           // messages under way without an answer; 0 = 10
	Tries       int           // of a message that is throttled, 1, 2, 4 … s apart; 0 = 5
	Log         *slog.Logger  // nil = slog.Default
}

const (
	keepParts    = 24 * time.Hour // an incoming long message waits for its parts
	maxOpen      = 1000           // such messages
	keepReceipts = 72 * time.Hour // a message sent waits for its receipt
	maxReceipts  = 50_000         // parts
	maxBackoff   = time.Minute    // between attempts to connect
)

// SMPP sends and receives text messages by SMPP 3.4 as a transceiver. Use
// NewSMPP, then Run.
type SMPP struct {
	cfg    SMPPConfig
	events Events
	window chan struct{}

	mu     sync.Mutex
	cur    *session      // nil = not bound
	up     chan struct{} // closed while bound
	why    error         // of the last end
	refs   byte
	ledger *ledger

	join *joiner // of the goroutine of Run
}

// NewSMPP checks cfg and connects to nothing.
func NewSMPP(cfg SMPPConfig, ev Events) (*SMPP, error) {
	if cfg.Address == "" {
		return nil, wrong("sms.address", `for example sms: {type: smpp, address: "smsc.example.org:2775"}`, "no message centre is configured")
	}
	host, port, err := net.SplitHostPort(cfg.Address)
	if err != nil {
		host, port = cfg.Address, "2775"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || host == "" || strings.ContainsAny(host, "/ @") {
		return nil, wrong("sms.address", "write host or host:port", "%q is no address", cfg.Address)
	}
	cfg.Address = net.JoinHostPort(host, port)
	for _, f := range []struct {
		key, val string
		most     int
	}{{"sms.user", cfg.User, data.SM_SYSID_LEN - 1}, {"sms.password", cfg.Password, data.SM_PASS_LEN - 1}, {"sms.system_type", cfg.SystemType, data.SM_SYSTYPE_LEN - 1}} {
		if len(f.val) > f.most || strings.ContainsRune(f.val, 0) {
			return nil, wrong(f.key, "ask the operator of the message centre for a shorter one", "it is longer than the %d bytes that SMPP 3.4 allows", f.most)
		}
	}
	if cfg.From != "" && !isNumber(cfg.From) && !isAlphaNum(cfg.From) {
		return nil, wrong("sms.from", "write a number, or at most 11 letters and digits", "%q cannot be a sender", cfg.From)
	}
	if cfg.TLS != nil && cfg.TLS.ServerName == "" {
		cfg.TLS = cfg.TLS.Clone()
		cfg.TLS.ServerName = host
	}
	if cfg.Dial == nil {
		cfg.Dial = new(net.Dialer).DialContext
	}
	if cfg.EnquireLink <= 0 {
		cfg.EnquireLink = 30 * time.Second
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 10 * time.Second
	}
	if cfg.Window <= 0 {
		cfg.Window = 10
	}
	if cfg.Tries <= 0 {
		cfg.Tries = 5
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	return &SMPP{cfg: cfg, events: ev, window: make(chan struct{}, cfg.Window), up: make(chan struct{}),
		join: newJoiner(keepParts, maxOpen), ledger: newLedger(keepReceipts, maxReceipts)}, nil
}

// Run keeps the connection until ctx ends: it connects, binds, and after an end
// does so again, 1, 2, 4 … up to 60 s later. It returns nil when all that it
// started has ended.
func (s *SMPP) Run(ctx context.Context) error {
	defer func() {
		for _, m := range s.join.flush(time.Now()) {
			tell(s.cfg.Log, s.events.Received, m)
		}
	}()
	wait, told := time.Second, ""
	for {
		bound, err := s.once(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if bound {
			wait, told = time.Second, ""
		}
		if told != err.Error() {
			told = err.Error()
			tell(s.cfg.Log, s.events.Link, err)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
		wait = min(2*wait, maxBackoff)
	}
}

// set notes that se is bound, or (nil) why none is.
func (s *SMPP) set(se *session, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case se != nil:
		close(s.up)
	case s.cur != nil:
		s.up = make(chan struct{})
	}
	s.cur, s.why = se, why
}

func (s *SMPP) place() string { return "message centre " + s.cfg.Address }

// bound gives the session, waiting for one as long as for an answer.
func (s *SMPP) bound(ctx context.Context) (*session, error) {
	timer := time.NewTimer(s.cfg.Timeout)
	defer timer.Stop()
	for {
		s.mu.Lock()
		se, up := s.cur, s.up
		s.mu.Unlock()
		if se != nil {
			return se, nil
		}
		select {
		case <-up:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-timer.C:
			s.mu.Lock()
			why := s.why
			s.mu.Unlock()
			f := &Fault{Place: s.place(), Cause: "there is no connection", Err: why}
			if why != nil {
				f.Cause += " (" + why.Error() + ")"
			}
			return nil, f
		}
	}
}

// Send hands m to the message centre, in as many parts as it needs, and waits
// for the answer to each. It is sent anew as a whole after an error: the parts
// that went before carry the same reference if m has the same ID, so that a
// telephone knows them again.
func (s *SMPP) Send(ctx context.Context, m SMS) (string, error) {
	if m.From == "" {
		m.From = s.cfg.From
	}
	if err := checkSMS(m); err != nil {
		return "", err
	}
	sp, err := splitText(m.Text)
	if err != nil {
		return "", err
	}
	ref := s.reference(m.ID)
	track := &sent{sms: m, open: len(sp.parts)}
	track.sms.Text = ""
	first := ""
	for i := range sp.parts {
		p, err := submission(m, sp, i, ref)
		if err != nil {
			return "", err
		}
		id, err := s.submit(ctx, p, track)
		if err != nil {
			return "", err
		}
		if i == 0 {
			first = id
		}
	}
	return first, nil
}

// reference gives the number that the parts of a message share.
func (s *SMPP) reference(id string) byte {
	if id != "" {
		h := fnv.New32a()
		h.Write([]byte(id))
		return byte(h.Sum32())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refs++
	return s.refs
}

// submission makes the PDU of part i (SMPP 3.4, 4.4.1).
func submission(m SMS, sp split, i int, ref byte) (*pdu.SubmitSM, error) {
	p := pdu.NewSubmitSM().(*pdu.SubmitSM)
	var err error
	if p.SourceAddr, err = outAddress(m.From); err != nil {
		return nil, wrong("Sender", "make it shorter", "%v", err)
	}
	if p.DestAddr, err = outAddress(m.To); err != nil {
		return nil, wrong("Recipient", "make it shorter", "%v", err)
	}
	if m.Report {
		p.RegisteredDelivery = data.SM_SMSC_RECEIPT_REQUESTED
	}
	body := sp.parts[i]
	if n := len(sp.parts); n > 1 {
		body = append(concatHeader(ref, n, i+1), body...)
		p.EsmClass |= data.SM_UDH_GSM
	}
	enc := data.GSM7BIT
	if sp.alphabet == alphaUCS {
		enc = data.UCS2
	}
	if err := p.Message.SetMessageDataWithEncoding(body, enc); err != nil {
		return nil, wrong("Message", "", "%v", err)
	}
	return p, nil
}

// outAddress tells the kind of a number (SMPP 3.4, 5.2.5 and 5.2.6).
func outAddress(s string) (pdu.Address, error) {
	digits, international := strings.CutPrefix(s, "+")
	switch {
	case s == "":
		return pdu.NewAddressWithTonNpi(data.GSM_TON_UNKNOWN, data.GSM_NPI_UNKNOWN), nil
	case international:
		return pdu.NewAddressWithTonNpiAddr(data.GSM_TON_INTERNATIONAL, data.GSM_NPI_E164, digits)
	case !isNumber(s):
		return pdu.NewAddressWithTonNpiAddr(data.GSM_TON_ALPHANUMERIC, data.GSM_NPI_UNKNOWN, s)
	}
	return pdu.NewAddressWithTonNpiAddr(data.GSM_TON_UNKNOWN, data.GSM_NPI_E164, s)
}

// submit sends one part, again when the centre asks for patience.
func (s *SMPP) submit(ctx context.Context, p *pdu.SubmitSM, track *sent) (id string, err error) {
	wait := time.Second
	for try := 1; ; try++ {
		var status uint32
		id, status, err = s.ask(ctx, p, track)
		if err != nil || status == 0 {
			return id, err
		}
		f := statusFault(s.place(), status)
		if !isThrottle(status) || try == s.cfg.Tries {
			return "", f
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return "", context.Cause(ctx)
		}
		wait *= 2
	}
}

// ask sends p and waits for its answer.
func (s *SMPP) ask(ctx context.Context, p *pdu.SubmitSM, track *sent) (id string, status uint32, err error) {
	select {
	case s.window <- struct{}{}:
		defer func() { <-s.window }()
	case <-ctx.Done():
		return "", 0, context.Cause(ctx)
	}
	se, err := s.bound(ctx)
	if err != nil {
		return "", 0, err
	}
	// The receipt may come right behind the answer: the message must be known
	// before the next PDU is read.
	took := func(id string) {
		if track.sms.Report {
			s.mu.Lock()
			s.ledger.note(time.Now(), id, track)
			s.mu.Unlock()
		}
	}
	return se.ask(ctx, p, took)
}

func isThrottle(status uint32) bool {
	return status == uint32(data.ESME_RTHROTTLED) || status == uint32(data.ESME_RMSGQFUL)
}

// statusFault names a refusal (SMPP 3.4, 5.1.3).
func statusFault(place string, status uint32) *Fault {
	f := &Fault{Place: place, Code: int(status), Final: true,
		Cause: fmt.Sprintf("it refused: %s (0x%02X)", data.CommandStatusType(status).Desc(), status)}
	switch data.CommandStatusType(status) {
	case data.ESME_RTHROTTLED, data.ESME_RMSGQFUL:
		f.Final, f.Cure = false, "send fewer at a time, or ask its operator for more"
	case data.ESME_RSYSERR, data.ESME_RX_T_APPN, data.ESME_RINVBNDSTS, data.ESME_RSUBMITFAIL, data.ESME_RDELIVERYFAILURE, data.ESME_RUNKNOWNERR:
		f.Final = false
	case data.ESME_RINVPASWD, data.ESME_RINVSYSID, data.ESME_RBINDFAIL:
		f.Final, f.Cure = false, "correct sms.user and sms.password"
	case data.ESME_RALYBND:
		f.Final, f.Cure = false, "another program is connected with the same sms.user"
	case data.ESME_RINVDSTADR, data.ESME_RINVDSTTON, data.ESME_RINVDSTNPI:
		f.Place, f.Cure = "Recipient", "correct the number"
	case data.ESME_RINVSRCADR, data.ESME_RINVSRCTON, data.ESME_RINVSRCNPI:
		f.Place, f.Cure = "Sender", "use a sender that the operator has allowed"
	}
	return f
}
