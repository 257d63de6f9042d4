-- Text messages that wait for their telephone.
CREATE TABLE text (
	id        TEXT PRIMARY KEY,
	recipient TEXT NOT NULL, -- number
	sender    TEXT NOT NULL, -- number
	name      TEXT NOT NULL, -- of the sender
	type      TEXT NOT NULL, -- of the body
	body      BLOB NOT NULL,
	came      INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX text_recipient ON text (recipient, came, id);
CREATE INDEX text_came ON text (came, id);

-- What was changed while the switch ran; doc is its owner's JSON.
CREATE TABLE setting (
	name TEXT PRIMARY KEY,
	doc  BLOB NOT NULL
) WITHOUT ROWID;
