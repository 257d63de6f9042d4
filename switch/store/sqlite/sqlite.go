// Package sqlite is the Store of one node: a file, ozswitch.db.
//
// One goroutine writes (writer.go): it gathers what has come for at most 50 ms
// into one transaction, so that no call waits for a disk and a busy switch makes
// twenty transactions a second at most. Readers use connections of their own,
// which the write-ahead log keeps out of the writer's way. The schema is in
// migrations/, start reading at Open.
package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"ozswitch/switch/store"
)

// Config says where the file is. Only Path must be given.
type Config struct {
	Path  string
	Queue int                         // writes that may wait; 0 = 8192
	Every time.Duration               // how long writes are gathered; 0 = 50 ms
	Log   *slog.Logger                // nil = slog.Default
	Lost  func(row string, err error) // told of each row that could not be written, for the log; may be nil
}

// A DB is an open file. Use Open, then Run for the writer, then Close.
type DB struct {
	cfg Config
	sql *sql.DB
	w   writer
}

var _ store.Store = (*DB)(nil)

// Open opens or makes the file, readable by its owner only, and brings its
// schema up to date. It starts nothing; writes are taken but stay in memory
// until Run.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if cfg.Queue <= 0 {
		cfg.Queue = 8192
	}
	if cfg.Every <= 0 {
		cfg.Every = 50 * time.Millisecond
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	path, err := filepath.Abs(cfg.Path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: open %s: %w", cfg.Path, err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	f.Close()
	// NORMAL with a write-ahead log survives a crash of the program; a power cut
	// may take the last moments, never the file.
	dsn := "file:" + (&url.URL{Path: path}).EscapedPath() +
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=foreign_keys(1)"
	s, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, fmt.Errorf("sqlite: open %s: %w", path, err)
	}
	s.SetMaxOpenConns(4)
	s.SetMaxIdleConns(4)
	if err := migrate(ctx, s, migrations); err != nil {
		s.Close()
		return nil, fmt.Errorf("sqlite: open %s: %w", path, err)
	}
	return &DB{cfg: cfg, sql: s, w: newWriter(cfg.Queue)}, nil
}

// Close closes the file. Run must have returned.
func (d *DB) Close() error { return d.sql.Close() }

// PutCall implements store.Store.
func (d *DB) PutCall(c store.Call) error {
	doc, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("sqlite: call %s: %w", c.ID, err)
	}
	args := []any{c.Started.UnixNano(), c.SearchText(), string(doc), c.Problem}
	for _, col := range c.Columns() {
		args = append(args, col.Value)
	}
	return d.w.put(op{row: "call " + c.ID, args: args, text: `INSERT OR REPLACE INTO call
		(started, search, doc, problem, id, caller, destination, dialed, source, extension, direction, state, result, type)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`})
}

// SweepCalls implements store.Store.
func (d *DB) SweepCalls(t time.Time) error {
	return d.w.put(op{row: "sweep", text: `DELETE FROM call WHERE started < ?`, args: []any{t.UnixNano()}})
}

