package message

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"github.com/linxGnu/gosmpp/data"
	"github.com/linxGnu/gosmpp/pdu"
)

// maxNonsense PDUs that cannot be read end a session.
const maxNonsense = 10

// A session is one connection that is bound. Its owner is the goroutine of
// SMPP.Run; one other only reads frames; those of Send write and wait.
type session struct {
	s      *SMPP
	conn   net.Conn
	writer chan struct{} // holds the right to write
	done   chan struct{} // closed at the end

	mu      sync.Mutex
	seq     int32
	waiting map[uint32]*pending

	nonsense int
	asked    uint32 // sequence number of the enquire_link that has no answer yet, 0 = none
}

type pending struct {
	answer chan answer // holds one
	took   func(id string)
}

type answer struct {
	id     string
	status uint32
}

// once is one connection, from dialling to its end. bound: it was of use. It
// is a recover boundary.
func (s *SMPP) once(ctx context.Context) (bound bool, err error) {
	defer func() {
		if v := recover(); v != nil {
			s.cfg.Log.Error("message: panic", "at", s.cfg.Address, "panic", v, "stack", string(debug.Stack()))
			err = &Fault{Place: s.place(), Cause: fmt.Sprint("panic: ", v)}
		}
		s.set(nil, err)
	}()
	dialing, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	conn, err := s.cfg.Dial(dialing, "tcp", s.cfg.Address)
	if err != nil {
		return false, netFault(s.place(), "sms.address", err)
	}
	defer conn.Close()
	if s.cfg.TLS != nil {
		conn = tls.Client(conn, s.cfg.TLS)
	}
	unwatch := context.AfterFunc(dialing, func() { conn.SetDeadline(time.Now()) })
	defer unwatch()
	se := &session{s: s, conn: conn, writer: make(chan struct{}, 1), done: make(chan struct{}), waiting: map[uint32]*pending{}}
	defer close(se.done)
	if err := se.bind(); err != nil {
		if f, ok := errors.AsType[*Fault](err); ok {
			return false, f
		}
		return false, netFault(s.place(), "sms.address", err)
	}
	if !unwatch() { // the time was over at the same moment
		return false, netFault(s.place(), "sms.address", context.DeadlineExceeded)
	}
	return true, se.serve(ctx)
}

// bind logs in (SMPP 3.4, 4.1.5). Only the header of the answer counts: many
// centres leave the body away when they refuse.
func (se *session) bind() error {
	p := pdu.NewBindRequest(pdu.Transceiver)
	p.SystemID, p.Password, p.SystemType = se.s.cfg.User, se.s.cfg.Password, se.s.cfg.SystemType
	p.SetSequenceNumber(se.next())
	if err := se.write(p); err != nil {
		return err
	}
	for range maxNonsense {
		f, err := readFrame(se.conn)
		if err != nil {
			return err
		}
		switch id := int32(f.command()); {
		case id == int32(data.GENERIC_NACK), id == int32(data.BIND_TRANSCEIVER_RESP):
			if f.status() != 0 || id == int32(data.GENERIC_NACK) {
				return statusFault(se.s.place(), f.status())
			}
			return nil
		}
	}
	return errors.New("it does not answer the bind")
}

// serve owns the session until it ends, and says why.
func (se *session) serve(ctx context.Context) (err error) {
	var wg sync.WaitGroup
	defer wg.Wait()
	defer se.conn.Close()
	frames, ended := make(chan frame), make(chan error, 1)
	stop := make(chan struct{})
	defer close(stop)
	wg.Go(func() { ended <- se.read(frames, stop) })

	se.s.set(se, nil)
	tell(se.s.cfg.Log, se.s.events.Link, error(nil))
	tick := time.NewTicker(se.s.cfg.EnquireLink)
	defer tick.Stop()
	var late <-chan time.Time // the answer to enquire_link is due
	for {
		select {
		case f := <-frames:
			if err := se.handle(f); err != nil {
				return err
			}
			if se.asked == 0 {
				late = nil
			}
		case err := <-ended:
			return netFault(se.s.place(), "sms.address", err)
		case <-late:
			return &Fault{Place: se.s.place(), Cause: fmt.Sprintf("it gave no sign of life for %v", se.s.cfg.Timeout), Cure: "see whether it is overloaded, or a firewall forgets connections"}
		case now := <-tick.C:
			for _, m := range se.s.join.expire(now) {
				tell(se.s.cfg.Log, se.s.events.Received, m)
			}
			if se.asked != 0 {
				continue
			}
			p := pdu.NewEnquireLink()
			p.SetSequenceNumber(se.next())
			se.asked = uint32(p.GetSequenceNumber())
			if err := se.write(p); err != nil {
				return netFault(se.s.place(), "sms.address", err)
			}
			late = time.After(se.s.cfg.Timeout)
		case <-ctx.Done():
			p := pdu.NewUnbind()
			p.SetSequenceNumber(se.next())
			_ = se.write(p) // as a courtesy
			return context.Cause(ctx)
		}
	}
}

// read hands over frames until the connection or the session ends. It runs in
// a goroutine of its own, looks at no content, and is a recover boundary.
func (se *session) read(frames chan<- frame, stop <-chan struct{}) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	for {
		f, err := readFrame(se.conn)
		if err != nil {
			return err
		}
		select {
		case frames <- f:
		case <-stop:
			return nil
		}
	}
}

