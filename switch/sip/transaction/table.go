package transaction

import "time"

// A Tx is a transaction in a Table: a machine, its key, its timer, and what the
// user keeps with it (where to send, whom to tell).
type Tx[U any] struct {
	Machine
	User  U
	key   string
	timer Timer
}

// Key is what the transaction is found by.
func (x *Tx[U]) Key() string { return x.key }

// A Table finds transactions by their keys and keeps their timers in a wheel
// that it may share with others. It is not safe for concurrent use: switch/sip
// has one for each shard.
type Table[U any] struct {
	wheel *Wheel
	txs   map[string]*Tx[U]
}

// NewTable gives an empty table whose timers run in w.
func NewTable[U any](w *Wheel) *Table[U] {
	return &Table[U]{wheel: w, txs: make(map[string]*Tx[U])}
}

// Len is the number of transactions.
func (t *Table[U]) Len() int { return len(t.txs) }

// Find gives the transaction of that key, nil when there is none.
func (t *Table[U]) Find(key []byte) *Tx[U] { return t.txs[string(key)] }

// Add makes a transaction. A key that is taken is the caller's mistake: look
// with Find first.
func (t *Table[U]) Add(key string, k Kind, reliable bool, u U) *Tx[U] {
	x := &Tx[U]{Machine: NewMachine(k, reliable), User: u, key: key}
	x.timer.Owner = x
	t.txs[key] = x
	return x
}

// Handle lets e befall x and keeps its timer and its place in the table. A
// transaction that is over has left the table when Handle returns.
func (t *Table[U]) Handle(now time.Time, x *Tx[U], e Event) []Effect {
	effects := x.Machine.Handle(now, e)
	t.wheel.Set(&x.timer, x.Deadline())
	if x.State() == Terminated && t.txs[x.key] == x {
		delete(t.txs, x.key)
	}
	return effects
}

// Drop forgets x without a word.
func (t *Table[U]) Drop(x *Tx[U]) {
	t.wheel.Set(&x.timer, time.Time{})
	if t.txs[x.key] == x {
		delete(t.txs, x.key)
	}
}

// All calls f for each transaction, in no order; f may Drop.
func (t *Table[U]) All(f func(*Tx[U])) {
	for _, x := range t.txs {
		f(x)
	}
}
