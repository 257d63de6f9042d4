package queue_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/switch/queue"
	"ozswitch/switch/store"
	"ozswitch/switch/store/sqlite"
)

func TestNext(t *testing.T) {
	now := time.Unix(0, 0)
	var got []string
	for n := range 13 {
		got = append(got, queue.Next(now, n).Sub(now).String())
	}
	want := "1s 1s 2s 4s 8s 16s 32s 1m4s 2m8s 4m16s 8m32s 10m0s 10m0s"
	if g := strings.Join(got, " "); g != want {
		t.Errorf("Next after 0, 1, 2 … attempts = %s, want %s", g, want)
	}
}

// A receiver notes what came when and answers as told.
type receiver struct {
	mu    sync.Mutex
	start time.Time
	seen  []string
	fail  func(a queue.Attempt) bool
	took  time.Duration
}

func (r *receiver) deliver(ctx context.Context, a queue.Attempt) queue.Outcome {
	r.mu.Lock()
	r.seen = append(r.seen, fmt.Sprintf("%s#%d@%v", a.Payload, a.N, time.Since(r.start)))
	r.mu.Unlock()
	select {
	case <-time.After(r.took):
	case <-ctx.Done():
		return queue.Outcome{Again: true}
	}
	if r.fail != nil && r.fail(a) {
		return queue.Outcome{Again: true, Why: "down"}
	}
	return queue.Outcome{}
}

func (r *receiver) got() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.seen, " ")
}

// bubble runs f with a queue that runs.
func bubble(t *testing.T, cfg queue.Config, r *receiver, f func(q *queue.Queue)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r.start = time.Now()
		cfg.Deliver = r.deliver
		cfg.Log = slog.New(slog.DiscardHandler)
		if cfg.Store == nil {
			cfg.Store = store.NewMem()
		}
		q := queue.New(cfg)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { q.Run(ctx) })
		f(q)
		cancel()
		wg.Wait()
	})
}

func put(t *testing.T, q *queue.Queue, lane string, names ...string) {
	t.Helper()
	for _, n := range names {
		if err := q.Put(queue.Item{ID: n, Lane: lane, Group: "g" + lane, Payload: []byte(n)}); err != nil {
			t.Errorf("Put(%s) = %v", n, err)
		}
	}
}

func TestRetriesInOrderOfTheLane(t *testing.T) {
	r := &receiver{fail: func(a queue.Attempt) bool { return string(a.Payload) == "a" && a.N < 4 }}
	bubble(t, queue.Config{}, r, func(q *queue.Queue) {
		put(t, q, "1", "a", "b")
		put(t, q, "2", "x")
		synctest.Wait()
		time.Sleep(time.Minute)
	})
	slices.Sort(r.seen[:2]) // a and x go at the same time
	if got, want := r.got(), "a#1@0s x#1@0s a#2@1s a#3@3s a#4@7s b#1@7s"; got != want {
		t.Errorf("attempts\n%s, want\n%s", got, want)
	}
}

func TestKeptForADay(t *testing.T) {
	var gave []string
	r := &receiver{fail: func(queue.Attempt) bool { return true }}
	mem := store.NewMem()
	bubble(t, queue.Config{Store: mem, GaveUp: func(a queue.Attempt) {
		gave = append(gave, fmt.Sprint(a.ID, " ", a.Last, " ", time.Since(r.start).Truncate(time.Hour)))
	}}, r, func(q *queue.Queue) {
		put(t, q, "1", "a")
		time.Sleep(23 * time.Hour)
		if q.Len() != 1 {
			t.Errorf("after 23 h Len = %d, want 1", q.Len())
		}
		time.Sleep(2 * time.Hour)
		if q.Len() != 0 {
			t.Errorf("after 25 h Len = %d, want 0", q.Len())
		}
		if _, err := mem.Report(t.Context(), "a"); err != store.ErrNotFound {
			t.Errorf("its row after 25 h: %v, want ErrNotFound", err)
		}
	})
	if want := []string{"a down 23h0m0s"}; !slices.Equal(gave, want) {
		t.Errorf("given up: %q, want %q", gave, want)
	}
	// Eleven in the first 1023 s, then one each 10 minutes.
	if got, want := len(r.seen), 11+(24*3600-1023)/600; got != want {
		t.Errorf("%d attempts, want %d", got, want)
	}
}

