package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"ozswitch/media"
	"ozswitch/media/wav"
	"ozswitch/ozml/trace"
	"ozswitch/switch/eventlog"
	"ozswitch/switch/phone"
	"ozswitch/switch/server"
)

// newDemoCommand shows the main job on an empty machine (contract.md).
func newDemoCommand() *cobra.Command {
	var once bool
	var data string
	c := &cobra.Command{
		Use:   "demo",
		Short: "Place a call to a sample web app and show all of it",
		Long: "Starts a switch on 127.0.0.1 with a small web app, calls it as a SIP phone, speaks,\n" +
			"presses a key and shows the transcript; the recording stays. Then it goes on as\n" +
			"'ozswitch dev' until Ctrl-C; with --once it ends, with status 0 if all went well.",
		Example: "  ozswitch demo --once",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			begun := time.Now()
			cfg, err := server.Dev(rand.Reader, "")
			if err != nil {
				return err
			}
			cfg.Data, cfg.Log.Level = data, "warn"
			if err := freePorts(cfg); err != nil {
				return err
			}
			app, err := newSampleApp()
			if err != nil {
				return err
			}
			defer app.close()
			for i := range cfg.Extensions {
				if e := &cfg.Extensions[i]; e.Number == "9000" {
					e.Type, e.URL = "api", app.url("/call")
				}
			}
			s, err := newServer(cfg, c.ErrOrStderr(), nil)
			if err != nil {
				return err
			}
			return running(c.Context(), s, func(ctx context.Context) error {
				out := c.OutOrStdout()
				fmt.Fprintf(out, "ozswitch %s: a call from a SIP phone to a web app at %s\n\n", thisBuild().Version, app.url("/call"))
				if err := demoCall(ctx, s, app, out, cfg.Data); err != nil {
					return err
				}
				if once {
					return nil
				}
				welcome(c, cfg, s, time.Since(begun))
				<-ctx.Done()
				return nil
			})
		},
	}
	c.Flags().BoolVar(&once, "once", false, "end after the call")
	c.Flags().StringVar(&data, "data", "./ozswitch-data", "folder for recordings, logs and the database")
	return c
}

// freePorts replaces ports that are taken.
func freePorts(cfg *server.Config) error {
	if !freeSIP(cfg.SIP.Listen[0].Address) {
		for i := range cfg.SIP.Listen {
			cfg.SIP.Listen[i].Address = "127.0.0.1:0"
		}
	}
	if udp, err := net.ListenPacket("udp", fmt.Sprintf("%s:%d", cfg.RTP.Address, cfg.RTP.WebRTCPort)); err == nil {
		udp.Close()
	} else if udp, err = net.ListenPacket("udp", cfg.RTP.Address+":0"); err == nil {
		cfg.RTP.WebRTCPort = udp.LocalAddr().(*net.UDPAddr).Port
		udp.Close()
	}
	tcp, err := net.Listen("tcp", cfg.HTTP.Listen)
	if err != nil {
		if tcp, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return err
		}
		cfg.HTTP.Listen = tcp.Addr().String() // it stands in links, so it must be known
	}
	return tcp.Close()
}

// freeSIP tells whether a port is free for UDP and TCP.
func freeSIP(addr string) bool {
	udp, err := net.ListenPacket("udp", addr)
	if err != nil {
		return false
	}
	udp.Close()
	tcp, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	tcp.Close()
	return true
}

// demoScript is what the sample app answers.
const demoScript = `<?xml version="1.0"?>
<Response>
  <Speak>Hello from ozswitch. Say something, and press 1 when you are done.</Speak>
  <Record Format="wav" FinishDigits="1" FinishedUrl="%s"/>
  <Delay>4</Delay>
  <Hangup/>
</Response>
`

// A sampleApp is the web app of the demo.
type sampleApp struct {
	listener net.Listener
	server   http.Server
	done     sync.WaitGroup
	recorded chan http.Header // the fields of RecordCompleted
}

