-- Text messages in the folders of users; doc is store.Message as JSON.
CREATE TABLE message (
	owner  TEXT NOT NULL, -- a user of the HTTP API
	id     TEXT NOT NULL,
	folder TEXT NOT NULL,
	remote TEXT NOT NULL, -- the service's id
	came   INTEGER NOT NULL,
	doc    TEXT NOT NULL,
	PRIMARY KEY (owner, id)
) WITHOUT ROWID;
CREATE INDEX message_folder ON message (owner, folder, came, id);
CREATE INDEX message_came ON message (came);
CREATE INDEX message_remote ON message (remote) WHERE remote <> '';
