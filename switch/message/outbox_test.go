package message

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/emersion/go-smtp"

	"ozswitch/switch/queue"
	"ozswitch/switch/store"
	"ozswitch/switch/store/sqlite"
)

// A diary notes results: "kind id outcome try @time".
type diary struct {
	mu    sync.Mutex
	start time.Time
	lines []string
	all   []Result
}

func (d *diary) told(r Result) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = append(d.all, r)
	d.lines = append(d.lines, fmt.Sprintf("%s %s %s #%d @%v", r.Kind, r.ID, r.Outcome, r.Try, time.Since(d.start)))
}

func numbered() func() string {
	n := 0
	return func() string { n++; return fmt.Sprint("msg-", n) }
}

// runOutbox runs o until f has returned.
func runOutbox(t *testing.T, o *Outbox, f func()) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := o.Run(ctx); err != nil {
			t.Errorf("Run = %v", err)
		}
	})
	f()
	stop()
	wg.Wait()
}

// TestOutboxRetries: what may become better is tried again, in 1, 2, 4 s; what
// will not, is not. Each attempt is told, with the call that asked.
func TestOutboxRetries(t *testing.T) {
	tries := 0
	s := &mailServer{rcpt: func(to string) error {
		if to == "never@example.org" {
			return &smtp.SMTPError{Code: 550, Message: "no"}
		}
		if tries++; tries < 4 {
			return &smtp.SMTPError{Code: 451, Message: "later"}
		}
		return nil
	}}
	bubbleMail(t, s, func(m *Mailer) {
		d := &diary{start: time.Now()}
		o := NewOutbox(OutboxConfig{Mailer: m, NewID: numbered(), Told: d.told, Log: quiet()})
		runOutbox(t, o, func() {
			if id, err := o.Mail(Mail{To: []string{"a@example.org"}, Text: "x", Call: "q7Lx2"}); id != "msg-1" || err != nil {
				t.Errorf("Mail = %q, %v", id, err)
			}
			synctest.Wait()
			if _, err := o.Mail(Mail{To: []string{"never@example.org"}, Text: "x"}); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Minute)
			if o.Len() != 0 {
				t.Errorf("%d wait still", o.Len())
			}
		})
		want := []string{"mail msg-1 retry #1 @0s", "mail msg-2 failed #1 @0s", "mail msg-1 retry #2 @1s", "mail msg-1 retry #3 @3s", "mail msg-1 sent #4 @7s"}
		if !slices.Equal(d.lines, want) {
			t.Errorf("told %q, want %q", d.lines, want)
		}
		if r := d.all[0]; r.Call != "q7Lx2" || r.Mail == nil || !strings.Contains(r.Err.Error(), "451") || IsFinal(r.Err) {
			t.Errorf("first result %+v", r)
		}
		if !IsFinal(d.all[1].Err) || d.all[4].Err != nil {
			t.Errorf("errors %v, %v", d.all[1].Err, d.all[4].Err)
		}
	})
}

// TestOutboxGivesUp: after a day.
func TestOutboxGivesUp(t *testing.T) {
	s := &mailServer{mail: func(string) error { return &smtp.SMTPError{Code: 451, Message: "never ready"} }}
	bubbleMail(t, s, func(m *Mailer) {
		d := &diary{start: time.Now()}
		o := NewOutbox(OutboxConfig{Mailer: m, Told: d.told, Log: quiet()})
		runOutbox(t, o, func() {
			o.Mail(letterA)
			time.Sleep(25 * time.Hour)
		})
		r := d.all[len(d.all)-1]
		if r.Outcome != Failed || !IsFinal(r.Err) || !strings.Contains(r.Err.Error(), "given up after a day") || !strings.Contains(r.Err.Error(), "never ready") {
			t.Errorf("last result %+v", r)
		}
	})
}

// TestOutboxSMS: the message centre is down, then up; messages to one number
// keep their order.
func TestOutboxSMS(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &smsc{}
		down := true
		var mu sync.Mutex
		dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
			mu.Lock()
			defer mu.Unlock()
			if down {
				return nil, errors.New("no route to host")
			}
			return c.dial(ctx, network, addr)
		}
		e, ev := newEar()
		d := &diary{start: time.Now()}
		runSMPP(t, SMPPConfig{Address: "smsc.test", Dial: dial}, ev, func(s *SMPP) {
			o := NewOutbox(OutboxConfig{Sender: s, NewID: numbered(), Told: d.told, Log: quiet()})
			runOutbox(t, o, func() {
				for _, text := range []string{"one", "two", "three"} {
					if _, err := o.SMS(SMS{To: "+361", Text: text, Report: true, ReportURL: "http://app/dlr"}); err != nil {
						t.Error(err)
					}
				}
				time.Sleep(time.Minute)
				mu.Lock()
				down = false
				mu.Unlock()
				time.Sleep(10 * time.Minute)
				var got []string
				for _, s := range c.seen() {
					got = append(got, string(s.body))
				}
				if want := []string{"one", "two", "three"}; !slices.Equal(got, want) {
					t.Errorf("the centre has %q, want %q", got, want)
				}
				c.push(deliver(1, 4, 0, "id:m2 stat:DELIVRD"))
				if r := <-e.delivered; r.ID != "msg-2" || r.SMS.ReportURL != "http://app/dlr" || r.State != Delivered {
					t.Errorf("receipt %+v", r)
				}
			})
		})
		c.wg.Wait()
		last := d.all[len(d.all)-1]
		if last.ID != "msg-3" || last.Outcome != Sent || last.Remote != "m3" || last.SMS == nil {
			t.Errorf("last result %+v", last)
		}
		if r := d.all[0]; r.Outcome != Retry || !strings.Contains(r.Err.Error(), "no route to host") {
			t.Errorf("first result %+v", r)
		}
	})
}

