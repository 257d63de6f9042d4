package switchtest

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"ozswitch/ozml/trace"
)

// TestFullDisk: a disk that is full ends the recording, not the call: what was saved is told, the script goes on, and a
// key that would have ended the recording has nothing to end any more.
func TestFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a small disk")
	}
	Run(t, func(w *World) {
		dir := filepath.Join(w.Config.Data, "recordings")
		if err := os.MkdirAll(dir, 0o750); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=128k"); err != nil {
			t.Skipf("no small disk here: %v", err)
		}
		w.T.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
		w.Config.Retention.MinFree = 0
		w.Web.Serve("/ivr", `<Response><Record Format="wav" FinishDigits="#" FinishedUrl="http://app/done"/><Delay>20</Delay><Speak>still here</Speak></Response>`)
		w.Web.Serve("/done", "")
		ann := w.Phone("1001").Dial("9000")
		ann.Says(15 * time.Second)
		w.Pass(15 * time.Second)
		ann.Press("#")
		done := w.Web.Wait("RecordCompleted", 1).Fields
		if done.Get("Reason") != "error" || done.Get("Error") == "" || done.Get("Size") == "0" || done.Get("Digit") != "" {
			t.Errorf("RecordCompleted says %v, want an error and what was saved", done)
		}
		if st, err := os.Stat(filepath.Join(w.Config.Data, done.Get("RecordPath"))); err != nil || st.Size() < 64<<10 {
			t.Errorf("the file: %v, %v; want the sound until the disk was full", st, err)
		}
		ann.Hears("still here")
		ann.Ends()
		if e := last(w.Events(ann.ID()), trace.RecordEnd); e.Reason != "error" {
			t.Errorf("the recording ended by %q, want error", e.Reason)
		}
		if n := len(w.Web.Posted("RecordCompleted")); n != 1 {
			t.Errorf("%d RecordCompleted, want one", n)
		}
	})
}
