package phone

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"ozswitch/media"
	"ozswitch/media/codec"
	"ozswitch/media/dtmf"
	"ozswitch/media/pace"
	"ozswitch/media/rtc"
	"ozswitch/switch/call"
)

// keysPT is the payload type of telephone-event in our offers.
const keysPT = 101

var errNoSound = errors.New("the call has no sound")

// listen opens the call's RTP socket, or its port for WebRTC.
func (c *Call) listen(web bool) error {
	listen := c.p.c.ListenRTP
	if web {
		listen = func() (pace.Wire, error) {
			w, err := c.listenWeb()
			c.web = w.Wire
			return w, err
		}
	}
	if listen == nil {
		host := c.p.ua.Addr().Addr()
		listen = func() (pace.Wire, error) { return pace.Listen(netip.AddrPortFrom(host, 0)) }
	}
	w, err := listen()
	if err != nil {
		return fmt.Errorf("open RTP: %w", err)
	}
	c.wire = w
	if c.o.Record {
		c.ear = &ear{Wire: w}
		c.wire = c.ear
	}
	return nil
}

// offer describes all that we can.
func (c *Call) offer() call.Media {
	m := call.Media{Addr: c.wire.LocalAddr(), Ptime: media.Frame,
		Keys: []call.Codec{{PT: keysPT, Name: "telephone-event", ClockRate: 8000, Fmtp: "0-15"}}}
	for _, k := range c.codecs() {
		m.Codecs = append(m.Codecs, call.Codec{PT: k.PT, Name: k.Name, ClockRate: k.ClockRate, Channels: k.Channels, Fmtp: k.Fmtp})
		if k.ClockRate != 8000 && len(m.Keys) == 1 { // RFC 4733, 2.1: the clock of the sound
			m.Keys = append(m.Keys, call.Codec{PT: keysPT + 1, Name: "telephone-event", ClockRate: k.ClockRate, Fmtp: "0-15"})
		}
	}
	if c.web != nil {
		m.Web, m.Mux = c.offerWeb(), true
	}
	return m
}

func (c *Call) codecs() []*codec.Codec {
	if c.o.Codecs != nil {
		return c.o.Codecs
	}
	return codec.Table
}

// pick takes the first format of theirs that we know.
func (c *Call) pick(theirs *call.Media) (*codec.Codec, call.Codec) {
	for _, f := range theirs.Codecs {
		if k := codec.ByName(f.Name, f.ClockRate); k != nil && slices.Contains(c.codecs(), k) {
			return k, f
		}
	}
	return nil, call.Codec{}
}

// open opens the sound of a call that came and describes it; false: the call was
// refused instead.
func (c *Call) open(offer *call.Media) (ours call.Media, ok bool) {
	if err := c.listen(offer != nil && offer.Web != nil); err != nil {
		c.p.ua.Do(call.Respond{Leg: c.id, Code: 500, Warning: err.Error()})
		c.end(WasRefused, 500, err.Error())
		return ours, false
	}
	ours = c.offer()
	if c.web != nil {
		var err error
		if ours.Web, err = c.answerWeb(offer.Web); err != nil {
			c.p.ua.Do(call.Respond{Leg: c.id, Code: 488, Warning: err.Error()})
			c.end(WasRefused, 488, err.Error())
			return ours, false
		}
	}
	if offer != nil {
		k, f := c.pick(offer)
		if k == nil {
			c.p.ua.Do(call.Respond{Leg: c.id, Code: 488})
			c.end(WasRefused, 488, "no codec in common")
			return ours, false
		}
		narrow(&ours, offer, f)
	}
	c.local = ours
	return ours, true
}

// narrow leaves in ours what answers an offer with one format.
func narrow(ours, offer *call.Media, f call.Codec) {
	ours.Codecs, ours.Keys = []call.Codec{f}, nil
	if keys, ok := offer.KeysFor(f); ok {
		ours.Keys = []call.Codec{keys}
	}
}

// early plays to a caller before it is answered.
func (c *Call) early(offer *call.Media) {
	ours, ok := c.open(offer)
	if !ok {
		return
	}
	c.p.ua.Do(call.Respond{Leg: c.id, Code: 183, Media: &ours})
	if offer != nil && c.connect(*offer) {
		for _, s := range c.o.Early {
			c.at(c.began.Add(s.At), func() { c.failed(c.say(s)) })
		}
	}
}

// answer picks up a call that came.
func (c *Call) answer(offer *call.Media) {
	if c.leaving || c.over {
		return
	}
	respond := call.Respond{Leg: c.id, Code: 200}
	if c.wire == nil { // else it was said before
		ours, ok := c.open(offer)
		if !ok {
			return
		}
		respond.Media = &ours
	}
	c.p.ua.Do(respond)
	c.result.Setup = time.Since(c.began)
	c.event(Event{Kind: Answered})
	c.begin()
	if offer != nil && !c.connect(*offer) {
		c.leave("no sound")
	}
}