// next gives a sequence number (SMPP 3.4, 5.1.4).
func (se *session) next() int32 {
	se.mu.Lock()
	defer se.mu.Unlock()
	if se.seq++; se.seq <= 0 {
		se.seq = 1
	}
	return se.seq
}

// write sends one PDU whole. After an error the connection is of no use.
func (se *session) write(p pdu.PDU) error {
	b := pdu.NewBuffer(nil)
	p.Marshal(b)
	timer := time.NewTimer(se.s.cfg.Timeout)
	defer timer.Stop()
	select {
	case se.writer <- struct{}{}:
		defer func() { <-se.writer }()
	case <-se.done:
		return net.ErrClosed
	case <-timer.C:
		return context.DeadlineExceeded
	}
	if err := se.conn.SetWriteDeadline(time.Now().Add(se.s.cfg.Timeout)); err != nil {
		return err
	}
	_, err := se.conn.Write(b.Bytes())
	if err != nil {
		se.conn.Close() // half a PDU may be out
	}
	return err
}

// ask sends p and waits for its answer; took is called with the id of a
// message that was taken, before anything that comes behind is looked at.
func (se *session) ask(ctx context.Context, p *pdu.SubmitSM, took func(id string)) (string, uint32, error) {
	w := &pending{answer: make(chan answer, 1), took: took}
	n := se.next()
	p.SetSequenceNumber(n)
	se.mu.Lock()
	se.waiting[uint32(n)] = w
	se.mu.Unlock()
	defer func() {
		se.mu.Lock()
		delete(se.waiting, uint32(n))
		se.mu.Unlock()
	}()
	if err := se.write(p); err != nil {
		return "", 0, netFault(se.s.place(), "sms.address", err)
	}
	timer := time.NewTimer(se.s.cfg.Timeout)
	defer timer.Stop()
	select {
	case a := <-w.answer:
		return a.id, a.status, nil
	case <-ctx.Done():
		return "", 0, context.Cause(ctx)
	case <-timer.C:
		return "", 0, netFault(se.s.place(), "sms.address", context.DeadlineExceeded)
	case <-se.done:
		select {
		case a := <-w.answer: // it came with the last bytes
			return a.id, a.status, nil
		default:
		}
		return "", 0, &Fault{Place: se.s.place(), Cause: "the connection broke before it answered"}
	}
}

// handle looks at one PDU. An error ends the session.
func (se *session) handle(f frame) error {
	switch data.CommandIDType(int32(f.command())) {
	case data.SUBMIT_SM_RESP, data.GENERIC_NACK:
		return se.answered(f)
	case data.ENQUIRE_LINK_RESP:
		if f.seq() == se.asked {
			se.asked = 0
		}
		return nil
	case data.ENQUIRE_LINK:
		p := pdu.NewEnquireLinkResp()
		p.SetSequenceNumber(int32(f.seq()))
		return se.respond(p)
	case data.UNBIND:
		p := pdu.NewUnbindResp()
		p.SetSequenceNumber(int32(f.seq()))
		_ = se.respond(p)
		return &Fault{Place: se.s.place(), Cause: "it ended the connection (unbind)"}
	case data.DELIVER_SM:
		if err := se.deliver(f); err != nil {
			return se.strange(f, data.ESME_RINVCMDLEN, err)
		}
		p := pdu.NewDeliverSMResp()
		p.SetSequenceNumber(int32(f.seq()))
		return se.respond(p)
	case data.UNBIND_RESP, data.ALERT_NOTIFICATION:
		return nil
	}
	return se.strange(f, data.ESME_RINVCMDID, fmt.Errorf("unknown command 0x%08X", f.command()))
}

func (se *session) respond(p pdu.PDU) error {
	if err := se.write(p); err != nil {
		return netFault(se.s.place(), "sms.address", err)
	}
	return nil
}

// strange answers what cannot be read (SMPP 3.4, 4.3), unless it is an answer
// itself.
func (se *session) strange(f frame, status data.CommandStatusType, err error) error {
	se.s.cfg.Log.Warn("message: a PDU cannot be read", "at", se.s.cfg.Address, "command", fmt.Sprintf("0x%08X", f.command()), "err", err)
	if se.nonsense++; se.nonsense >= maxNonsense {
		return &Fault{Place: se.s.place(), Cause: "it sends what cannot be read: " + plain(err.Error()), Err: err}
	}
	if f.command()&0x80000000 != 0 {
		return nil
	}
	p := pdu.NewGenericNack().(*pdu.GenericNack)
	p.CommandStatus = status
	p.SetSequenceNumber(int32(f.seq()))
	return se.respond(p)
}

// answered gives an answer to the one who waits for it, if there is one still.
func (se *session) answered(f frame) error {
	a := answer{status: f.status()}
	if f.command() == uint32(0x80000000) && a.status == 0 {
		a.status = uint32(data.ESME_RUNKNOWNERR)
	}
	if a.status == 0 {
		p, err := f.parse()
		if r, ok := p.(*pdu.SubmitSMResp); ok && err == nil {
			a.id = plain(r.MessageID)
		} else {
			return se.strange(f, data.ESME_RINVCMDLEN, err)
		}
	}
	se.mu.Lock()
	w := se.waiting[f.seq()]
	delete(se.waiting, f.seq())
	se.mu.Unlock()
	if w == nil {
		return nil // too late: it was counted as failed
	}
	if a.status == 0 {
		w.took(a.id)
	}
	w.answer <- a // holds one, and is taken from waiting once
	return nil
}
