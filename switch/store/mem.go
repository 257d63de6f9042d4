package store

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Mem is a Store in memory: the reference, for tests and for a switch without
// a data folder. Use NewMem.
type Mem struct {
	mu       sync.Mutex
	calls    map[string]Call
	reports  map[string]Report
	phones   map[string][]byte
	texts    map[string]Text
	settings map[string][]byte
	messages map[[2]string]Message // by owner and id
}

// NewMem makes an empty store.
func NewMem() *Mem {
	return &Mem{calls: map[string]Call{}, reports: map[string]Report{}, phones: map[string][]byte{}, texts: map[string]Text{}, settings: map[string][]byte{}, messages: map[[2]string]Message{}}
}

// PutCall implements Store.
func (m *Mem) PutCall(c Call) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	c.Recordings = slices.Clone(c.Recordings)
	m.calls[c.ID] = c
	return nil
}

// Call implements Store.
func (m *Mem) Call(_ context.Context, id string) (Call, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.calls[id]
	if !ok {
		return Call{}, ErrNotFound
	}
	return c, nil
}

// Calls implements Store.
func (m *Mem) Calls(_ context.Context, q CallQuery) ([]Call, int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var fit []Call
	for _, c := range m.calls {
		if q.fits(&c) {
			fit = append(fit, c)
		}
	}
	slices.SortFunc(fit, func(a, b Call) int { return a.Place().Compare(b.Place()) })
	total := len(fit)
	if q.After != (CallPlace{}) {
		fit = slices.DeleteFunc(fit, func(c Call) bool { return c.Place().Compare(q.After) <= 0 })
	}
	first, rows := q.Limits()
	first = min(first, len(fit))
	return slices.Clone(fit[first:min(first+rows, len(fit))]), total, nil
}

func (q CallQuery) fits(c *Call) bool {
	for _, f := range q.Filters() {
		if !slices.Contains(c.Columns(), f) {
			return false
		}
	}
	return strings.Contains(c.SearchText(), q.GeneralText()) &&
		(!q.Failed || !c.WentWell()) &&
		(q.Since.IsZero() || !c.Started.Before(q.Since)) &&
		(q.Until.IsZero() || c.Started.Before(q.Until))
}

// SweepCalls implements Store.
func (m *Mem) SweepCalls(t time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, c := range m.calls {
		if c.Started.Before(t) {
			delete(m.calls, id)
		}
	}
	return nil
}

// PutReport implements Store.
func (m *Mem) PutReport(r Report) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r.Payload = slices.Clone(r.Payload)
	m.reports[r.ID] = r
	return nil
}

// DropReport implements Store.
func (m *Mem) DropReport(id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.reports, id)
	return nil
}

// Report implements Store.
func (m *Mem) Report(_ context.Context, id string) (Report, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.reports[id]
	if !ok {
		return Report{}, ErrNotFound
	}
	return r, nil
}

// Reports implements Store.
func (m *Mem) Reports(context.Context) iter.Seq2[Report, error] {
	return func(yield func(Report, error) bool) {
		m.mu.Lock()
		all := make([]Report, 0, len(m.reports))
		for _, r := range m.reports {
			r.Payload = nil
			all = append(all, r)
		}
		m.mu.Unlock()
		slices.SortFunc(all, func(a, b Report) int { return cmp.Compare(a.Seq, b.Seq) })
		for _, r := range all {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// PutRegistration implements Store.
func (m *Mem) PutRegistration(id, _ string, _ time.Time, doc []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.phones[id] = slices.Clone(doc)
	return nil
}

// DropRegistration implements Store.
func (m *Mem) DropRegistration(id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.phones, id)
	return nil
}

// Registrations implements Store.
func (m *Mem) Registrations(context.Context) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		m.mu.Lock()
		all := slices.Collect(maps.Values(m.phones))
		m.mu.Unlock()
		for _, doc := range all {
			if !yield(slices.Clone(doc), nil) {
				return
			}
		}
	}
}

// PutText implements Store.
func (m *Mem) PutText(t Text) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	t.Body = slices.Clone(t.Body)
	m.texts[t.ID] = t
	return nil
}

// DropText implements Store.
func (m *Mem) DropText(id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.texts, id)
	return nil
}

// Texts implements Store.
func (m *Mem) Texts(_ context.Context, to string, n int) (all []Text, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, t := range m.texts {
		if to == "" || t.To == to {
			t.Body = slices.Clone(t.Body)
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(a, b Text) int { return cmp.Or(a.Came.Compare(b.Came), cmp.Compare(a.ID, b.ID)) })
	return all[:min(n, len(all))], nil
}

// SweepTexts implements Store.
func (m *Mem) SweepTexts(t time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.texts, func(_ string, one Text) bool { return one.Came.Before(t) })
	return nil
}

// PutSetting implements Store.
func (m *Mem) PutSetting(name string, doc []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settings[name] = slices.Clone(doc)
	return nil
}

// DropSetting implements Store.
func (m *Mem) DropSetting(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.settings, name)
	return nil
}

// Settings implements Store.
func (m *Mem) Settings(_ context.Context, prefix string) iter.Seq2[Setting, error] {
	return func(yield func(Setting, error) bool) {
		m.mu.Lock()
		all := maps.Clone(m.settings)
		m.mu.Unlock()
		for _, name := range slices.Sorted(maps.Keys(all)) {
			if strings.HasPrefix(name, prefix) && !yield(Setting{name, slices.Clone(all[name])}, nil) {
				return
			}
		}
	}
}
