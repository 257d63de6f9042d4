package api

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Once keeps the answers of requests that carry an Idempotency-Key
// (draft-ietf-httpapi-idempotency-key-header), so that one that is sent again,
// because its answer was lost, does nothing again. It outlives the V1 of one
// configuration. All methods may be used at once; the zero Once keeps them in
// memory only.
type Once struct {
	keep TokenKeeper // nil = in memory only

	mu  sync.Mutex
	all map[string]*answered // by user and key
}

// answered is what came of a request.
type answered struct {
	Made   time.Time `json:"made"`
	Asked  []byte    `json:"asked"`  // SHA-256 of the request
	Status int       `json:"status"` // 0 = it still runs
	Type   string    `json:"type"`
	Body   []byte    `json:"body"`
}

const (
	onceHeader   = "Idempotency-Key"
	onceAgain    = "Idempotency-Replayed" // what an answer of before carries
	oncePrefix   = "once/"                // in the store
	onceLife     = 24 * time.Hour
	maxOnce      = 10_000    // answers; then the oldest goes
	maxOnceBody  = 256 << 10 // of an answer; only lists are larger, and asking for one again does no harm
	maxOnceBytes = 255       // of a key
)

// OpenOnce reads the answers of earlier runs that count still. A row that cannot
// be read is told in an error, and the Once is good all the same.
func OpenOnce(keep TokenKeeper, now time.Time) (*Once, error) {
	o := &Once{keep: keep, all: map[string]*answered{}}
	var faults []error
	for row, err := range keep.Settings(context.Background(), oncePrefix) {
		if err != nil {
			return o, err
		}
		var a answered
		err := json.Unmarshal(row.Doc, &a)
		if err == nil && a.Status > 0 && now.Sub(a.Made) < onceLife {
			o.all[strings.TrimPrefix(row.Name, oncePrefix)] = &a
			continue
		}
		faults = append(faults, err, keep.DropSetting(row.Name))
	}
	return o, errors.Join(faults...)
}

func onceParam() *huma.Param {
	most, least := maxOnceBytes, 1
	return &huma.Param{
		Name: onceHeader, In: "header", Schema: &huma.Schema{Type: "string", MinLength: &least, MaxLength: &most},
		Description: "Any text of the client's. A request of the same user with the same key within 24 hours does nothing and gets the answer of the first, with " + onceAgain + ": true; " +
			"422 when it is another request, 409 while the first still runs. What was refused by its form counts as not sent.",
	}
}

// serve lets do answer, or answers as it did before. do tells whether it has begun
// to act.
func (o *Once) serve(w http.ResponseWriter, r *http.Request, most int64, do func(http.ResponseWriter, *http.Request) (begun bool)) {
	key := r.Header.Get(onceHeader)
	if len(key) > maxOnceBytes {
		(&problem{Status: http.StatusBadRequest, Detail: fmt.Sprintf("%s: want at most %d bytes", onceHeader, maxOnceBytes)}).write(w)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, most+1))
	if err != nil {
		(&problem{Status: http.StatusBadRequest, Detail: "the body was cut short"}).write(w)
		return
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), r.Body), r.Body}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %s\n%s", r.Method, r.URL.RequestURI(), body))
	whose := sha256.Sum256(fmt.Appendf(nil, "%q %s", strings.ToLower(UserOf(r.Context()).Name), key))
	name := hex.EncodeToString(whose[:16])

	mine, before, p := o.begin(name, sum[:], time.Now())
	switch {
	case p != nil:
		p.write(w)
		return
	case before != nil:
		h := w.Header()
		h.Set(onceAgain, "true")
		if before.Type != "" {
			h.Set("Content-Type", before.Type)
		}
		w.WriteHeader(before.Status)
		w.Write(before.Body)
		return
	}
	t := &taken{ResponseWriter: w}
	begun := false
	defer func() { o.end(name, mine, t, begun) }() // of a panic, too: it was not done
	begun = do(t, r)
}

// begin gives what came of a request before, or makes a place for what will come
// of it.
func (o *Once) begin(name string, asked []byte, now time.Time) (mine, before *answered, p *problem) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.all == nil {
		o.all = map[string]*answered{}
	}
	a := o.all[name]
	switch {
	case a == nil || now.Sub(a.Made) >= onceLife:
	case !bytes.Equal(a.Asked, asked):
		return nil, nil, &problem{Status: http.StatusUnprocessableEntity, Detail: "this " + onceHeader + " was sent with another request: take a new one for each"}
	case a.Status == 0:
		return nil, nil, &problem{Status: http.StatusConflict, Detail: "the request with this " + onceHeader + " still runs: ask again", after: time.Second}
	default:
		c := *a
		return nil, &c, nil
	}
	if len(o.all) >= maxOnce {
		o.tidy(now)
	}
	mine = &answered{Made: now.UTC(), Asked: asked}
	o.all[name] = mine
	return mine, nil, nil
}

// tidy removes what is over, and the oldest when that is not enough. o.mu is held.
func (o *Once) tidy(now time.Time) {
	oldest := ""
	for name, a := range o.all {
		switch {
		case now.Sub(a.Made) >= onceLife:
			o.drop(name)
		case a.Status > 0 && (oldest == "" || a.Made.Before(o.all[oldest].Made)):
			oldest = name
		}
	}
	if len(o.all) >= maxOnce && oldest != "" {
		o.drop(oldest)
	}
}

// drop forgets one; that the store cannot is mended by the next start. o.mu is
// held.
func (o *Once) drop(name string) {
	delete(o.all, name)
	if o.keep != nil {
		_ = o.keep.DropSetting(oncePrefix + name)
	}
}

// end keeps what came of a request that has acted.
func (o *Once) end(name string, mine *answered, t *taken, begun bool) {
	o.mu.Lock()
	if !begun || t.large {
		if o.all[name] == mine {
			delete(o.all, name)
		}
		o.mu.Unlock()
		return
	}
	mine.Status, mine.Type, mine.Body = cmp.Or(t.status, http.StatusOK), t.Header().Get("Content-Type"), t.body.Bytes()
	doc, err := json.Marshal(mine)
	o.mu.Unlock()
	if o.keep != nil && err == nil {
		// One that is not kept counts until we end.
		_ = o.keep.PutSetting(oncePrefix+name, doc)
	}
}

// taken is an answer that is written down while it is given.
type taken struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
	large  bool
}

// Unwrap lets http.ResponseController find the connection.
func (t *taken) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (t *taken) WriteHeader(status int) {
	t.status = cmp.Or(t.status, status)
	t.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter. A client that is gone keeps nobody from
// writing the answer down.
func (t *taken) Write(b []byte) (int, error) {
	if t.body.Len()+len(b) > maxOnceBody {
		t.large = true
	} else {
		t.body.Write(b)
	}
	_, _ = t.ResponseWriter.Write(b)
	return len(b), nil
}