// connect starts the sound with what both ends agreed on, or goes on with what
// they agree on now.
func (c *Call) connect(theirs call.Media) bool {
	k, f := c.pick(&theirs)
	if k == nil {
		return false
	}
	if c.leg != nil {
		c.follow(k, f, theirs)
		return true
	}
	if c.web != nil {
		if theirs.Web == nil {
			c.failed(errors.New("the far end speaks no WebRTC"))
			return false
		}
		if err := c.web.Connect(rtc.Description(*theirs.Web)); err != nil {
			c.failed(err)
			return false
		}
	}
	keys, _ := theirs.KeysFor(f)
	c.codec, c.format, c.keys, c.remote = k, f, keys.PT, theirs
	c.ear.speaks(f.PT, k)
	r := c.p.random
	c.leg = pace.NewLeg(pace.LegConfig{Wire: c.wire, Remote: aim(&theirs), Silence: true, Hold: held(&theirs),
		Format: format(k, f), DTMFPT: keys.PT, SSRC: r(), Seq: uint16(r()), TS: r()})
	if err := c.p.pacer.Add(c.leg); err != nil {
		c.leg = nil
		c.failed(err)
		return false
	}
	return true
}

func format(k *codec.Codec, f call.Codec) pace.Format {
	return pace.Format{PT: f.PT, Ticks: k.Ticks(), Silence: k.Silence, Lasts: k.Lasts, Join: k.Join}
}

// follow goes on with another address, codec or direction.
func (c *Call) follow(k *codec.Codec, f call.Codec, theirs call.Media) {
	if to := aim(&theirs); to != aim(&c.remote) && !theirs.Nowhere() {
		c.failed(c.leg.SetRemote(to))
	}
	if keys, _ := theirs.KeysFor(f); k != c.codec || f.PT != c.format.PT || keys.PT != c.keys {
		c.failed(c.leg.SetFormat(pace.Change{Format: format(k, f), DTMFPT: keys.PT, Same: k == c.codec}))
		if k != c.codec {
			c.event(Event{Kind: Changed, Text: k.Name})
		}
		c.codec, c.format, c.keys = k, f, keys.PT
		c.ear.speaks(f.PT, k)
	}
	if now := held(&theirs); now != held(&c.remote) {
		c.failed(c.leg.SetSending(!now))
		kind := Resumed
		if now {
			kind = Held
		}
		c.event(Event{Kind: kind})
	}
	c.remote = theirs
}

// held tells whether a description asks us not to send.
func held(m *call.Media) bool {
	return m.Dir == call.SendOnly || m.Dir == call.Inactive || m.Nowhere()
}

// reoffered takes a new description of the far end: another address, another
// codec, hold.
func (c *Call) reoffered(offer *call.Media) {
	if offer == nil || c.leg == nil {
		c.p.ua.Do(call.Respond{Leg: c.id, Code: 200}) // with what stands
		return
	}
	if !c.connect(*offer) {
		c.p.ua.Do(call.Respond{Leg: c.id, Code: 488})
		return
	}
	ours := c.local
	narrow(&ours, offer, c.format)
	ours.Dir = c.direction(offer.Mirror())
	c.local = ours
	c.p.ua.Do(call.Respond{Leg: c.id, Code: 200, Media: &ours})
}

// saidID is the id of sound; keys have theirs from 1 on.
const saidID = 0

func (c *Call) press(keys string) error {
	if c.leg == nil {
		return errNoSound
	}
	c.pressed = append(c.pressed, keys)
	id := uint32(len(c.pressed))
	err := c.leg.SendKeys(id, keys)
	if errors.Is(err, pace.ErrNoKeys) { // then by their tones
		var src media.Source
		if src, err = dtmf.Keys(c.codec.Rate, keys, 0, 0); err == nil {
			var frames [][]byte
			if frames, err = c.codec.Frames(src); err == nil {
				err = c.leg.Enqueue(id, &pace.Clip{Frames: frames})
			}
		}
	}
	if err != nil {
		return fmt.Errorf("press %s: %w", keys, err)
	}
	return nil
}

func (c *Call) say(s Say) error {
	if c.leg == nil {
		return errNoSound
	}
	clip := s.Clip
	if clip == nil {
		frames, err := c.codec.Frames(s.Source)
		if err != nil {
			return fmt.Errorf("say: %w", err)
		}
		clip = &pace.Clip{Frames: frames}
	}
	return c.leg.Enqueue(saidID, clip)
}

// heard takes what the pacer has to tell.
func (c *Call) heard() {
	for {
		r, ok := c.leg.Next()
		if !ok {
			return
		}
		switch r.Kind {
		case pace.KeyPressed:
			c.eventAt(r.At, Event{Kind: KeyHeard, Key: r.Key})
		case pace.FirstPacket:
			c.eventAt(r.At, Event{Kind: Sound})
		case pace.Ended, pace.KeysSent:
			if n := int(r.ID); n > 0 && n <= len(c.pressed) {
				c.eventAt(r.At, Event{Kind: KeySent, Text: c.pressed[n-1]})
			} else {
				c.eventAt(r.At, Event{Kind: Said})
			}
		case pace.Failed:
			c.failed(r.Err)
			c.leave("the sound failed")
			return
		}
	}
}
