package tts

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/experimental"
	esys "github.com/tetratelabs/wazero/experimental/sys"
	"github.com/tetratelabs/wazero/experimental/sysfs"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"

	"ozswitch/media/worker"
)

// Serve is the worker's side of the embedded voice: it makes sentences until r ends. Nothing but frames may be written
// to w. cache is a folder for the compiled engine, shared by all workers; "" costs 0.2 s more at each start.
//
// It must not run in the process that carries calls: Go cannot preempt the engine (house decision 10).
func Serve(r io.Reader, w io.Writer, cache string) error {
	var f flite
	broken := f.load(context.Background(), cache) // before the hello, so that a piece's time limit does not count it
	return worker.Serve(r, w, func(b []byte) ([]byte, error) {
		if broken != nil {
			return nil, broken
		}
		var j job
		if err := json.Unmarshal(b, &j); err != nil {
			return nil, err
		}
		s, err := f.say(context.Background(), j.Voice, j.Text)
		if err != nil {
			return nil, err
		}
		return formatSound(s), nil
	})
}

// flite is the compiled engine. An instance lives for one sentence: its entry point can be called once.
type flite struct {
	runtime wazero.Runtime
	module  wazero.CompiledModule
}

const (
	mostMemory = 256 << 20 // of one instance; a piece of 300 characters needs some 25 MB
	mostSound  = 8 << 20   // bytes of one piece: four minutes
)

func (f *flite) load(ctx context.Context, cache string) error {
	z, err := artefacts.Open(fliteFile)
	if err != nil {
		return ErrNotBuiltIn
	}
	defer z.Close()
	u, err := gzip.NewReader(z)
	if err != nil {
		return fmt.Errorf("unpack the voice: %w", err)
	}
	var code bytes.Buffer
	code.Grow(24 << 20)
	if _, err := io.Copy(&code, u); err != nil {
		return fmt.Errorf("unpack the voice: %w", err)
	}
	// Not WithCloseOnContextDone: it makes the voice six times slower. The switch kills the process instead.
	c := wazero.NewRuntimeConfig().WithMemoryLimitPages(mostMemory >> 16)
	if cache != "" {
		if k, err := wazero.NewCompilationCacheWithDir(cache); err == nil {
			c = c.WithCompilationCache(k)
		}
	}
	f.runtime = wazero.NewRuntimeWithConfig(ctx, c)
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, f.runtime); err != nil {
		return fmt.Errorf("prepare the voice: %w", err)
	}
	if f.module, err = f.runtime.CompileModule(ctx, code.Bytes()); err != nil {
		return fmt.Errorf("compile the voice: %w", err)
	}
	return nil
}

func (f *flite) say(ctx context.Context, voice, text string) (sound, error) {
	out := &outFS{}
	stderr := &cappedBuffer{}
	config := wazero.NewModuleConfig().WithName("").
		WithArgs("flite", "-voice", voice, "-t", text, "-o", "/o.wav").
		WithStderr(stderr).WithStdout(stderr).
		WithFSConfig(wazero.NewFSConfig().(sysfs.FSConfig).WithSysFSMount(out, "/"))
	ctx = experimental.WithMemoryAllocator(ctx, experimental.MemoryAllocatorFunc(func(_, most uint64) experimental.LinearMemory {
		return worker.MapMemory(min(most, mostMemory))
	}))
	m, err := f.runtime.InstantiateModule(ctx, f.module, config)
	if m != nil {
		m.Close(ctx)
	}
	var exit *sys.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 0 {
		err = nil
	}
	if err != nil {
		return sound{}, fmt.Errorf("voice %s: %w: %s", voice, err, stderr.b)
	}
	return pcmOf(out.data)
}

// cappedBuffer keeps the first words of what the engine prints.
type cappedBuffer struct{ b []byte }

func (c *cappedBuffer) Write(p []byte) (int, error) {
	c.b = append(c.b, p[:min(len(p), 400-len(c.b))]...)
	return len(p), nil
}

// outFS is the engine's whole world: a folder with one file in it, in memory.
type outFS struct {
	esys.UnimplementedFS
	data []byte
	made bool
}

func (o *outFS) OpenFile(path string, flag esys.Oflag, _ fs.FileMode) (esys.File, esys.Errno) {
	switch path {
	case "", ".", "/":
		return folder{}, 0
	case "o.wav", "/o.wav":
		o.made = true
		return &outFile{fs: o}, 0
	}
	return nil, esys.ENOENT
}

func (o *outFS) Stat(path string) (sys.Stat_t, esys.Errno) {
	switch {
	case path == "" || path == "." || path == "/":
		return sys.Stat_t{Mode: fs.ModeDir | 0o755, Nlink: 1}, 0
	case o.made && (path == "o.wav" || path == "/o.wav"):
		return sys.Stat_t{Mode: 0o644, Nlink: 1, Size: int64(len(o.data))}, 0
	}
	return sys.Stat_t{}, esys.ENOENT
}

func (o *outFS) Lstat(path string) (sys.Stat_t, esys.Errno) { return o.Stat(path) }

// folder is what "/" opens as.
type folder struct{ esys.UnimplementedFile }

func (folder) IsDir() (bool, esys.Errno)      { return true, 0 }
func (folder) IsAppend() bool                 { return false }
func (folder) SetAppend(bool) esys.Errno      { return esys.EISDIR }
func (folder) Stat() (sys.Stat_t, esys.Errno) { return (&outFS{}).Stat("/") }
func (folder) Close() esys.Errno              { return 0 }
func (folder) Read([]byte) (int, esys.Errno)  { return 0, esys.EISDIR }
func (folder) Write([]byte) (int, esys.Errno) { return 0, esys.EISDIR }

// outFile is the one file, written with seeks back to its header.
type outFile struct {
	esys.UnimplementedFile
	fs *outFS
	at int64
}

func (f *outFile) Stat() (sys.Stat_t, esys.Errno) { return f.fs.Stat("o.wav") }
func (f *outFile) Close() esys.Errno              { return 0 }

func (f *outFile) Read(p []byte) (int, esys.Errno) {
	if f.at >= int64(len(f.fs.data)) {
		return 0, 0
	}
	n := copy(p, f.fs.data[f.at:])
	f.at += int64(n)
	return n, 0
}

func (f *outFile) Write(p []byte) (int, esys.Errno) {
	end := f.at + int64(len(p))
	if end > mostSound {
		return 0, esys.EIO
	}
	if have := int64(len(f.fs.data)); end > have {
		f.fs.data = slices.Grow(f.fs.data, int(end-have))[:end]
		clear(f.fs.data[have:]) // a seek beyond the end leaves zeros
	}
	copy(f.fs.data[f.at:], p)
	f.at = end
	return len(p), 0
}

// place is int64 under another name, because vet takes every Seek of an int64 for an io.Seeker's.
type place = int64

func (f *outFile) Seek(offset place, whence int) (place, esys.Errno) {
	switch whence {
	case io.SeekCurrent:
		offset += f.at
	case io.SeekEnd:
		offset += int64(len(f.fs.data))
	}
	if offset < 0 || offset > mostSound {
		return 0, esys.EINVAL
	}
	f.at = offset
	return offset, 0
}
