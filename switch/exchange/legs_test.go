package exchange

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/switch/call"
)

var pcmu = call.Media{Codecs: []call.Codec{{Name: "PCMU", ClockRate: 8000}}}

// ring dials one telephone for a caller, who comes first.
func (r *room) ring(t *testing.T, caller, callee call.LegID) (*Line, <-chan error) {
	t.Helper()
	came := make(chan error, 1)
	r.script = func(l *Line) {
		came <- l.Dial(context.Background(), call.DialWanted{Targets: []call.Target{{Leg: callee, URI: string(callee), Number: "2" + string(callee), Extension: "x" + string(callee)}}})
	}
	r.invite(t, caller)
	synctest.Wait()
	return r.ByLeg(caller), came
}

// talk lets two telephones talk.
func (r *room) talk(t *testing.T, caller, callee call.LegID) *Line {
	t.Helper()
	l, came := r.ring(t, caller, callee)
	r.posts[callee](call.Accepted{Leg: callee, Media: &pcmu})
	synctest.Wait()
	select {
	case err := <-came:
		if err != nil {
			t.Fatalf("Dial: %v", err)
		}
	default:
		t.Fatalf("nobody was joined; told %q", r.told)
	}
	r.told = nil
	return l
}

// show prints legs in a few words.
func show(legs []Leg) string {
	var all []string
	for _, g := range legs {
		all = append(all, fmt.Sprintf("%s %s %s %s", g.ID, g.Party, g.Number, g.State))
	}
	return strings.Join(all, ", ")
}

// TestLegs: what is known of the legs of a call, while it lives and afterwards.
func TestLegs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var changes []string
		r := newRoom(Config{LegChanged: func(_ *Line, g Leg) { changes = append(changes, string(g.ID)+" "+g.State.String()) }})
		l, came := r.ring(t, "a", "b")
		if l.Leg(call.Caller) != "a" || l.Leg(call.Callee) != "" || r.ByLeg("b") != l {
			t.Errorf("while it rings: caller %q, callee %q", l.Leg(call.Caller), l.Leg(call.Callee))
		}
		if got, want := show(l.Legs()), "a caller 1001 Setup, b callee 2b Setup"; got != want {
			t.Errorf("legs: %s, want %s", got, want)
		}
		time.Sleep(time.Second / 2)
		r.posts["b"](call.Provisional{Leg: "b", Code: 180})
		time.Sleep(2 * time.Second)
		r.posts["b"](call.Accepted{Leg: "b", Media: &pcmu})
		synctest.Wait()
		if err := <-came; err != nil || l.Leg(call.Callee) != "b" {
			t.Errorf("Dial: %v; callee %q", err, l.Leg(call.Callee))
		}
		time.Sleep(time.Second)
		r.posts["b"](call.Ended{Leg: "b"})
		<-l.Done()
		synctest.Wait()
		b := l.Legs()[1]
		if got, want := show(l.Legs()), "a caller 1001 Completed, b callee 2b Completed"; got != want || b.Extension != "xb" ||
			b.Answered.Sub(b.Started) != 2500*time.Millisecond || b.Ended.Sub(b.Answered) != time.Second {
			t.Errorf("in the end: %s; %+v", got, b)
		}
		want := []string{"a Setup", "b Setup", "b Ringing", "a Ringing", "a InCall", "b InCall", "a Completed", "b Completed"}
		if !slices.Equal(changes, want) {
			t.Errorf("changes %q, want %q", changes, want)
		}
		for _, e := range []string{"leg.ringing", "call.ringing", "call.answered", "call.bridged", "join a b", "call.ended callee", "call.Bye"} {
			if !slices.Contains(r.told, e) {
				t.Errorf("%q was not told: %q", e, r.told)
			}
		}
		if r.ByLeg("a") != nil || r.ByLeg("b") != nil || r.ended[0].Result != call.ByCallee {
			t.Errorf("left: %v %v, %v", r.ByLeg("a"), r.ByLeg("b"), r.ended[0].Result)
		}
		r.Drain(t.Context())
	})
}

// TestDialFails: whoever dialled hears why nobody came, and where the call was
// sent; who waits no more cancels what rings.
func TestDialFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(Config{})
		l, came := r.ring(t, "a", "b")
		r.posts["b"](call.Refused{Leg: "b", Failure: call.Failure{Code: 302, Reason: "moved"}, Contacts: []string{"sip:c"}})
		synctest.Wait()
		if a, ok := errors.AsType[*AskError](<-came); !ok || a.Code != 302 || !slices.Equal(a.Contacts, []string{"sip:c"}) {
			t.Errorf("Dial: %+v, want 302 and its contact", a)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		r.told = nil
		err := l.Dial(ctx, call.DialWanted{Targets: []call.Target{{Leg: "c", URI: "c"}}})
		synctest.Wait()
		if !errors.Is(err, context.DeadlineExceeded) || !slices.Contains(r.told, "call.Cancel") {
			t.Errorf("Dial: %v, told %q; want the deadline and Cancel", err, r.told)
		}
		l.Post(call.Cancelled{Leg: "a"})
		r.Drain(t.Context())
	})
}