// TestOutboxRefuses: what cannot be sent is refused at once, with words.
func TestOutboxRefuses(t *testing.T) {
	o := NewOutbox(OutboxConfig{})
	mail := Mail{From: "b@example.org", To: []string{"a@example.org"}}
	if _, err := o.Mail(mail); !IsFinal(err) || !strings.Contains(err.Error(), "no mail server is configured") {
		t.Errorf("Mail = %v", err)
	}
	if _, err := o.SMS(SMS{To: "1", Text: "x"}); !IsFinal(err) || !strings.Contains(err.Error(), "no SMS service is configured") {
		t.Errorf("SMS = %v", err)
	}
	s, err := NewSMPP(SMPPConfig{Address: "x"}, Events{})
	if err != nil {
		t.Fatal(err)
	}
	o = NewOutbox(OutboxConfig{Max: 1})
	o.Use(newMailer(t, MailConfig{Server: "mail.test"}), s)
	if _, err := o.SMS(SMS{To: "one", Text: "x"}); !IsFinal(err) {
		t.Errorf("a wrong number: %v", err)
	}
	if _, err := o.Mail(Mail{From: "b@example.org"}); !IsFinal(err) {
		t.Errorf("no recipient: %v", err)
	}
	if _, err := o.Mail(mail); err != nil {
		t.Errorf("the first: %v", err)
	}
	if _, err := o.Mail(mail); !errors.Is(err, queue.ErrFull) || IsFinal(err) {
		t.Errorf("one too many: %v", err)
	}
}

// TestOutboxRestart: what was not sent is sent by the next process, attachment
// and all; the reports of switch/notify in the same store are left alone, and
// so are ours by them.
func TestOutboxRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "oz.db")
	process := func(f func(db *sqlite.DB)) {
		t.Helper()
		db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		ctx, stop := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		wg.Go(func() { db.Run(ctx) })
		f(db)
		stop()
		wg.Wait()
	}
	s := &mailServer{}
	cfg := MailConfig{Server: s.start(t, nil, false), From: "oz@example.org", Open: fstest.MapFS{"a.txt": {Data: []byte("attached")}}.Open}
	process(func(db *sqlite.DB) {
		now := time.Now()
		if err := db.PutReport(store.Report{ID: "n1", Lane: "l", Seq: 1, Created: now, Due: now, Payload: []byte("{}")}); err != nil {
			t.Fatal(err)
		}
		tried := make(chan struct{}, 100)
		down := cfg
		down.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, io.ErrUnexpectedEOF }
		o := NewOutbox(OutboxConfig{Store: db, Mailer: newMailer(t, down), Told: func(Result) { tried <- struct{}{} }, Log: quiet()})
		runOutbox(t, o, func() {
			if _, err := o.Mail(Mail{To: []string{"a@example.org"}, Text: "kept", Attachments: []string{"a.txt"}}); err != nil {
				t.Fatal(err)
			}
			<-tried
		})
	})
	process(func(db *sqlite.DB) {
		var others []string
		for r, err := range Others(db).Reports(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			others = append(others, r.ID)
		}
		if !slices.Equal(others, []string{"n1"}) {
			t.Errorf("switch/notify sees %q", others)
		}
		sent := make(chan Result, 100)
		o := NewOutbox(OutboxConfig{Store: db, Mailer: newMailer(t, cfg), Told: func(r Result) { sent <- r }, Log: quiet()})
		runOutbox(t, o, func() {
			if r := <-sent; r.Outcome != Sent || r.Try < 2 {
				t.Errorf("result %+v", r)
			}
		})
	})
	got := s.got()
	if len(got) != 1 {
		t.Fatalf("%d mails, want 1", len(got))
	}
	if _, text, files := parts(t, got[0].data); !strings.HasPrefix(text, "kept") || string(files["a.txt"]) != "attached" {
		t.Errorf("text %q, files %q", text, files)
	}
	process(func(db *sqlite.DB) {
		for r := range (rows{db, true}).Reports(t.Context()) {
			t.Errorf("%s is left", r.ID)
		}
	})
}
