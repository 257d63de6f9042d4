package queue_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/switch/queue"
	"ozswitch/switch/store"
)

// TestPutAgainAfterACrash: a report that is put with the id of one in the outbox is that one.
func TestPutAgainAfterACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := store.NewMem()
		now := time.Now()
		if err := s.PutReport(store.Report{ID: "x", Lane: "l", Seq: 1, Created: now, Due: now, Payload: []byte("x")}); err != nil {
			t.Fatal(err)
		}
		r := &receiver{start: now}
		q := queue.New(queue.Config{Store: s, Deliver: r.deliver})
		for _, id := range []string{"x", "y"} {
			if err := q.Put(queue.Item{ID: id, Lane: "l", Payload: []byte(id)}); err != nil {
				t.Fatal(err)
			}
		}
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { q.Run(ctx) })
		synctest.Wait()
		stop()
		wg.Wait()
		if got, want := r.got(), "x#1@0s y#1@0s"; got != want {
			t.Errorf("delivered %q, want %q", got, want)
		}
	})
}
