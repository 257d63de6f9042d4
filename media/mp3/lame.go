package mp3

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"ozswitch/media"
	"ozswitch/media/worker"
)

// lame is the compiled engine. Each file has an instance of its own: that takes 3 ms, and whatever one file does to
// the engine ends with it.
type lame struct {
	runtime wazero.Runtime
	module  wazero.CompiledModule
}

const mostMemory = 64 << 20 // of one instance, which needs 17 MB

// load compiles the engine; wasm is a file, "" for the embedded one.
func load(ctx context.Context, wasm string) (*lame, error) {
	return prepare(ctx, wasm, wazero.NewRuntimeConfig())
}

func prepare(ctx context.Context, wasm string, c wazero.RuntimeConfig) (*lame, error) {
	code, err := artefacts.ReadFile(lameFile)
	if wasm != "" {
		code, err = os.ReadFile(wasm)
	} else if err != nil {
		return nil, ErrNoEncoder
	}
	if err != nil {
		return nil, fmt.Errorf("mp3: read the encoder: %w", err)
	}
	l := &lame{runtime: wazero.NewRuntimeWithConfig(ctx, c.WithMemoryLimitPages(mostMemory>>16))}
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, l.runtime); err != nil {
		return nil, fmt.Errorf("mp3: prepare the encoder: %w", err)
	}
	_, err = l.runtime.NewHostModuleBuilder("env").NewFunctionBuilder().WithFunc(func(uint32) {}).
		Export(grown).Instantiate(ctx)
	if err != nil {
		return nil, fmt.Errorf("mp3: prepare the encoder: %w", err)
	}
	if l.module, err = l.runtime.CompileModule(ctx, code); err != nil {
		return nil, fmt.Errorf("mp3: compile the encoder: %w", err)
	}
	return l, nil
}

// CheckWasm tells what is wrong with a file that is to be used instead of the embedded encoder, without running it: nil
// when it is WebAssembly that has the functions and a memory. Its license allows that it is replaced, so only the
// embedded one is pinned to a version.
func CheckWasm(file string) error {
	ctx := context.Background()
	if head, err := firstBytes(file); err != nil {
		return fmt.Errorf("mp3: the encoder: %w", err)
	} else if string(head) != "\x00asm" {
		return fmt.Errorf("mp3: the encoder %s is no WebAssembly", file)
	}
	l, err := prepare(ctx, file, wazero.NewRuntimeConfigInterpreter()) // nothing runs here: no machine code is made
	if err != nil {
		return err
	}
	defer l.runtime.Close(ctx)
	var missing []string
	for _, name := range functions {
		if l.module.ExportedFunctions()[name] == nil {
			missing = append(missing, name)
		}
	}
	if len(l.module.ExportedMemories()) == 0 {
		missing = append(missing, "memory")
	}
	if len(missing) > 0 {
		return fmt.Errorf("mp3: the encoder %s does not export %s", file, strings.Join(missing, ", "))
	}
	for _, f := range l.module.ImportedFunctions() {
		module, name, _ := f.Import()
		if module != wasi_snapshot_preview1.ModuleName && (module != "env" || name != grown) {
			return fmt.Errorf("mp3: the encoder %s imports %s.%s, which there is not", file, module, name)
		}
	}
	return nil
}

// functions are what an encoder is driven by.
var functions = []string{"_initialize", "malloc", "free", "enc_init", "enc_get_pcm", "enc_encode", "enc_flush", "enc_get_out_buf"}

// grown is what Emscripten tells its surroundings.
const grown = "emscripten_notify_memory_growth"

func firstBytes(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, 4)
	n, err := f.Read(head)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return head[:n], err
}

