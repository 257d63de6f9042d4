package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/url"
	"strings"
	"time"

	"ozswitch/ozml"
	"ozswitch/ozml/syntax"
	"ozswitch/switch/notify"
)

// A crawlStep is a URL to ask, and why.
type crawlStep struct {
	url    string
	kind   string // of the notification
	digits string // of DtmfEntered
	from   string // the place that names it, "" when the user did
}

// crawled is a document that was found, with its remarks.
type crawled struct {
	file    *syntax.File
	line    string // of a document that is refused
	remarks []ozml.Diagnostic
	next    string // the URL that it jumps to before anything else happens
	nextAt  syntax.Span
}

// A crawler asks web apps as a call would, each URL once for each notification.
type crawler struct {
	v     *vet
	web   *notify.CallWeb
	hosts map[string]bool // that are asked
	typed []string        // those of them that the user named: their addresses may be any (decisions 9)
	todo  []crawlStep
	seen  map[crawlStep]bool // without from
	pages map[string]*crawled
	order []*crawled
	far   int // URLs that were left out
}

// crawlFrom looks at a document that was read, or asks a URL for it, and follows
// it.
func (v *vet) crawlFrom(first crawlStep, have *crawled) error {
	r := &crawler{v: v, hosts: map[string]bool{}, seen: map[crawlStep]bool{}, pages: map[string]*crawled{}}
	for _, h := range v.hosts {
		r.hosts[strings.ToLower(h)] = true
		r.typed = append(r.typed, h)
	}
	if first.url != "" {
		r.hosts[hostOf(first.url)] = true
		r.typed = append(r.typed, hostOf(first.url))
		r.todo = append(r.todo, first)
	}
	if have != nil {
		r.keep(have)
	}
	ctx, cancel := context.WithTimeout(v.c.Context(), v.limit)
	defer cancel()
	asked := 0
	for ; len(r.todo) > 0; asked++ {
		if asked == v.pages || ctx.Err() != nil {
			fmt.Fprintf(v.c.ErrOrStderr(), "ozswitch: vet: URLs not asked, see --crawl-pages and --crawl-time: %d more\n", len(r.todo))
			break
		}
		step := r.todo[0]
		r.todo = r.todo[1:]
		if err := r.ask(ctx, step); err != nil {
			return err
		}
	}
	if v.c.Context().Err() != nil {
		return context.Cause(v.c.Context())
	}
	r.circles()
	if r.far > 0 {
		talk(v.c, "URLs of other hosts that are not asked (see --crawl-host): %d", r.far)
	}
	v.docs += asked
	for _, p := range r.order {
		if err := v.tell(p.remarks, p.file, p.line); err != nil {
			return err
		}
	}
	return nil
}

