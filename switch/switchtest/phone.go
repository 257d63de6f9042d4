package switchtest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"ozswitch/internal/simnet"
	"ozswitch/media"
	"ozswitch/media/mediatest"
	"ozswitch/media/pace"
	"ozswitch/switch/phone"
)

// A Phone is a telephone with a number and an address of its own.
type Phone struct {
	*phone.Phone
	Number string
	Host   string
	// Reply says what becomes of calls that come; nil = answered at once. It must
	// not wait.
	Reply func() phone.Reply

	w     *World
	stop  func()
	calls chan *Call

	mu    sync.Mutex
	ears  []*ear
	made  int // calls to the switch so far
	taken int // ears that belong to a call
}

// Phone gives the phone of a number; it calls the switch and can be called at
// sip:number@Host. One whose number is a telephone of the configuration with a
// password has registered when Phone returns. Two of one number are Phone("1001")
// and Phone("1001 desk"); Phone("1001 liar") does not know the password, and
// Phone("1001 nameless") shows no name.
func (w *World) Phone(number string) *Phone {
	w.T.Helper()
	w.Start()
	for _, p := range w.phones {
		if p.Number == number {
			return p
		}
	}
	n := len(w.phones) + 1
	p := &Phone{Number: number, Host: PhoneHost(n), w: w, calls: make(chan *Call, 1024)}
	user, _, _ := strings.Cut(number, " ")
	account := user
	if strings.HasSuffix(number, " liar") {
		account = ""
	}
	password, register, registered := w.account(account)
	name := "Phone " + user
	if strings.HasSuffix(number, " nameless") {
		name = ""
	}
	p.Phone = phone.New(phone.Config{
		Listen: "udp://" + p.Host + ":5060", User: user, Name: name, Pacer: w.pacer, Rand: rand.NewPCG(uint64(n), 9),
		Password: password, Register: register, Registered: registered.told,
		ListenPacket: func(_, addr string) (net.PacketConn, error) { return w.Net.PacketConn(addr) },
		ListenRTP:    p.listen, Incoming: p.incoming,
		Log: slog.New(slog.NewTextHandler(w.T.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if err := p.Bind(); err != nil {
		w.T.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	p.stop = func() { stop(); <-ended }
	w.parts.Go(func() {
		defer close(ended)
		if err := p.Run(ctx); err != nil {
			w.T.Errorf("phone %s: %v", number, err)
		}
		if n := p.Panics(); n > 0 {
			w.T.Errorf("phone %s: %d bugs caught", number, n)
		}
	})
	w.phones = append(w.phones, p)
	if register != "" {
		if err := <-registered; err != nil {
			w.T.Fatalf("phone %s: %v", number, err)
		}
	}
	return p
}

// account gives what a phone logs in with: the password that the configuration
// has for its number, and where it registers, unless it has a fixed contact.
func (w *World) account(number string) (password, register string, r registered) {
	r = make(registered, 1)
	for _, e := range w.Config.Extensions {
		if e.Number == number && e.Type == "phone" && e.Password != "" {
			if password = string(e.Password); e.Contact == "" {
				register = sipAddr
			}
		}
	}
	return password, register, r
}

// registered gets what came of the first try to register.
type registered chan error

func (r registered) told(err error) {
	select {
	case r <- err:
	default:
	}
}

// PhoneHost is the address of the n-th phone of a World, from 1.
func PhoneHost(n int) string {
	return netip.AddrFrom4([4]byte{10, 1, byte(n >> 8), byte(n)}).String()
}

func (p *Phone) listen() (pace.Wire, error) {
	wire, err := p.w.Net.Wire(p.Host + ":0")
	if err != nil {
		return nil, err
	}
	e := &ear{Wire: wire}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ears = append(p.ears, e)
	return e, nil
}

func (p *Phone) incoming(c *phone.Call) phone.Reply {
	r := phone.Reply{}
	if p.Reply != nil {
		r = p.Reply()
	}
	if r.Refuse == 0 {
		p.calls <- &Call{Call: c, Phone: p}
	}
	return r
}

// Next waits, at most a minute, for the next call to this phone.
func (p *Phone) Next() *Call {
	p.w.T.Helper()
	select {
	case c := <-p.calls:
		return c
	case <-time.After(time.Minute):
		p.w.T.Fatalf("phone %s was not called", p.Number)
		return nil
	}
}

// Place calls a number of the switch and returns at once.
func (p *Phone) Place(number string, o phone.Options) *Call {
	p.w.T.Helper()
	o.Server = sipAddr
	c, err := p.Phone.Place(number, o)
	if err != nil {
		p.w.T.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.made++
	p.taken = len(p.ears)
	return &Call{Call: c, Phone: p, ear: p.ears[len(p.ears)-1], nth: p.made}
}

// Dial calls a number of the switch and waits for the answer.
func (p *Phone) Dial(number string) *Call {
	p.w.T.Helper()
	c := p.Place(number, phone.Options{})
	if err := c.Answered(context.Background()); err != nil {
		p.w.T.Fatal(err)
	}
	return c
}

// Refused calls a number and gives the SIP status that refused the call.
func (p *Phone) Refused(number string) int {
	p.w.T.Helper()
	err := p.Place(number, phone.Options{}).Answered(context.Background())
	r, ok := errors.AsType[*phone.Refused](err)
	if !ok {
		p.w.T.Fatalf("call to %s: %v, want it refused", number, err)
	}
	return r.Code
}

// A Call is a call of a Phone.
type Call struct {
	*phone.Call
	Phone *Phone
	nth   int // of the phone's calls to the switch, from 1
	ear   *ear
	heard int // bytes of ear.text that Hears has passed
}

// ID is the switch's id of a call that the phone made.
func (c *Call) ID() string {
	c.Phone.w.T.Helper()
	ids := c.Phone.w.Dialled(c.Phone.Number)
	if len(ids) < c.nth {
		c.Phone.w.T.Fatalf("phone %s: the switch does not know of call %d", c.Phone.Number, c.nth)
	}
	return ids[c.nth-1]
}

// Text is everything that was heard so far.
func (c *Call) Text() string {
	if c.ear == nil { // an incoming call has its wire when it is answered
		c.Phone.mu.Lock()
		if c.Phone.taken < len(c.Phone.ears) {
			c.ear = c.Phone.ears[c.Phone.taken]
			c.Phone.taken++
		}
		c.Phone.mu.Unlock()
	}
	if c.ear == nil {
		return ""
	}
	return c.ear.text()
}

// Hears waits until a text has been heard, after what Hears found before: at
// most as long as the text takes and 10 s more, or until the call is over.
func (c *Call) Hears(text string) {
	c.Phone.w.T.Helper()
	want := mediatest.Normal(text)
	end := time.Now().Add(Length(text) + 10*time.Second)
	for over := false; ; {
		all := c.Text()
		if i := strings.Index(all[min(c.heard, len(all)):], want); i >= 0 {
			c.heard += i + len(want)
			return
		}
		if over || time.Now().After(end) {
			c.Phone.w.T.Fatalf("heard %q, want %q\n%s", all, want, c.Phone.w.Transcript(""))
		}
		select {
		case <-c.Done():
			over = true
		case <-time.After(60 * time.Millisecond):
		}
	}
}

// Press presses keys now.
func (c *Call) Press(keys string) {
	c.Phone.w.T.Helper()
	if err := c.Call.Press(keys); err != nil {
		c.Phone.w.T.Fatal(err)
	}
}

// Says makes sound like that of a voice for so long.
func (c *Call) Says(d time.Duration) {
	c.Phone.w.T.Helper()
	if err := c.Say(Noise(d)); err != nil {
		c.Phone.w.T.Fatal(err)
	}
}

// Play plays something to the switch.
func (c *Call) Play(src media.Source) {
	c.Phone.w.T.Helper()
	if err := c.Say(src); err != nil {
		c.Phone.w.T.Fatal(err)
	}
}

// Over waits, at most a day, for the end of the call.
func (c *Call) Over() phone.Result {
	c.Phone.w.T.Helper()
	select {
	case <-c.Done():
	case <-time.After(24 * time.Hour):
		c.Phone.w.T.Fatal("the call goes on for ever")
	}
	return c.Wait(context.Background())
}

// Ends waits until the switch hangs up, and gives the length of the call.
func (c *Call) Ends() time.Duration {
	c.Phone.w.T.Helper()
	r := c.Over()
	if r.Cause != phone.TheyHungUp || r.Code != 0 {
		c.Phone.w.T.Fatalf("the call ended: %v, want the switch to hang up\n%s", r, c.Phone.w.Transcript(""))
	}
	return r.Length
}

// EndsAfter is Ends with the length that is wanted, exact.
func (c *Call) EndsAfter(want time.Duration) {
	c.Phone.w.T.Helper()
	if got := c.Ends(); got != want {
		c.Phone.w.T.Errorf("the call lasted %v, want %v\n%s", got, want, c.Phone.w.Transcript(""))
	}
}

// HangUp hangs up and waits until the switch has seen the end of the call.
func (c *Call) HangUp() {
	c.Call.Hangup()
	<-c.Done()
	c.Phone.w.Pass(100 * time.Millisecond)
}

// SIP is the address at which the switch calls this phone.
func (p *Phone) SIP() string {
	user, _, _ := strings.Cut(p.Number, " ")
	return fmt.Sprintf("sip:%s@%s:5060", user, p.Host)
}

// Mute loses all that a phone sends from now on.
func (w *World) Mute(p *Phone) {
	w.Net.SetLink(netip.MustParseAddr(p.Host), netip.MustParseAddr(switchHost), simnet.Link{Delay: Link, Loss: 1})
}