// encode writes the whole file.
func (l *lame) encode(ctx context.Context, out *os.File, src []media.Source) (err error) {
	ctx = experimental.WithMemoryAllocator(ctx, experimental.MemoryAllocatorFunc(func(_, most uint64) experimental.LinearMemory {
		return worker.MapMemory(min(most, mostMemory))
	}))
	m, err := l.runtime.InstantiateModule(ctx, l.module, wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize"))
	if err != nil {
		return fmt.Errorf("mp3: start the encoder: %w", err)
	}
	defer m.Close(ctx)
	in := &instance{ctx: ctx, m: m}
	defer func() {
		if in.err != nil {
			err = fmt.Errorf("mp3: the encoder: %w", in.err)
		}
	}()
	shape := shapeOf(len(src))
	ref := in.open(len(src), shape.kbit)
	if in.err != nil {
		return nil
	}
	// The first frame is silence until the end is known: also a half-written file plays.
	if _, err := out.Write(shape.frame()); err != nil {
		return err
	}
	pcm := steps(len(src))
	samples, size := int64(0), int64(0)
	for {
		n, end := next(src, pcm)
		if end != nil && !isEnd(end) {
			return end
		}
		samples += int64(n)
		b := in.encode(ref, pcm, n)
		if end != nil {
			b = append(append([]byte{}, b...), in.flush(ref)...)
		}
		if in.err != nil {
			return nil
		}
		size += int64(len(b))
		if _, err := out.Write(b); err != nil {
			return err
		}
		if end != nil {
			break
		}
	}
	return shape.finish(out, size, samples)
}

// instance is the running engine; after the first error it does nothing more.
type instance struct {
	ctx context.Context
	m   api.Module
	err error
}

var errMemory = errors.New("an address outside of its memory")

func (i *instance) call(name string, args ...uint64) uint32 {
	if i.err != nil {
		return 0
	}
	f := i.m.ExportedFunction(name)
	if f == nil {
		i.err = fmt.Errorf("it has no function %q", name)
		return 0
	}
	out, err := f.Call(i.ctx, args...)
	if err != nil {
		i.err = fmt.Errorf("%s: %w", name, err)
		return 0
	}
	if len(out) == 0 {
		return 0
	}
	return uint32(out[0])
}

// open makes an encoder: channels, rate in, kbit/s, quality of variable bit rates (-1: constant), rate out.
func (i *instance) open(channels, kbit int) uint64 {
	p := i.call("malloc", 20)
	b := make([]byte, 0, 20)
	for _, v := range []uint32{uint32(channels), uint32(rate), uint32(kbit), math.Float32bits(-1), uint32(rate)} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	if i.err == nil && !i.m.Memory().Write(p, b) {
		i.err = errMemory
	}
	ref := i.call("enc_init", uint64(p))
	i.call("free", uint64(p))
	if i.err == nil && ref == 0 {
		i.err = fmt.Errorf("it refuses %d kbit/s", kbit)
	}
	return uint64(ref)
}

// encode takes n samples of each channel and gives the bytes that are ready; they are valid until the next call.
func (i *instance) encode(ref uint64, pcm [][]int16, n int) []byte {
	if n == 0 {
		return nil
	}
	at := i.call("enc_get_pcm", ref, uint64(n))
	for c, samples := range pcm {
		if i.err != nil {
			return nil
		}
		mem := i.m.Memory()
		p, ok := mem.ReadUint32Le(at + uint32(4*c))
		if b, fits := mem.Read(p, uint32(4*n)); ok && fits {
			for j, s := range samples[:n] {
				binary.LittleEndian.PutUint32(b[4*j:], math.Float32bits(float32(s)/32768))
			}
		} else {
			i.err = errMemory
		}
	}
	return i.out(ref, i.call("enc_encode", ref, uint64(n)))
}

func (i *instance) flush(ref uint64) []byte { return i.out(ref, i.call("enc_flush", ref)) }

// out gives the n bytes that a call made.
func (i *instance) out(ref uint64, n uint32) []byte {
	if i.err == nil && int32(n) < 0 {
		i.err = fmt.Errorf("it failed with %d", int32(n))
	}
	p := i.call("enc_get_out_buf", ref)
	if i.err != nil || n == 0 {
		return nil
	}
	b, ok := i.m.Memory().Read(p, n)
	if !ok {
		i.err = errMemory
	}
	return b
}
