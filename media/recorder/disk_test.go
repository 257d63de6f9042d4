package recorder

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"ozswitch/media/codec"
)

var codecPCMU = codec.PCMU

// disk is a faulty one below a recording.
type disk struct {
	*os.File
	stall chan struct{} // writes wait until it is closed; nil: they do not
	room  atomic.Int64  // bytes that fit
}

func (d *disk) Write(b []byte) (int, error) {
	if d.stall != nil {
		<-d.stall
	}
	if n := d.room.Add(-int64(len(b))); n < 0 {
		return 0, &os.PathError{Op: "write", Path: d.Name(), Err: syscall.ENOSPC}
	}
	return d.File.Write(b)
}

func (d *disk) Sync() error {
	if d.stall != nil {
		<-d.stall
	}
	return d.File.Sync()
}

// onDisk puts every file of the recorder on d.
func onDisk(r *Recorder, d *disk) {
	open := r.open
	r.open = func(name string) (file, error) {
		f, err := open(name)
		if err != nil {
			return nil, err
		}
		d.File = f.(*os.File)
		return d, nil
	}
}

// TestFullDisk: the recording ends with an error, and what was written is a file that plays, under its name.
func TestFullDisk(t *testing.T) {
	for _, name := range []string{"x.wav", "x.mp3"} {
		r, dir := folder(t, Config{Encoder: &engine{}})
		d := &disk{}
		d.room.Store(44 + 20000)
		onDisk(r, d)
		rec, done := start(t, r, Spec{Name: name})
		for !rec.stopped { // by the failure
			seconds(rec, 1)
			turn(rec)
		}
		stop := running(t, r)
		got := <-done
		if !errors.Is(got.Err, syscall.ENOSPC) || got.Duration != time.Second || got.Size == 0 || got.Name != name {
			t.Errorf("Done = %+v, want a second and a full disk", got)
		}
		if name == "x.wav" {
			if pcm, w := sound(t, dir+"/x.wav"); len(pcm) != 8000 || w.Duration() != time.Second {
				t.Errorf("%d samples, %v", len(pcm), w.Duration())
			}
		}
		stop()
	}
}

// TestStalledDisk: a disk that stops for ten seconds holds up neither the call nor Start, and the recording catches up.
func TestStalledDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, dir := folder(t, Config{Encoder: &engine{}, Workers: 1})
		d := &disk{stall: make(chan struct{})}
		d.room.Store(1 << 30)
		onDisk(r, d)
		stop := running(t, r)
		began := time.Now()
		rec, done := start(t, r, Spec{Name: "x.wav"}) // its header stalls already
		if took := time.Since(began); took > patience {
			t.Errorf("Start took %v, want at most %v", took, patience)
		}
		in, _ := coded(1000, 5)
		for range 100 {
			time.Sleep(100 * time.Millisecond) // of the bubble
			before := time.Now()
			rec.Write(block(5, in, nil))
			if time.Since(before) > 0 {
				t.Error("Write blocked")
			}
		}
		if got := rec.Behind(); got != 10*time.Second {
			t.Errorf("Behind() = %v, want 10 s", got)
		}
		close(d.stall)
		synctest.Wait()
		if got := rec.Behind(); got != 0 {
			t.Errorf("Behind() = %v after the disk came back", got)
		}
		rec.Stop("hangup")
		if d := <-done; d.Err != nil || d.Duration != 10*time.Second {
			t.Errorf("Done = %+v, want all ten seconds", d)
		}
		if pcm, _ := sound(t, dir+"/x.wav"); len(pcm) != 80000 {
			t.Errorf("%d samples", len(pcm))
		}
		stop()
	})
}

// TestStalledForGood: not more than 2 MiB wait, the recording ends with an error, and nothing of the call waits.
func TestStalledForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := folder(t, Config{Encoder: &engine{}, Workers: 1})
		d := &disk{stall: make(chan struct{})}
		d.room.Store(1 << 30)
		onDisk(r, d)
		stop := running(t, r)
		rec, done := start(t, r, Spec{Name: "x.wav"})
		in, _ := coded(1000, 5)
		for range 10 * 60 * 10 { // ten minutes, both directions: 9.6 MB
			rec.Write(block(5, in, in))
		}
		rec.mu.Lock()
		held := len(rec.bytes)
		rec.mu.Unlock()
		if held > 2<<20 || held < 2<<20-1600 {
			t.Errorf("%d bytes wait, want 2 MiB", held)
		}
		rec.Stop("duration")
		close(d.stall)
		if got := <-done; !errors.Is(got.Err, ErrFull) || got.Duration < 2*time.Minute {
			t.Errorf("Done = %+v, want what was buffered and ErrFull", got)
		}
		stop()
	})
}

// TestStartFailsLate: a file that cannot be made once the disk answers is told of by OnDone.
func TestStartFailsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := folder(t, Config{Encoder: &engine{}, Workers: 1})
		free := make(chan struct{})
		r.open = func(string) (file, error) {
			<-free
			return nil, syscall.EROFS
		}
		stop := running(t, r)
		rec, done := start(t, r, Spec{Name: "x.wav"})
		seconds(rec, 1)
		rec.Stop("hangup")
		close(free)
		if d := <-done; !errors.Is(d.Err, syscall.EROFS) || d.Size != 0 || d.Reason != "hangup" {
			t.Errorf("Done = %+v, want it to say that the disk is read-only", d)
		}
		stop()
	})
}

// TestSmallDisk is a full disk in earnest; it needs root.
func TestSmallDisk(t *testing.T) {
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		t.Skip("only root can mount a small disk")
	}
	dir := t.TempDir()
	if err := mount(dir); err != nil {
		t.Skipf("no small disk here: %v", err)
	}
	defer unmount(dir)
	r := open(t, dir, Config{Encoder: &engine{}})
	stop := running(t, r)
	wavs, doneWAV := start(t, r, Spec{Name: "x.wav"})
	mp3s, doneMP3 := start(t, r, Spec{Name: "x.mp3"})
	for range 20 { // 2 × 320 kB for 256 kB
		seconds(wavs, 1)
		seconds(mp3s, 1)
	}
	wavs.Stop("hangup")
	mp3s.Stop("hangup")
	for _, done := range []chan Done{doneWAV, doneMP3} {
		d := <-done
		if !errors.Is(d.Err, syscall.ENOSPC) || d.Size <= 44 {
			t.Errorf("Done = %+v, want a full disk and what was saved", d)
		}
		if strings.HasSuffix(d.Name, ".wav") {
			if pcm, w := sound(t, dir+"/"+d.Name); w.Rate().D(len(pcm)) != d.Duration {
				t.Errorf("%s: %d samples, Done says %v", d.Name, len(pcm), d.Duration)
			}
		}
	}
	if _, err := r.Start(Spec{Name: "y.wav", Channels: 1, Codec: codec.PCMU}); err == nil {
		t.Log("there was room again for a header")
	}
	stop()
}
