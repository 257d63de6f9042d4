package sqlite

import (
	"context"
	"fmt"
	"iter"
	"time"

	"ozswitch/switch/store"
)

// PutText implements store.Store.
func (d *DB) PutText(t store.Text) error {
	return d.w.put(op{row: "text " + t.ID, text: `INSERT OR REPLACE INTO text (id, recipient, sender, name, type, body, came) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		args: []any{t.ID, t.To, t.From, t.FromName, t.Type, append([]byte{}, t.Body...), t.Came.UnixNano()}})
}

// DropText implements store.Store.
func (d *DB) DropText(id string) error {
	return d.w.put(op{row: "text " + id, text: `DELETE FROM text WHERE id = ?`, args: []any{id}})
}

// SweepTexts implements store.Store.
func (d *DB) SweepTexts(t time.Time) error {
	return d.w.put(op{row: "sweep of texts", text: `DELETE FROM text WHERE came < ?`, args: []any{t.UnixNano()}})
}

// Texts implements store.Store.
func (d *DB) Texts(ctx context.Context, to string, n int) (all []store.Text, err error) {
	if err := d.w.flush(ctx); err != nil {
		return nil, err
	}
	where, args := "", []any{n}
	if to != "" {
		where, args = " WHERE recipient = ?", []any{to, n}
	}
	rows, err := d.sql.QueryContext(ctx, `SELECT id, recipient, sender, name, type, body, came FROM text`+where+` ORDER BY came, id LIMIT ?`, args...)
	if err != nil {
		return nil, fmt.Errorf("sqlite: read texts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var t store.Text
		var came int64
		if err := rows.Scan(&t.ID, &t.To, &t.From, &t.FromName, &t.Type, &t.Body, &came); err != nil {
			return nil, fmt.Errorf("sqlite: read texts: %w", err)
		}
		t.Came = time.Unix(0, came).UTC()
		all = append(all, t)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("sqlite: read texts: %w", err)
	}
	return all, nil
}

// PutSetting implements store.Store.
func (d *DB) PutSetting(name string, doc []byte) error {
	return d.w.put(op{row: "setting " + name, text: `INSERT OR REPLACE INTO setting (name, doc) VALUES (?, ?)`, args: []any{name, append([]byte{}, doc...)}})
}

// DropSetting implements store.Store.
func (d *DB) DropSetting(name string) error {
	return d.w.put(op{row: "setting " + name, text: `DELETE FROM setting WHERE name = ?`, args: []any{name}})
}

// Settings implements store.Store.
func (d *DB) Settings(ctx context.Context, prefix string) iter.Seq2[store.Setting, error] {
	return func(yield func(store.Setting, error) bool) {
		fail := func(err error) { yield(store.Setting{}, fmt.Errorf("sqlite: read settings: %w", err)) }
		if err := d.w.flush(ctx); err != nil {
			yield(store.Setting{}, err)
			return
		}
		rows, err := d.sql.QueryContext(ctx, `SELECT name, doc FROM setting WHERE substr(name, 1, length(?)) = ? ORDER BY name`, prefix, prefix)
		if err != nil {
			fail(err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			var one store.Setting
			if err := rows.Scan(&one.Name, &one.Doc); err != nil {
				fail(err)
				return
			}
			if !yield(one, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			fail(err)
		}
	}
}
