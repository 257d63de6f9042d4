package tts

import (
	"container/list"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ozswitch/media"
)

// memory keeps the sentences used last.
type memory struct {
	most int64

	mu    sync.Mutex
	bytes int64
	order list.List // of cached, used last in front
	byKey map[string]*list.Element
}

type cached struct {
	key   string
	sound sound
}

func newMemory(most int64) *memory { return &memory{most: most, byKey: map[string]*list.Element{}} }

func (m *memory) get(key string) (sound, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.byKey[key]
	if e == nil {
		return sound{}, false
	}
	m.order.MoveToFront(e)
	return e.Value.(cached).sound, true
}

func (m *memory) put(key string, s sound) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byKey[key] != nil {
		return
	}
	m.byKey[key] = m.order.PushFront(cached{key, s})
	m.bytes += size(s)
	for m.bytes > m.most {
		last := m.order.Remove(m.order.Back()).(cached)
		delete(m.byKey, last.key)
		m.bytes -= size(last.sound)
	}
}

func size(s sound) int64 { return 2*int64(len(s.pcm)) + 200 }

// disk keeps sentences in files of their own, named by key. Nothing in it is precious: a file that is not as expected
// is made again, a disk that fails costs only time.
type disk struct {
	dir  string
	most int64 // bytes; negative: no limit
	log  *slog.Logger

	bytes atomic.Int64 // what is there, as far as known
	wrong sync.Once    // the first failure is logged, not each
}

const diskMagic = "OZSAY1\r\n"

func (d *disk) path(key string) string { return filepath.Join(d.dir, key[:2], key) }

func (d *disk) get(key string) (sound, bool) {
	name := d.path(key)
	b, err := os.ReadFile(name)
	if err != nil {
		return sound{}, false
	}
	s, ok := parseSound(b)
	if !ok {
		os.Remove(name)
		return sound{}, false
	}
	now := time.Now()
	os.Chtimes(name, now, now) // what is used stays
	return s, true
}

func (d *disk) put(key string, s sound) {
	if err := d.write(key, formatSound(s)); err != nil {
		d.wrong.Do(func() { d.log.Warn("speech is not kept on disk", "err", err) })
	}
}

func (d *disk) write(key string, b []byte) error {
	name := d.path(key)
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), "new-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		os.Remove(f.Name())
		return err
	}
	d.bytes.Add(int64(len(b)))
	return nil
}

// run sweeps at the start and each minute in which too much was written.
func (d *disk) run(ctx context.Context) {
	d.sweep(time.Now())
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if d.most >= 0 && d.bytes.Load() > d.most {
				d.sweep(time.Now())
			}
		}
	}
}

// sweep removes what was used longest ago until nine tenths of the limit are left, and forgotten halves of files.
func (d *disk) sweep(now time.Time) {
	type file struct {
		path string
		size int64
		used time.Time
	}
	var files []file
	sum := int64(0)
	filepath.WalkDir(d.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil
		}
		i, err := e.Info()
		if err != nil {
			return nil
		}
		if strings.HasPrefix(e.Name(), "new-") {
			if now.Sub(i.ModTime()) > time.Hour {
				os.Remove(path)
			}
			return nil
		}
		files = append(files, file{path, i.Size(), i.ModTime()})
		sum += i.Size()
		return nil
	})
	if d.most >= 0 && sum > d.most {
		slices.SortFunc(files, func(a, b file) int { return a.used.Compare(b.used) })
		for _, f := range files {
			if sum <= d.most/10*9 {
				break
			}
			if os.Remove(f.path) == nil {
				sum -= f.size
			}
		}
	}
	d.bytes.Store(sum)
}

// formatSound and parseSound: magic, rate, checksum of the samples, samples; little endian. The same goes over the
// worker's pipe.
func formatSound(s sound) []byte {
	b := make([]byte, 0, len(diskMagic)+8+2*len(s.pcm))
	b = append(b, diskMagic...)
	b = binary.LittleEndian.AppendUint32(b, uint32(s.rate))
	b = binary.LittleEndian.AppendUint32(b, 0)
	for _, v := range s.pcm {
		b = append(b, byte(v), byte(uint16(v)>>8))
	}
	head := len(diskMagic) + 8
	binary.LittleEndian.PutUint32(b[head-4:], crc32.ChecksumIEEE(b[head:]))
	return b
}

func parseSound(b []byte) (sound, bool) {
	head := len(diskMagic) + 8
	if len(b) < head || len(b)%2 != 0 || string(b[:len(diskMagic)]) != diskMagic {
		return sound{}, false
	}
	rate := binary.LittleEndian.Uint32(b[head-8:])
	if rate < 4000 || rate > 96000 || binary.LittleEndian.Uint32(b[head-4:]) != crc32.ChecksumIEEE(b[head:]) {
		return sound{}, false
	}
	return sound{media.Rate(rate), samples(b[head:])}, true
}

// samples reads 16-bit little-endian PCM.
func samples(b []byte) []int16 {
	pcm := make([]int16, len(b)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return pcm
}

// pcmOf finds the samples in the WAV file of an engine, whose lengths may not be filled in: 16-bit PCM; of two channels
// the mean.
func pcmOf(b []byte) (sound, error) {
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return sound{}, fmt.Errorf("tts: the engine wrote %d bytes that are no WAV file", len(b))
	}
	le := binary.LittleEndian
	rate, channels := uint32(0), uint16(0)
	for at := int64(12); at+8 <= int64(len(b)); {
		id, n := string(b[at:at+4]), int64(le.Uint32(b[at+4:]))
		at += 8
		body := b[at:min(at+n, int64(len(b)))]
		switch {
		case id == "fmt " && len(body) >= 16:
			format, bits := le.Uint16(body), le.Uint16(body[14:])
			channels, rate = le.Uint16(body[2:]), le.Uint32(body[4:])
			switch {
			case format != 1 && format != 0xFFFE || bits != 16 || channels < 1 || channels > 2:
				return sound{}, fmt.Errorf("tts: the engine wrote WAV format %d, %d bits, %d channels: want PCM of 16 bits, one channel", format, bits, channels)
			case rate < 4000 || rate > 96000:
				return sound{}, fmt.Errorf("tts: the engine wrote %d samples a second", rate)
			}
		case id == "data" && rate != 0:
			pcm := samples(body)
			if channels == 2 {
				for i := range len(pcm) / 2 {
					pcm[i] = int16((int(pcm[2*i]) + int(pcm[2*i+1])) / 2)
				}
				pcm = pcm[:len(pcm)/2]
			}
			return sound{media.Rate(rate), pcm}, nil
		}
		at += n + n&1
	}
	return sound{}, fmt.Errorf("tts: no sound in what the engine wrote")
}
