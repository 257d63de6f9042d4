-- Every filter of the history is answered from an index, without the rows
-- themselves, of which each is a JSON document of a kilobyte or more.
ALTER TABLE call ADD COLUMN problem TEXT NOT NULL DEFAULT '';
UPDATE call SET problem = json_extract(doc, '$.problem') WHERE json_extract(doc, '$.problem') <> '';
CREATE INDEX call_find ON call (started, id, state, direction, type, result, extension, source, dialed, destination, caller, problem, search);
CREATE INDEX call_destination ON call (destination, started);
CREATE INDEX call_dialed ON call (dialed, started);
CREATE INDEX call_source ON call (source, started);
DROP INDEX call_started; -- call_find begins as it did
