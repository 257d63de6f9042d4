package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"ozswitch/switch/notify"
	"ozswitch/switch/server"
)

// What doctor looks at on the machine itself: clock, limits, voice, disk.

// clock is right when it is not before this program was written, and known to
// be right when the system keeps it synchronised.
func (d *doctor) clock() {
	synced, known := clockSynced()
	d.clockAt(time.Now(), synced, known)
}

func (d *doctor) clockAt(now time.Time, synced, known bool) {
	const check = "clock"
	oldest := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	if t, err := time.Parse(time.RFC3339, thisBuild().Time); err == nil {
		oldest = t
	}
	text := now.Format("2006-01-02 15:04:05 MST")
	switch {
	case now.Before(oldest):
		d.fail(check, "set it: timedatectl set-ntp true", "%s is before this program was written: tokens, certificates and retention will go wrong", text)
	case known && !synced:
		d.warn(check, "run an NTP client (chrony, systemd-timesyncd), unless the host of this container does", "%s, not synchronised", text)
	case known:
		d.ok(check, "%s, synchronised", text)
	default:
		d.ok(check, "%s", text)
	}
}

// descriptors are two a leg (RTP, RTCP), and some for web, files and phones.
func (d *doctor) descriptors() {
	if n, ok := openFiles(); ok {
		d.descriptorsOf(n)
	}
}

func (d *doctor) descriptorsOf(n uint64) {
	const check, spare, perCall = "open files", 64, 4
	calls := max(int64(n)-spare, 0) / perCall
	const do = "ulimit -n 65536, or LimitNOFILE=65536 in the unit of systemd"
	switch {
	case n < 256:
		d.fail(check, do, "limit %d: enough for %d calls at once", n, calls)
	case n < 4096:
		d.warn(check, do, "limit %d: enough for about %d calls at once", n, calls)
	default:
		d.ok(check, "limit %d", n)
	}
}

// buffers: the SIP socket asks for 4 MiB, so that a burst of new calls can wait
// in it; the kernel gives at most net.core.rmem_max.
func (d *doctor) buffers() {
	if most, ok := sysctl("net/core/rmem_max"); ok {
		def, _ := sysctl("net/core/rmem_default")
		d.buffersOf(most, def)
	}
}

func (d *doctor) buffersOf(most, def int) {
	const check, want, least = "UDP buffers", 4 << 20, 200 << 10
	do := fmt.Sprintf("sysctl -w net.core.rmem_max=%d", want)
	text := fmt.Sprintf("net.core.rmem_max %d, rmem_default %d", most, def)
	switch {
	case most < least || def != 0 && def < least/2:
		d.warn(check, do+" net.core.rmem_default=212992", "%s: packets will be lost under load", text)
	case most < want:
		d.warn(check, do, "%s: bursts of more than some hundred new calls at once may lose messages, which are then repeated", text)
	default:
		d.ok(check, "%s", text)
	}
}

func sysctl(name string) (int, bool) {
	b, err := os.ReadFile("/proc/sys/" + name)
	if err != nil {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	return n, err == nil
}

// voices lets the configured voice speak, and lists the others.
func (d *doctor) voices(cfg *server.Config) {
	const check = "voice"
	var others []string
	for _, name := range []string{"espeak-ng", "flite"} {
		if _, err := exec.LookPath(name); err == nil {
			others = append(others, name)
		}
	}
	also := ""
	if len(others) > 0 {
		also = "; also installed: " + strings.Join(others, ", ")
	}
	took, engine, err := firstWords(d.ctx, cfg)
	if err != nil {
		do := "make assets && make build, or set speech.engine to an engine that is installed"
		if cfg.Speech.Engine == "espeak-ng" || cfg.Speech.Engine == "flite" {
			do = "apt-get install " + cfg.Speech.Engine + ", or set speech.engine: auto"
		}
		if cfg.Speech.Engine == "http" {
			do = "try: curl -d 'hello' -H 'Content-Type: text/plain' " + notify.Blank(cfg.Speech.URL) + " -o hello.wav"
		}
		d.fail(check, do, "%v%s", err, also)
		return
	}
	if engine == "espeak-ng" || engine == "flite" {
		also = ""
	}
	d.ok(check, "%s speaks, ready after %.1f s%s", engine, took.Seconds(), also)
}

// firstWords starts the voice and has it say something.
func firstWords(ctx context.Context, cfg *server.Config) (took time.Duration, engine string, err error) {
	begun := time.Now()
	v, err := newVoice(cfg.Speech)
	if err != nil {
		return 0, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute) // on a busy machine; one that is stuck is told as well
	defer cancel()
	done := make(chan error, 1)
	run, stop := context.WithCancel(ctx)
	go func() { done <- v.Run(run) }()
	err = v.Warm(ctx)
	took = time.Since(begun)
	stop()
	<-done
	return took, v.Engine(), err
}

// data is the folder, its rights and its space.
func (d *doctor) data(cfg *server.Config) {
	const check = "data folder"
	dir := cfg.Data
	at, missing := dir, false
	for {
		if info, err := os.Stat(at); err == nil {
			if !info.IsDir() {
				d.fail(check, "set data: to a folder", "%s is no folder", at)
				return
			}
			break
		}
		up := filepath.Dir(at)
		if up == at {
			break
		}
		at, missing = up, true
	}
	f, err := os.CreateTemp(at, ".ozswitch-doctor-*")
	if err != nil {
		d.fail(check, "chown it to the user of the service, or set data: in the configuration", "%s cannot be written: %v", at, lastPath(err))
		return
	}
	_, err = f.Write(make([]byte, 64<<10))
	err = cmp.Or(err, f.Sync(), f.Close())
	os.Remove(f.Name())
	if err != nil {
		d.fail(check, "make room, or set data: to another disk", "%s cannot be written: %v", at, lastPath(err))
		return
	}
	text := dir
	if missing {
		text += " (will be made)"
	}
	free, total, ok := diskSpace(at)
	if !ok || total == 0 {
		d.ok(check, "%s", text)
		return
	}
	percent := float64(free) / float64(total) * 100
	text = fmt.Sprintf("%s: %.1f GiB free (%.0f %%), about %d hours of recordings", text, float64(free)/(1<<30), percent, free/(32_000/8*3600))
	switch {
	case percent < float64(cfg.Retention.MinFree):
		d.fail(check, "make room; retention.min_free refuses recordings", "%s", text)
	case free < 1<<30:
		d.warn(check, "make room, or set retention.recordings", "%s", text)
	default:
		d.ok(check, "%s", text)
	}
}

// lastPath leaves out the name of the file that was tried.
func lastPath(err error) error {
	if e, ok := err.(*os.PathError); ok {
		return e.Err
	}
	return err
}
