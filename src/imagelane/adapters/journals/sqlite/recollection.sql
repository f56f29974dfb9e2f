-- What earlier runs recorded, by key: a cache beside the journal, made from it.
-- Columns of type ANY hold text, or a blob where a path is not valid UTF-8.

-- name: schema
CREATE TABLE IF NOT EXISTS actions (
  key BLOB PRIMARY KEY,
  run INTEGER NOT NULL,                   -- the journal's number of the run, and the event in it
  log_index INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS known (run INTEGER PRIMARY KEY, upto INTEGER NOT NULL) STRICT;

CREATE TABLE IF NOT EXISTS files (
  path ANY PRIMARY KEY,
  bytes INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,              -- -1: not to be believed
  inode INTEGER NOT NULL,
  digest TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS files_by_size ON files (bytes);

-- name: behind
SELECT r.id, coalesce(k.upto, 0), r.last_index FROM journal.runs r LEFT JOIN known k ON k.run = r.id
WHERE r.last_index > coalesce(k.upto, 0) ORDER BY r.id;

-- Of two events with one key either will do; one that was itself taken from the record is of no use.
-- name: learn
INSERT OR IGNORE INTO actions (key, run, log_index)
SELECT unhex(json_extract(body, '$.key')), run, log_index FROM journal.events
WHERE run = ? AND log_index > ? AND log_index <= ? AND type = 'task_succeeded'
  AND length(json_extract(body, '$.key')) = 64 AND json_extract(body, '$.reused') = '';

-- name: learned
INSERT OR REPLACE INTO known VALUES (?, ?);

-- name: outcome
SELECT r.run, e.log_index, e.type, e.group_no, e.ordinal, e.stage, e.body
FROM actions a JOIN journal.events e ON e.run = a.run AND e.log_index = a.log_index
JOIN journal.runs r ON r.id = a.run WHERE a.key = ?;

-- name: file
SELECT bytes, mtime_ns, inode, digest FROM files WHERE path = ?;

-- name: size_is_known
SELECT EXISTS (SELECT 1 FROM files WHERE bytes = ?);

-- name: add_file
INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?);

-- name: doubt
UPDATE files SET mtime_ns = -1 WHERE path = ?;