// TestPanicOfTwo: a bug ends all legs of a call.
func TestPanicOfTwo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(Config{})
		r.ring(t, "a", "b")
		r.told = nil
		r.Find("c1").Post(call.KeyInfo{Leg: "a", Key: '!'})
		synctest.Wait()
		if want := []string{"error", "respond 500", "call.Cancel", "script over", "call.ended error", "script stop", "close", "close"}; !slices.Equal(r.told, want) {
			t.Errorf("while it rings: told %q, want %q", r.told, want)
		}
		l := r.talk(t, "c", "d")
		l.call = nil
		l.Post(call.KeyInfo{Leg: "c", Key: '1'})
		synctest.Wait()
		if n := len(slices.DeleteFunc(slices.Clone(r.told), func(s string) bool { return s != "call.Bye" && s != "close" })); n != 4 || r.Len() != 0 {
			t.Errorf("while they talk: told %q, want two Byes and two closes; %d calls left", r.told, r.Len())
		}
		r.Drain(t.Context())
	})
}

// TestMerge: an attended transfer makes one call of two. What befalls a leg later
// goes to the call that has it now, also what waited in the old one's mailbox.
func TestMerge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(Config{})
		one, two := r.talk(t, "a", "t1"), r.talk(t, "t2", "b")
		if err := r.Merge(t.Context(), one, "t1", two, "t2"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got, want := show(one.Legs()), "a caller 1001 InCall, t1 callee 2t1 Completed, b callee 2b InCall"; got != want {
			t.Errorf("legs: %s, want %s", got, want)
		}
		if r.ended[0].Result != call.Transferred || r.Len() != 1 || r.ByLeg("b") != one {
			t.Errorf("ended: %+v, %d calls, b is in %v", r.ended, r.Len(), r.ByLeg("b"))
		}
		if !slices.Contains(r.told, "join a b") || len(slices.DeleteFunc(slices.Clone(r.told), func(s string) bool { return !strings.HasPrefix(s, "call.transferred") })) != 3 {
			t.Errorf("told %q, want a and b joined, and the logs to say so", r.told)
		}
		if err := r.Merge(t.Context(), one, "a", one, "b"); err == nil {
			t.Error("a call was merged with itself")
		}
		r.posts["b"](call.Ended{Leg: "b"})
		<-one.Done()
		if one.Result() != call.ByCallee {
			t.Errorf("ended by %v, want the callee", one.Result())
		}
		r.Drain(t.Context())
	})
}

// TestMergeRinging: who is called for advice has not answered yet; the caller
// waits in that call.
func TestMergeRinging(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(Config{})
		one := r.talk(t, "a", "t1")
		two, _ := r.ring(t, "t2", "b")
		if err := r.Merge(t.Context(), one, "t1", two, "t2"); err != nil {
			t.Fatal(err)
		}
		<-one.Done()
		r.posts["b"](call.Accepted{Leg: "b", Media: &pcmu})
		synctest.Wait()
		if got, want := show(two.Legs()), "t2 caller 1001 Completed, b callee 2b InCall, a caller 1001 InCall"; got != want {
			t.Errorf("legs: %s, want %s", got, want)
		}
		two.Post(call.HangupWanted{By: call.ByAPI})
		r.Drain(t.Context())
	})
}

// TestGivenTooLate: a leg that is given to a call that is over is told goodbye.
func TestGivenTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, gone := range []bool{true, false} {
			r := newRoom(Config{})
			one := r.talk(t, "a", "b")
			two, _ := r.ring(t, "c", "d")
			if gone {
				two.Post(call.Cancelled{Leg: "c"})
				<-two.Done()
			} else { // it ends in the very moment
				r.hold = make(chan struct{})
				two.Post(call.KeyInfo{Leg: "c", Key: '!'})
				synctest.Wait()
			}
			go func() { _ = one.give(context.Background(), "a", two, "") }()
			synctest.Wait()
			if !gone {
				close(r.hold)
				synctest.Wait()
			}
			byes := len(slices.DeleteFunc(slices.Clone(r.told), func(s string) bool { return s != "call.Bye" }))
			if byes != 2 || r.Len() != 0 || r.ByLeg("a") != nil {
				t.Errorf("gone %v: told %q, want Bye to both; %d calls", gone, r.told, r.Len())
			}
			r.Drain(t.Context())
		}
	})
}

// TestPickUp: somebody answers what rings elsewhere; both callers are answered.
func TestPickUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(Config{})
		ringing, came := r.ring(t, "a", "b")
		errs := make(chan error, 1)
		r.script = func(l *Line) { errs <- r.PickUp(context.Background(), l, ringing) }
		r.invite(t, "c")
		synctest.Wait()
		if err := errors.Join(<-errs, <-came); err != nil {
			t.Fatal(err)
		}
		if got, want := show(ringing.Legs()), "a caller 1001 InCall, b callee 2b Completed, c callee 1001 InCall"; got != want || r.Len() != 1 {
			t.Errorf("legs: %s, want %s; %d calls", got, want, r.Len())
		}
		if err := r.PickUp(t.Context(), ringing, ringing); err == nil {
			t.Error("a call picked itself up")
		}
		ringing.Post(call.Ended{Leg: "c"})
		r.Drain(t.Context())
	})
}
