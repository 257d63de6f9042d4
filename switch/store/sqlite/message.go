package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"ozswitch/switch/store"
)

// PutMessage implements store.Store.
func (d *DB) PutMessage(m store.Message) error {
	doc, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("sqlite: message %s: %w", m.ID, err)
	}
	return d.w.put(op{row: "message " + m.ID, text: `INSERT OR REPLACE INTO message (owner, id, folder, remote, came, doc) VALUES (?, ?, ?, ?, ?, ?)`,
		args: []any{m.Owner, m.ID, m.Folder, m.Remote, m.Came.UnixNano(), string(doc)}})
}

// DropMessage implements store.Store.
func (d *DB) DropMessage(owner, id string) error {
	return d.w.put(op{row: "message " + id, text: `DELETE FROM message WHERE owner = ? AND id = ?`, args: []any{owner, id}})
}

// SweepMessages implements store.Store.
func (d *DB) SweepMessages(folder string, t time.Time) error {
	return d.w.put(op{row: "sweep of messages", text: `DELETE FROM message WHERE came < ? AND (? = '' OR folder = ?)`, args: []any{t.UnixNano(), folder, folder}})
}

// Messages implements store.Store.
func (d *DB) Messages(ctx context.Context, q store.MessageQuery) (all []store.Message, err error) {
	if err := d.w.flush(ctx); err != nil {
		return nil, err
	}
	where, args := "owner = ? AND folder = ?", []any{q.Owner, q.Folder}
	if q.Remote != "" {
		where, args = where+" AND remote = ?", append(args, q.Remote)
	}
	rows, err := d.sql.QueryContext(ctx, `SELECT doc FROM message WHERE `+where+` ORDER BY came, id LIMIT ?`, append(args, q.Limit())...)
	if err != nil {
		return nil, fmt.Errorf("sqlite: read messages: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var doc string
		var m store.Message
		if err := rows.Scan(&doc); err != nil {
			return nil, fmt.Errorf("sqlite: read messages: %w", err)
		}
		if err := json.Unmarshal([]byte(doc), &m); err != nil {
			return nil, fmt.Errorf("sqlite: read messages: %w", err)
		}
		all = append(all, m)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("sqlite: read messages: %w", err)
	}
	return all, nil
}