// PutReport implements store.Store.
func (d *DB) PutReport(r store.Report) error {
	payload := append([]byte{}, r.Payload...)
	return d.w.put(op{row: "report " + r.ID, text: `INSERT OR REPLACE INTO report
		(id, lane, grp, seq, created, due, attempts, last, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		args: []any{r.ID, r.Lane, r.Group, r.Seq, r.Created.UnixNano(), r.Due.UnixNano(), r.Attempts, r.Last, payload}})
}

// DropReport implements store.Store.
func (d *DB) DropReport(id string) error {
	return d.w.put(op{row: "report " + id, text: `DELETE FROM report WHERE id = ?`, args: []any{id}})
}

// Call implements store.Store.
func (d *DB) Call(ctx context.Context, id string) (store.Call, error) {
	if err := d.w.flush(ctx); err != nil {
		return store.Call{}, err
	}
	var doc string
	err := d.sql.QueryRowContext(ctx, `SELECT doc FROM call WHERE id = ?`, id).Scan(&doc)
	if errors.Is(err, sql.ErrNoRows) {
		return store.Call{}, store.ErrNotFound
	}
	if err != nil {
		return store.Call{}, fmt.Errorf("sqlite: read call %s: %w", id, err)
	}
	return decodeCall(doc)
}

func decodeCall(doc string) (c store.Call, err error) {
	if err = json.Unmarshal([]byte(doc), &c); err != nil {
		err = fmt.Errorf("sqlite: read call: %w", err)
	}
	return c, err
}

// scan tells the database to look through the index that has all columns, where
// no filter of q has an index of its own.
func scan(q store.CallQuery) string {
	if q.ID != "" || q.From != "" || q.To != "" || q.Dialed != "" || q.Source != "" {
		return ""
	}
	return " INDEXED BY call_find"
}

// find gives what follows SELECT to find the calls of a query.
func find(q store.CallQuery) (from string, args []any) {
	where := []string{"1"}
	and := func(cond string, arg any) { where, args = append(where, cond), append(args, arg) }
	for _, f := range q.Filters() {
		and(f.Name+" = ?", f.Value) // names are store's own, never the caller's
	}
	if q.General != "" {
		and("instr(search, ?) > 0", q.GeneralText())
	}
	if q.Failed { // as store.Call.WentWell says
		well := make([]any, len(store.GoodResults))
		for i, r := range store.GoodResults {
			well[i] = r
		}
		where = append(where, "(result NOT IN (?"+strings.Repeat(", ?", len(well)-1)+") OR problem <> '')")
		args = append(args, well...)
	}
	if !q.Since.IsZero() {
		and("started >= ?", q.Since.UnixNano())
	}
	if !q.Until.IsZero() {
		and("started < ?", q.Until.UnixNano())
	}
	return " FROM call" + scan(q) + " WHERE " + strings.Join(where, " AND "), args
}

// Calls implements store.Store.
func (d *DB) Calls(ctx context.Context, q store.CallQuery) ([]store.Call, int, error) {
	if err := d.w.flush(ctx); err != nil {
		return nil, 0, err
	}
	from, args := find(q)
	tx, err := d.sql.BeginTx(ctx, &sql.TxOptions{ReadOnly: true}) // the total and the page agree
	if err != nil {
		return nil, 0, fmt.Errorf("sqlite: read calls: %w", err)
	}
	defer tx.Rollback()
	var total int
	if err := tx.QueryRowContext(ctx, "SELECT count(*)"+from, args...).Scan(&total); err != nil {
		return nil, 0, fmt.Errorf("sqlite: count calls: %w", err)
	}
	if q.After != (store.CallPlace{}) {
		from += " AND (started, id) < (?, ?)"
		args = append(args, q.After.Started.UnixNano(), q.After.ID)
	}
	first, rows := q.Limits()
	res, err := tx.QueryContext(ctx, "SELECT doc FROM call WHERE id IN (SELECT id"+from+
		" ORDER BY started DESC, id DESC LIMIT ? OFFSET ?) ORDER BY started DESC, id DESC", append(args, rows, first)...)
	if err != nil {
		return nil, 0, fmt.Errorf("sqlite: read calls: %w", err)
	}
	defer res.Close()
	var page []store.Call
	for res.Next() {
		var doc string
		if err := res.Scan(&doc); err != nil {
			return nil, 0, fmt.Errorf("sqlite: read calls: %w", err)
		}
		c, err := decodeCall(doc)
		if err != nil {
			return nil, 0, err
		}
		page = append(page, c)
	}
	return page, total, res.Err()
}

// Report implements store.Store.
func (d *DB) Report(ctx context.Context, id string) (store.Report, error) {
	if err := d.w.flush(ctx); err != nil {
		return store.Report{}, err
	}
	row := d.sql.QueryRowContext(ctx,
		`SELECT id, lane, grp, seq, created, due, attempts, last, payload FROM report WHERE id = ?`, id)
	r, err := scanReport(row)
	if errors.Is(err, sql.ErrNoRows) {
		return store.Report{}, store.ErrNotFound
	}
	return r, err
}

// Reports implements store.Store.
func (d *DB) Reports(ctx context.Context) iter.Seq2[store.Report, error] {
	return func(yield func(store.Report, error) bool) {
		if err := d.w.flush(ctx); err != nil {
			yield(store.Report{}, err)
			return
		}
		rows, err := d.sql.QueryContext(ctx,
			`SELECT id, lane, grp, seq, created, due, attempts, last, NULL FROM report ORDER BY seq`)
		if err != nil {
			yield(store.Report{}, fmt.Errorf("sqlite: read reports: %w", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			if r, err := scanReport(rows); !yield(r, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(store.Report{}, fmt.Errorf("sqlite: read reports: %w", err))
		}
	}
}

func scanReport(row interface{ Scan(...any) error }) (r store.Report, err error) {
	var created, due int64
	err = row.Scan(&r.ID, &r.Lane, &r.Group, &r.Seq, &created, &due, &r.Attempts, &r.Last, &r.Payload)
	if err != nil {
		return store.Report{}, fmt.Errorf("sqlite: read report: %w", err)
	}
	r.Created, r.Due = time.Unix(0, created).UTC(), time.Unix(0, due).UTC()
	return r, nil
}

// PutRegistration implements store.Store.
func (d *DB) PutRegistration(id, user string, expires time.Time, doc []byte) error {
	return d.w.put(op{row: "registration " + id, text: `INSERT OR REPLACE INTO registration (id, extension, expires, doc) VALUES (?, ?, ?, ?)`,
		args: []any{id, user, expires.UnixNano(), append([]byte{}, doc...)}})
}

// DropRegistration implements store.Store.
func (d *DB) DropRegistration(id string) error {
	return d.w.put(op{row: "registration " + id, text: `DELETE FROM registration WHERE id = ?`, args: []any{id}})
}

// Registrations implements store.Store.
func (d *DB) Registrations(ctx context.Context) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if err := d.w.flush(ctx); err != nil {
			yield(nil, err)
			return
		}
		rows, err := d.sql.QueryContext(ctx, `SELECT doc FROM registration`)
		if err != nil {
			yield(nil, fmt.Errorf("sqlite: read registrations: %w", err))
			return
		}
		defer rows.Close()
		for rows.Next() {
			var doc []byte
			if err := rows.Scan(&doc); err != nil {
				yield(nil, fmt.Errorf("sqlite: read registrations: %w", err))
				return
			}
			if !yield(doc, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, fmt.Errorf("sqlite: read registrations: %w", err))
		}
	}
}
