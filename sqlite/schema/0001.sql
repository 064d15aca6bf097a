-- The log. One row a commit, never changed.
CREATE TABLE commits (
	revision INTEGER PRIMARY KEY,
	id       TEXT,          -- the commit's id, NULL where data begins with it
	hash     BLOB NOT NULL, -- SHA-256 over the hash of the row before and data
	data     TEXT NOT NULL  -- the commit, JSON
) STRICT;

-- What is large about a version. One row a version, never changed, removed when
-- the version is deleted.
CREATE TABLE bodies (
	key       INTEGER PRIMARY KEY, -- revision * 1024 + index of the operation
	prompt_id TEXT NOT NULL,
	version   TEXT NOT NULL,
	ordinal   INTEGER NOT NULL,
	text      TEXT NOT NULL,       -- the text, or the messages as JSON
	fields    TEXT NOT NULL        -- the rest, JSON
) STRICT;

-- Bodies that were deleted by a commit and are still to be removed.
CREATE TABLE dropped (key INTEGER PRIMARY KEY) STRICT;

-- Where each label is now. Made from the log, for people.
CREATE TABLE labels (
	prompt_id TEXT NOT NULL,
	label     TEXT NOT NULL,
	version   TEXT NOT NULL,
	revision  INTEGER NOT NULL, -- of the commit that put it there
	PRIMARY KEY (prompt_id, label)
) STRICT, WITHOUT ROWID;

-- store_id; created_at; cleared: bodies of commits before this revision are gone,
-- removed or not; checkpoint: the revision that the table checkpoint stands for.
CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;

-- A digest of the log, so that opening need not read all of it. It can be made anew.
CREATE TABLE checkpoint (key TEXT PRIMARY KEY, data BLOB NOT NULL) STRICT;

-- The versions that live.
CREATE VIEW versions AS
SELECT
	b.prompt_id,
	b.version,
	b.ordinal,
	(SELECT group_concat(l.label, ', ') FROM labels l
	  WHERE l.prompt_id = b.prompt_id AND l.version = b.version) AS labels,
	b.key / 1024 AS revision,
	json_extract(b.fields, '$.created_at') AS created_at,
	json_extract(b.fields, '$.author') AS author,
	json_extract(b.fields, '$.message') AS message,
	(SELECT json_extract(c.data, '$.ops[' || (b.key % 1024) || '].save.digest')
	   FROM commits c WHERE c.revision = b.key / 1024) AS digest,
	coalesce(json_extract(b.fields, '$.type'), 'text') AS type,
	json_extract(b.fields, '$.config') AS config,
	json_extract(b.fields, '$.metadata') AS metadata,
	b.text
FROM bodies b
WHERE b.key >= 1024 * (SELECT value FROM meta WHERE name = 'cleared')
  AND NOT EXISTS (SELECT 1 FROM dropped d WHERE d.key = b.key);

-- The commits, with what they did in words.
CREATE VIEW log AS
SELECT
	c.revision,
	json_extract(c.data, '$.time') AS time,
	json_extract(c.data, '$.author') AS author,
	json_extract(c.data, '$.message') AS message,
	(SELECT group_concat(
	          what.key
	          || coalesce(' ' || json_extract(what.value, '$.prompt_id'), '')
	          || coalesce('@' || json_extract(what.value, '$.version'), '')
	          || coalesce(' ' || json_extract(what.value, '$.label'), '')
	          || coalesce(' from ' || json_extract(what.value, '$.from'), '')
	          || coalesce(' to ' || json_extract(what.value, '$.to'), ''), '; ')
	   FROM json_each(c.data, '$.ops') op, json_each(op.value) what) AS ops,
	coalesce(c.id, json_extract(c.data, '$.id')) AS id,
	lower(hex(c.hash)) AS hash
FROM commits c;
