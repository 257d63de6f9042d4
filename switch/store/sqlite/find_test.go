package sqlite

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ozswitch/switch/store"
)

// TestPlans: no filter of the history reads the rows that do not fit. A hundred
// thousand rows are a hundred megabytes, and a client waits 10 s at most.
func TestPlans(t *testing.T) {
	d, _ := run(t, Config{Path: filepath.Join(t.TempDir(), "oz.db")})
	for name, q := range map[string]store.CallQuery{
		"all": {}, "id": {ID: "x"}, "from": {From: "x"}, "to": {To: "x"}, "dialed": {Dialed: "x"}, "source": {Source: "x"},
		"extension": {Extension: "x"}, "direction": {Direction: "x"}, "state": {State: "x"}, "result": {Result: "x"}, "type": {Type: "x"},
		"general": {General: "x"}, "failed": {Failed: true}, "since": {Since: time.Unix(1, 0)}, "until": {Until: time.Unix(1, 0)},
		"state and general": {State: "x", General: "x", Since: time.Unix(1, 0)}, "to and state": {To: "x", State: "x"},
	} {
		from, args := find(q)
		rows, err := d.sql.QueryContext(t.Context(), "EXPLAIN QUERY PLAN SELECT count(*)"+from, args...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var plan []string
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			plan = append(plan, detail)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		got := strings.Join(plan, "; ")
		if !strings.Contains(got, "COVERING INDEX") && !strings.HasPrefix(got, "SEARCH call") {
			t.Errorf("%s: %s; want a search, or a scan of a covering index", name, got)
		}
	}
}

// TestProblemsOfBefore: rows that an earlier schema wrote are found as failed.
func TestProblemsOfBefore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "oz.db")
	d, err := Open(t.Context(), Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	// Back to what was before, and on again.
	for _, s := range []string{`DROP INDEX call_find`, `DROP INDEX call_destination`, `DROP INDEX call_dialed`, `DROP INDEX call_source`,
		`ALTER TABLE call DROP COLUMN problem`, `CREATE INDEX call_started ON call (started, id)`, `DELETE FROM schema_version WHERE version >= 5`,
		`INSERT INTO call VALUES ('a', 1, '', '', '', '', '', '', '', 'caller', '', '', '{"id":"a","problem":"OZ1003 text"}'), ('b', 2, '', '', '', '', '', '', '', 'caller', '', '', '{"id":"b"}')`} {
		if _, err := d.sql.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	d.Close()
	d, _ = run(t, Config{Path: path})
	if got, total, err := d.Calls(t.Context(), store.CallQuery{Failed: true}); err != nil || total != 1 || got[0].ID != "a" {
		t.Errorf("failed calls of before: %v, %d, %v", got, total, err)
	}
}