func TestAReceiverThatHangsHoldsUpNobodyElse(t *testing.T) {
	r := &receiver{took: 10 * time.Second}
	bubble(t, queue.Config{Workers: 4, Share: 2}, r, func(q *queue.Queue) {
		for i := range 6 {
			if err := q.Put(queue.Item{ID: fmt.Sprint("s", i), Group: "slow", Payload: []byte("s")}); err != nil {
				t.Fatal(err)
			}
		}
		put(t, q, "1", "x")
		time.Sleep(time.Minute)
	})
	slices.Sort(r.seen)
	if got, want := r.got(), "s#1@0s s#1@0s s#1@10s s#1@10s s#1@20s s#1@20s x#1@0s"; got != want {
		t.Errorf("attempts\n%s, want\n%s", got, want)
	}
}

func TestAPanicIsAFailedAttempt(t *testing.T) {
	r := &receiver{fail: func(a queue.Attempt) bool {
		if a.N == 1 {
			panic("a bug")
		}
		if a.Last != "panic: a bug" {
			t.Errorf("Last = %q, want the panic", a.Last)
		}
		return false
	}}
	bubble(t, queue.Config{}, r, func(q *queue.Queue) {
		put(t, q, "1", "a")
		time.Sleep(time.Minute)
		if q.Len() != 0 {
			t.Errorf("Len = %d, want 0", q.Len())
		}
	})
}

func TestFullAndEnded(t *testing.T) {
	r := &receiver{took: time.Minute}
	var q *queue.Queue
	bubble(t, queue.Config{Max: 1}, r, func(qu *queue.Queue) {
		q = qu
		put(t, q, "1", "a")
		if err := q.Put(queue.Item{ID: "b"}); err != queue.ErrFull {
			t.Errorf("Put into a full queue = %v, want ErrFull", err)
		}
		synctest.Wait()
	})
	if err := q.Put(queue.Item{ID: "c"}); err != queue.ErrEnded {
		t.Errorf("Put after the end = %v, want ErrEnded", err)
	}
}

// An outbox in a file is taken up by the next process where the last left it:
// failed reports with their attempts counted, one that was cut short as it was,
// and in order.
func TestRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "oz.db")
	process := func(deliver func(context.Context, queue.Attempt) queue.Outcome, f func(q *queue.Queue)) {
		db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		ctx := context.WithoutCancel(t.Context())
		dbCtx, dbStop := context.WithCancel(ctx)
		qCtx, qStop := context.WithCancel(ctx)
		q := queue.New(queue.Config{Store: db, Deliver: deliver, Next: func(now time.Time, n int) time.Time { return now }})
		var dbWG, qWG sync.WaitGroup
		dbWG.Go(func() { db.Run(dbCtx) })
		qWG.Go(func() {
			if err := q.Run(qCtx); err != nil {
				t.Errorf("Run = %v", err)
			}
		})
		f(q)
		qStop()
		qWG.Wait()
		dbStop()
		dbWG.Wait()
	}

	third := make(chan struct{})
	process(func(ctx context.Context, a queue.Attempt) queue.Outcome {
		if a.N == 3 {
			close(third)
			<-ctx.Done() // cut short by the stop
			return queue.Outcome{Again: true}
		}
		return queue.Outcome{Again: true, Why: fmt.Sprint("failure ", a.N)}
	}, func(q *queue.Queue) {
		put(t, q, "1", "a", "b", "c") // some of them before Run has read the outbox
		<-third
	})

	got := make(chan string, 10)
	process(func(_ context.Context, a queue.Attempt) queue.Outcome {
		got <- fmt.Sprintf("%s#%d %s", a.Payload, a.N, a.Last)
		return queue.Outcome{}
	}, func(q *queue.Queue) {
		put(t, q, "1", "d")
		for _, want := range []string{"a#3 failure 2", "b#1 ", "c#1 ", "d#1 "} {
			if g := <-got; g != want {
				t.Errorf("after the restart %q, want %q", g, want)
			}
		}
	})

	db, err := sqlite.Open(t.Context(), sqlite.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for r, err := range db.Reports(t.Context()) {
		t.Errorf("left in the outbox: %s, %v, want nothing", r.ID, err)
	}
}
