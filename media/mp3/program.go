package mp3

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"

	"ozswitch/media"
	"ozswitch/media/worker"
)

// program encodes with the lame that is installed, as a worker's child that dies with it. The frame that tells the length is ours, because lame leaves it out when its table does not fit, as
// at 32 kbit/s.
func program(path string, out *os.File, src []media.Source) error {
	shape, mode := shapeOf(len(src)), "m"
	if len(src) == 2 {
		mode = "j"
	}
	cmd := exec.Command(path, "--quiet", "-r", "-s", "16", "--bitwidth", "16", "--signed", "--little-endian", "-m", mode,
		"--cbr", "-b", strconv.Itoa(shape.kbit), "--resample", "16", "--noreplaygain", "-t", "-", "-")
	if _, err := out.Write(shape.frame()); err != nil {
		return err
	}
	worker.Tie(cmd)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = out, &said
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return fmt.Errorf("mp3: %s: %w", path, err)
	}
	samples, err := feed(in, src)
	in.Close()
	if e := cmd.Wait(); e != nil {
		err = e // says more than the broken pipe
	}
	if err != nil {
		return fmt.Errorf("mp3: %s: %w: %.300s", path, err, said.Bytes())
	}
	size, err := out.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	return shape.finish(out, size-int64(shape.bytes), samples)
}

// feed gives all samples, interleaved, and counts them.
func feed(w io.Writer, src []media.Source) (samples int64, err error) {
	pcm, b := steps(len(src)), make([]byte, 0, 4*step)
	for {
		n, end := next(src, pcm)
		if end != nil && !isEnd(end) {
			return samples, end
		}
		samples += int64(n)
		b = b[:0]
		for i := range n {
			for _, ch := range pcm {
				b = binary.LittleEndian.AppendUint16(b, uint16(ch[i]))
			}
		}
		if _, err := w.Write(b); err != nil {
			return samples, err
		}
		if end != nil {
			return samples, nil
		}
	}
}
