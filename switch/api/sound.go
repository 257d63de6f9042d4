package api

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ozswitch/switch/export"
)

// getPeaks gives the waveform of a call; of one that is up what there is of it.
func (v *V1) getPeaks(ctx context.Context, in *struct {
	CallPath
	Width int `query:"width" minimum:"1" maximum:"20000" default:"1200" doc:"how many steps"`
}) (*one[export.Peaks], error) {
	c, err := v.exported(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	done, err := v.sounds.slot(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	p, err := export.PeaksOf(c, in.Width)
	if errors.Is(err, fs.ErrNotExist) {
		if _, live := v.Line(in.ID); live { // none has been stored yet
			return give(export.Peaks{Out: []float32{}, In: []float32{}})
		}
	}
	if err != nil {
		return nil, soundError(err)
	}
	return give(p)
}

// getSound gives the sound of a call: left what we said, right the caller.
func (v *V1) getSound(ctx context.Context, in *struct {
	CallPath
	Range string `header:"Range" doc:"bytes=0-999: only a part (RFC 9110, 14.2)"`
}) (*huma.StreamResponse, error) {
	c, err := v.exported(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	done, err := v.sounds.slot(ctx)
	if err != nil {
		return nil, err
	}
	s, err := export.SoundOf(c)
	done()
	if err != nil {
		return nil, soundError(err)
	}
	return streamed(func(w http.ResponseWriter, r *http.Request) {
		defer s.Close()
		h := w.Header()
		h.Set("Content-Type", "audio/wav")
		h.Set("Cache-Control", "private, no-cache")
		h.Set("Content-Disposition", `inline; filename="call-`+c.ID+`.wav"`)
		// The length is part of the tag: the sound of a call that is up grows.
		h.Set("ETag", `"`+c.ID+"-"+strconv.FormatInt(s.Size(), 36)+`"`)
		http.ServeContent(&patient{ResponseWriter: w, c: http.NewResponseController(w)}, r, "", time.Time{}, s)
	})
}

func soundError(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return notFound("there is no sound of this call: see log.sound")
	}
	return err
}

// getExport writes a call in one of the forms that package export knows.
func (v *V1) getExport(kind, contentType string, write exporter) func(context.Context, *CallPath) (*huma.StreamResponse, error) {
	return func(ctx context.Context, in *CallPath) (*huma.StreamResponse, error) {
		c, err := v.exported(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		done, err := v.sounds.slot(ctx)
		if err != nil {
			return nil, err
		}
		return streamed(func(w http.ResponseWriter, r *http.Request) {
			defer done()
			h := w.Header()
			h.Set("Content-Type", contentType)
			h.Set("Content-Disposition", `attachment; filename="call-`+c.ID+"."+kind+`"`)
			out := &patient{ResponseWriter: w, c: http.NewResponseController(w)}
			if err := write(out, c); err != nil {
				if !out.begun {
					h.Del("Content-Disposition")
					v.problem(r.Context(), soundError(err)).write(w)
					return
				}
				v.log().Warn("api: an export was cut short", "call", c.ID, "kind", kind, "err", err)
				panic(http.ErrAbortHandler) // so that the client sees it
			}
		})
	}
}

// patient gives a client time for each piece of a long answer, and not for all
// of it.
type patient struct {
	http.ResponseWriter
	c     *http.ResponseController
	begun bool
}

// Write implements io.Writer.
func (p *patient) Write(b []byte) (int, error) {
	p.begun = true
	// Not every writer can: a test's, or HTTP/1.0's.
	_ = p.c.SetWriteDeadline(time.Now().Add(readTime))
	return p.ResponseWriter.Write(b)
}