func newSampleApp() (*sampleApp, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a := &sampleApp{listener: l, recorded: make(chan http.Header, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /call", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		fmt.Fprintf(w, demoScript, a.url("/recorded"))
	})
	mux.HandleFunc("POST /recorded", func(_ http.ResponseWriter, r *http.Request) {
		if r.ParseForm() == nil {
			select {
			case a.recorded <- http.Header(r.PostForm):
			default:
			}
		}
	})
	a.server.Handler = mux
	a.done.Go(func() { _ = a.server.Serve(l) })
	return a, nil
}

func (a *sampleApp) url(path string) string { return "http://" + a.listener.Addr().String() + path }

func (a *sampleApp) close() {
	a.server.Close()
	a.done.Wait()
}

// talkFor is how long the demo's caller speaks (a tone) before it presses 1.
const talkFor = 2 * time.Second

// demoCall places the call, prints its transcript and checks what it left.
func demoCall(ctx context.Context, s *server.Server, app *sampleApp, out io.Writer, data string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	events := s.Events().Subscribe("", eventlog.Now)
	defer events.Close()
	p := phone.New(phone.Config{User: "1001", Name: "Demo", Log: slog.New(slog.DiscardHandler)})
	under, stop := context.WithCancel(ctx)
	var phones sync.WaitGroup
	defer phones.Wait()
	defer stop()
	if err := p.Bind(); err != nil {
		return err
	}
	phones.Go(func() { _ = p.Run(under) })

	call, err := p.Place("9000", phone.Options{Server: s.SIPAddr().String()})
	if err != nil {
		return err
	}
	defer call.Hangup()
	if err := showCall(ctx, events, call, out); err != nil {
		return err
	}
	call.Wait(ctx)
	return checkDemo(ctx, app, out, data)
}

// showCall prints events until the call has ended. When the recording runs, the
// caller speaks and then presses 1.
func showCall(ctx context.Context, events *eventlog.Subscription, call *phone.Call, out io.Writer) error {
	printer := trace.NewPrinter(out)
	_, printer.Live = terminalWidth(out) // in a file the lengths matter more
	var press <-chan time.Time
	next := make(chan trace.Event)
	go func() {
		defer close(next)
		for e, err := range events.Events(ctx) {
			if err != nil {
				return
			}
			select {
			case next <- e:
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		select {
		case e, ok := <-next:
			if !ok {
				return fmt.Errorf("demo: the call did not end: %w", context.Cause(ctx))
			}
			printer.Emit(e)
			switch e.Type {
			case trace.RecordStart:
				if err := call.Say(media.Tone(8000, 440, -12, talkFor)); err != nil {
					return err
				}
				press = time.After(talkFor)
			case trace.CallEnded:
				return printer.Flush()
			}
		case <-press:
			if err := call.Press("1"); err != nil {
				return err
			}
		}
	}
}

// checkDemo looks at what the call left: RecordCompleted, and the file.
func checkDemo(ctx context.Context, app *sampleApp, out io.Writer, data string) error {
	var fields http.Header
	select {
	case fields = <-app.recorded:
	case <-ctx.Done():
		return errors.New("demo: RecordCompleted was not posted")
	}
	get := func(name string) string {
		if v := fields[name]; len(v) > 0 {
			return v[0]
		}
		return ""
	}
	path := filepath.Join(data, filepath.FromSlash(get("RecordPath")))
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("demo: the recording: %w", err)
	}
	defer f.Close()
	r, err := wav.NewReader(f)
	if err != nil {
		return fmt.Errorf("demo: the recording %s: %w", path, err)
	}
	pcm, err := media.ReadAll(r)
	if err != nil {
		return fmt.Errorf("demo: the recording %s: %w", path, err)
	}
	length := r.Rate().D(len(pcm))
	fmt.Fprintf(out, "\nRecording: %s, %.1f s (ended by %s)\n", path, length.Seconds(), get("Reason"))
	if get("Reason") != "digit" || length < talkFor-time.Second/2 {
		return fmt.Errorf("demo: the recording should have been ended by the key after %v", talkFor)
	}
	return nil
}