// client makes the way to the web once the hosts are known.
func (r *crawler) client() (err error) {
	if r.web != nil {
		return nil
	}
	allow := append([]string{string(notify.Public), string(notify.Loopback)}, r.typed...)
	c, err := notify.New(notify.Config{Allow: allow, UserAgent: userAgent(), IsCommand: isCommand(r.v.table), Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err == nil {
		r.web = c.ForCall(notify.CallContext{Info: ozml.CallInfo{ID: "vet", Caller: "1001", Dialed: "9000", Extension: "9000", Direction: "Inbound"}})
	}
	return err
}

// ask posts one notification and looks at the answer.
func (r *crawler) ask(ctx context.Context, s crawlStep) error {
	if err := r.client(); err != nil {
		return err
	}
	n := ozml.Notification{Name: s.kind, URL: s.url}
	if s.digits != "" {
		n.Fields = url.Values{"DtmfDigits": {s.digits}}
	}
	begun := time.Now()
	a := r.web.Try(ctx, n)
	if ctx.Err() != nil && a.Status == 0 {
		fmt.Fprintf(r.v.c.ErrOrStderr(), "ozswitch: vet: %s: given up after %v\n", s.url, time.Since(begun).Round(time.Millisecond))
		return nil
	}
	p := &crawled{}
	if fe := a.Err; fe != nil && !strings.HasPrefix(fe.Code, "OZ10") {
		where := ""
		if s.from != "" {
			where = " (named in " + s.from + ")"
		}
		p.remarks = []ozml.Diagnostic{{File: s.url, Code: fe.Code, Msg: fe.Msg + where, Hint: fe.Hint}}
		r.order = append(r.order, p)
		return nil
	}
	d := document{name: s.url, src: a.Body}
	if _, params, err := mime.ParseMediaType(a.ContentType); err == nil {
		d.charset = params["charset"]
	}
	if p.file, p.remarks, p.line = check(d, r.v.table, r.v.in); p.file == nil {
		r.order = append(r.order, p)
		return nil
	}
	if r.pages[s.url] == nil {
		r.pages[s.url] = p
	}
	r.keep(p)
	return nil
}

// keep takes a document and lines up the URLs that it can reach.
func (r *crawler) keep(p *crawled) {
	r.order = append(r.order, p)
	quick := true // nothing that takes time has happened yet
	for _, n := range p.file.Root.Children {
		e, ok := n.(*syntax.Element)
		if !ok {
			continue
		}
		cmd := r.v.table.Lookup(e.Name)
		if cmd == nil {
			quick = false
			continue
		}
		if u := crawlText(e, "Url"); cmd.Name == "GoTo" && quick && isURL(u) {
			p.next, p.nextAt = u, e.NameSpan
		}
		switch cmd.Name {
		case "Var", "Array", "OnHangup", "Call":
		default:
			quick = false
		}
	}
	r.find(p.file, p.file.Root)
}

// find looks for URLs whose answers run on the call, or on another that this one
// starts.
func (r *crawler) find(f *syntax.File, e *syntax.Element) {
	for _, n := range e.Children {
		c, ok := n.(*syntax.Element)
		if !ok {
			continue
		}
		s := crawlStep{from: f.Name + ":" + c.NameSpan.From.String()}
		if cmd := r.v.table.Lookup(c.Name); cmd != nil {
			switch cmd.Name {
			case "GoTo":
				s.kind, s.url = "GoTo", crawlText(c, "Url")
			case "UserInput":
				s.kind, s.url, s.digits = "DtmfEntered", crawlAttr(c, "ForwardToUrl", "enteredUrl"), crawlDigits(c)
			case "Call":
				s.kind, s.url = "CallConnected", crawlAttr(c, "Url")
			}
		}
		r.add(s)
		r.find(f, c)
	}
}

func (r *crawler) add(s crawlStep) {
	u, err := url.Parse(s.url)
	if err != nil || !isURL(s.url) || u.Host == "" || strings.Contains(s.url, "$") {
		return
	}
	key := s
	key.from = ""
	if r.seen[key] {
		return
	}
	r.seen[key] = true
	if len(r.hosts) == len(r.v.hosts) && r.web == nil { // the first that a file names
		r.hosts[hostOf(s.url)] = true
	}
	if h := hostOf(s.url); !r.hosts[h] && !r.hosts[strings.ToLower(u.Hostname())] {
		r.far++
		return
	}
	r.todo = append(r.todo, s)
}

// circles remarks on documents that send a call to each other and never let it
// hear or do anything.
func (r *crawler) circles() {
	told := map[string]bool{}
	for start, p := range r.pages {
		seen := map[string]bool{start: true}
		for at := p; at != nil && at.next != "" && !told[start]; at = r.pages[at.next] {
			if at.next == start {
				for u := range seen { // once for each circle, at its first page in the order found
					told[u] = true
				}
				first := r.firstOf(seen)
				first.remarks = append(first.remarks, ozml.Diagnostic{
					File: first.file.Name, Span: first.nextAt, Severity: ozml.Warning, Code: ozml.CodeJumps, Command: "GoTo",
					Msg:  fmt.Sprintf("%d documents send the call in a circle, and nothing is heard in it", len(seen)),
					Hint: "put a prompt or a UserInput before a GoTo, or leave the circle",
				})
				break
			}
			if seen[at.next] {
				break // a circle that does not come back here
			}
			seen[at.next] = true
		}
	}
}

func (r *crawler) firstOf(urls map[string]bool) *crawled {
	for _, p := range r.order {
		if p.file != nil && urls[p.file.Name] && r.pages[p.file.Name] == p {
			return p
		}
	}
	return nil // there is one: pages are in order
}

func hostOf(u string) string {
	p, err := url.Parse(u)
	if err != nil {
		return ""
	}
	return strings.ToLower(p.Host)
}

func crawlAttr(e *syntax.Element, names ...string) string {
	for _, n := range names {
		if a, ok := e.Attr(n); ok && strings.TrimSpace(a.Value) != "" {
			return strings.TrimSpace(a.Value)
		}
	}
	return ""
}

func crawlText(e *syntax.Element, attr string) string {
	if v := crawlAttr(e, attr); v != "" {
		return v
	}
	return strings.TrimSpace(e.Text())
}

// crawlDigits is an entry such as the UserInput wants.
func crawlDigits(e *syntax.Element) string {
	n := 1
	if _, err := fmt.Sscan(crawlAttr(e, "MinDigits", "Digits"), &n); err != nil {
		n = 1
	}
	return strings.Repeat("1234567890", 7)[:min(max(n, 1), 64)]
}
