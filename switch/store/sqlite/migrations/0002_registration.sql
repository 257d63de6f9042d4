-- Where telephones are. doc is switch/sip's binding as JSON.
CREATE TABLE registration (
	id        TEXT PRIMARY KEY, -- extension and contact
	extension TEXT NOT NULL,
	expires   INTEGER NOT NULL,
	doc       BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX registration_extension ON registration (extension);
