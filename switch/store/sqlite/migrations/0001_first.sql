-- The texts of call are folded as store.Call.Columns says; doc is the whole
-- record as JSON, so that a new field needs no migration.
CREATE TABLE call (
	id          TEXT PRIMARY KEY,
	started     INTEGER NOT NULL, -- Unix nanoseconds, as all times here
	caller      TEXT NOT NULL,
	destination TEXT NOT NULL,
	dialed      TEXT NOT NULL,
	source      TEXT NOT NULL,
	extension   TEXT NOT NULL,
	direction   TEXT NOT NULL,
	state       TEXT NOT NULL,
	result      TEXT NOT NULL,
	type        TEXT NOT NULL,
	search      TEXT NOT NULL,
	doc         TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX call_started ON call (started, id);
CREATE INDEX call_caller ON call (caller, started);

CREATE TABLE report (
	id       TEXT PRIMARY KEY,
	lane     TEXT NOT NULL,
	grp      TEXT NOT NULL,
	seq      INTEGER NOT NULL,
	created  INTEGER NOT NULL,
	due      INTEGER NOT NULL,
	attempts INTEGER NOT NULL,
	last     TEXT NOT NULL,
	payload  BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX report_seq ON report (seq);
