-- The artifacts that a journal names, in a file of its own while they are asked for.

-- name: schema
CREATE TABLE named (digest BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;

-- A picture in the raw is only for the run that made it: where that is over it can be made again.
-- name: gather
INSERT OR IGNORE INTO named
SELECT unhex(json_extract(r.value, '$[1]'))
FROM journal.events e JOIN journal.runs ON runs.id = e.run, json_each(e.body, '$.renditions') r
WHERE e.type = 'task_succeeded' AND length(json_extract(r.value, '$[1]')) = 64
  AND (json_extract(r.value, '$[3]') <> 'raw'
    OR runs.status NOT IN ('finished', 'failed', 'cancelled'));

-- name: below
SELECT lower(hex(digest)) FROM named WHERE digest >= ? AND digest < ?;
