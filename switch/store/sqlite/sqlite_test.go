package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"ozswitch/switch/store"
	"ozswitch/switch/store/storetest"
)

// run opens the file and writes until stop is called.
func run(t *testing.T, cfg Config) (d *DB, stop func()) {
	t.Helper()
	d, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan struct{})
	go func() { defer close(done); d.Run(ctx) }()
	ended := false
	stop = func() {
		if !ended {
			ended = true
			cancel()
			<-done
			if err := d.Close(); err != nil {
				t.Errorf("Close = %v", err)
			}
		}
	}
	t.Cleanup(stop)
	return d, stop
}

func TestDB(t *testing.T) {
	storetest.Test(t, func(t *testing.T) store.Store {
		d, _ := run(t, Config{Path: filepath.Join(t.TempDir(), "oz switch?#%.db")})
		return d
	})
}

func TestWhatWasTakenSurvivesTheEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "oz.db")
	d, stop := run(t, Config{Path: path, Every: time.Hour}) // nothing is written but by the end
	for i := range 3000 {
		if err := d.PutCall(store.Call{ID: fmt.Sprint(i), Started: time.Unix(int64(i), 0)}); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	if err := d.PutCall(store.Call{ID: "late"}); !errors.Is(err, store.ErrClosed) {
		t.Errorf("PutCall after the end = %v, want ErrClosed", err)
	}
	d, _ = run(t, Config{Path: path})
	if _, total, err := d.Calls(t.Context(), store.CallQuery{}); err != nil || total != 3000 {
		t.Errorf("total after reopening = %d, %v, want 3000", total, err)
	}
	if i, err := os.Stat(path); err != nil || i.Mode().Perm() != 0o600 {
		t.Errorf("file mode = %v, %v, want 0600: it holds URLs with credentials", i.Mode(), err)
	}
}

func TestFullQueueRefusesAtOnce(t *testing.T) {
	d, err := Open(t.Context(), Config{Path: filepath.Join(t.TempDir(), "oz.db"), Queue: 2}) // nobody writes
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var got []error
	for i := range 3 {
		got = append(got, d.PutCall(store.Call{ID: fmt.Sprint(i)}))
	}
	if got[0] != nil || got[1] != nil || !errors.Is(got[2], store.ErrFull) {
		t.Errorf("three writes into a queue of two = %v, want the third ErrFull", got)
	}
	if d.Waiting() != 2 {
		t.Errorf("Waiting = %d, want 2", d.Waiting())
	}
}

func TestOneBadRowCostsNoOther(t *testing.T) {
	var lost []string
	d, stop := run(t, Config{Path: filepath.Join(t.TempDir(), "oz.db"), Every: time.Hour,
		Lost: func(row string, err error) { lost = append(lost, row) }})
	d.PutCall(store.Call{ID: "before"})
	d.w.put(op{row: "bad", text: `INSERT INTO report (id) VALUES (?)`, args: []any{"x"}}) // NOT NULL fails
	d.PutCall(store.Call{ID: "after"})
	if _, total, err := d.Calls(t.Context(), store.CallQuery{}); err != nil || total != 2 {
		t.Errorf("total = %d, %v, want 2", total, err)
	}
	stop()
	if strings.Join(lost, ",") != "bad" {
		t.Errorf("lost = %q, want [bad]", lost)
	}
}

func TestMigrate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "oz.db")
	d, err := Open(t.Context(), Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	files := fstest.MapFS{}
	names, _ := fs.Glob(migrations, "migrations/*.sql")
	for _, n := range names {
		files[n] = &fstest.MapFile{Data: []byte("this is not run again")}
	}
	files["migrations/9999_next.sql"] = &fstest.MapFile{Data: []byte("CREATE TABLE next (x); SELECT wrong FROM nowhere")}
	if err := migrate(t.Context(), d.sql, files); err == nil || !strings.Contains(err.Error(), "9999_next.sql") {
		t.Errorf("a wrong step = %v, want an error with its name", err)
	}
	files["migrations/9999_next.sql"].Data = []byte("CREATE TABLE next (x)") // fails if half of it was kept
	for range 2 {
		if err := migrate(t.Context(), d.sql, files); err != nil {
			t.Errorf("migrate = %v, want nil", err)
		}
	}
	if _, err := Open(t.Context(), Config{Path: path}); err == nil || !strings.Contains(err.Error(), "newer") {
		t.Errorf("Open of a newer file = %v, want a refusal", err)
	}
}

func BenchmarkPutCall(b *testing.B) { // budget: what a call pays for its history, under 20 µs
	d, err := Open(b.Context(), Config{Path: filepath.Join(b.TempDir(), "oz.db"), Queue: 1 << 20})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	b.ReportAllocs()
	for b.Loop() {
		if d.PutCall(store.Call{ID: "q7Lx2", From: "1001", To: "9000"}) != nil {
			b.StopTimer()
			d.drain()
			b.StartTimer()
		}
	}
}
