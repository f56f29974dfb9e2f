-- A source, listed once. Columns of type ANY hold text, or a blob where a name is not valid UTF-8.

-- name: schema
CREATE TABLE about (declaration TEXT NOT NULL, images INTEGER, groups INTEGER) STRICT;

-- The folders that are still to be listed, while there are any.
CREATE TABLE folders (id INTEGER PRIMARY KEY, relative ANY NOT NULL) STRICT;

CREATE TABLE files (
  id INTEGER PRIMARY KEY,
  key ANY NOT NULL,                       -- tells groups apart
  group_name ANY NOT NULL,
  group_order BLOB NOT NULL,
  file_order BLOB NOT NULL,
  may_lead INTEGER NOT NULL,
  role ANY NOT NULL,
  relative ANY NOT NULL,
  path ANY NOT NULL,
  bytes INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  inode INTEGER NOT NULL,
  columns TEXT NOT NULL,                  -- JSON
  line INTEGER NOT NULL                   -- of a manifest
) STRICT;

CREATE TABLE ranked (number INTEGER PRIMARY KEY, key ANY NOT NULL UNIQUE, name ANY NOT NULL,
  size INTEGER NOT NULL) STRICT;

-- Names that were given out, to the next number to try.
CREATE TABLE names (name ANY PRIMARY KEY, next INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE groups (number INTEGER PRIMARY KEY, name ANY NOT NULL, size INTEGER NOT NULL) STRICT;

CREATE TABLE items (
  sequence INTEGER PRIMARY KEY,           -- the order of admission, from 0
  group_no INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  leads INTEGER NOT NULL,                 -- 1: the group's primary
  last INTEGER NOT NULL,                  -- 1: its group has no more
  file INTEGER NOT NULL
) STRICT;

CREATE TABLE ignored (reason TEXT NOT NULL, relative ANY NOT NULL) STRICT;
CREATE TABLE ignored_counts (reason TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT, WITHOUT ROWID;

-- name: add_folder
INSERT INTO folders (relative) VALUES (?);

-- name: next_folder
SELECT id, relative FROM folders WHERE id > ? ORDER BY id LIMIT 1;

-- name: add_file
INSERT INTO files (key, group_name, group_order, file_order, may_lead, role, relative, path, bytes,
  mtime_ns, inode, columns, line)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: count_ignored
INSERT INTO ignored_counts VALUES (?, 1)
ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count;

-- name: add_ignored
INSERT INTO ignored VALUES (?, ?);

-- name: repeated
SELECT min(line), max(line), relative FROM files GROUP BY path HAVING count(*) > 1
ORDER BY 2 LIMIT 1;

-- name: rank_groups
INSERT INTO ranked (number, key, name, size)
SELECT row_number() OVER (ORDER BY first, key), key, name, size
FROM (
  SELECT key, min(group_order) AS first, group_name AS name, count(*) AS size
  FROM files GROUP BY key
);

-- name: next
SELECT next FROM names WHERE name = ?;

-- name: set_next
INSERT OR REPLACE INTO names VALUES (?, ?);

-- name: ranked
SELECT number, name, size FROM ranked ORDER BY number;

-- name: add_group
INSERT INTO groups VALUES (?, ?, ?);

-- The primary is the first of those that may lead; it is admitted before the others of its group.
-- name: admit
INSERT INTO items (sequence, group_no, ordinal, leads, last, file)
SELECT row_number() OVER admission - 1, group_no, ordinal, leads,
  row_number() OVER (PARTITION BY group_no ORDER BY leads DESC, ordinal) = size, file
FROM (
  SELECT group_no, ordinal, size, file,
    may_lead AND row_number() OVER (PARTITION BY group_no, may_lead ORDER BY ordinal) = 1 AS leads
  FROM (
    SELECT ranked.number AS group_no, ranked.size AS size, files.id AS file, files.may_lead,
      row_number() OVER (
        PARTITION BY ranked.number ORDER BY files.file_order, files.path, files.id
      ) AS ordinal
    FROM files JOIN ranked ON ranked.key = files.key
  )
)
WINDOW admission AS (ORDER BY group_no, leads DESC, ordinal);

-- name: describe
INSERT INTO about SELECT ?, count(*), (SELECT count(*) FROM groups) FROM items;

-- name: tidy
DROP TABLE folders; DROP TABLE ranked; DROP TABLE names;

-- name: page
SELECT items.sequence, items.group_no, items.ordinal, groups.name, groups.size, files.relative,
  files.path, files.bytes, files.mtime_ns, items.last, items.leads, files.role, files.columns
FROM items JOIN files ON files.id = items.file JOIN groups ON groups.number = items.group_no
WHERE items.sequence >= ? ORDER BY items.sequence LIMIT ?;

-- name: about
SELECT declaration, images, groups FROM about;

-- name: ignored_counts
SELECT reason, count FROM ignored_counts ORDER BY reason;

-- name: ignored
SELECT reason, relative FROM ignored ORDER BY reason, relative;

-- name: about_alike
SELECT count(*) FROM about a JOIN other.about b
ON a.declaration = b.declaration AND a.images = b.images AND a.groups = b.groups;

-- Both in the order of admission, so that a million are compared without sorting them.
-- name: alike
SELECT count(*) FROM items a
JOIN other.items b ON b.sequence = a.sequence
JOIN files f ON f.id = a.file
JOIN other.files g ON g.id = b.file
JOIN groups m ON m.number = a.group_no
JOIN other.groups n ON n.number = b.group_no
WHERE a.group_no = b.group_no AND a.ordinal = b.ordinal AND a.leads = b.leads AND a.last = b.last
  AND f.path = g.path AND f.bytes = g.bytes AND f.mtime_ns = g.mtime_ns AND f.inode = g.inode
  AND f.relative = g.relative AND f.role = g.role AND f.columns = g.columns
  AND m.name = n.name AND m.size = n.size;

-- What became of each file since another listing, by its path.
-- name: compare
CREATE TEMP TABLE earlier (
  path ANY PRIMARY KEY, bytes INTEGER, mtime_ns INTEGER, inode INTEGER, columns TEXT, relative ANY,
  group_name ANY
) STRICT, WITHOUT ROWID;
INSERT OR IGNORE INTO earlier
SELECT g.path, g.bytes, g.mtime_ns, g.inode, g.columns, g.relative, n.name
FROM other.items i JOIN other.files g ON g.id = i.file JOIN other.groups n ON n.number = i.group_no
ORDER BY g.path;
CREATE TEMP TABLE compared (
  path ANY PRIMARY KEY, group_no INTEGER, relative ANY, bytes INTEGER, became TEXT
) STRICT, WITHOUT ROWID;
INSERT OR IGNORE INTO compared
SELECT f.path, i.group_no, f.relative, f.bytes,
  CASE
    WHEN g.path IS NULL THEN 'new'
    WHEN f.bytes = g.bytes AND f.mtime_ns = g.mtime_ns AND f.inode = g.inode
      AND f.columns = g.columns THEN 'same'
    ELSE 'changed'
  END
FROM main.items i JOIN main.files f ON f.id = i.file LEFT JOIN earlier g ON g.path = f.path
ORDER BY f.path;
CREATE TEMP TABLE gone AS
SELECT group_name, relative FROM earlier
WHERE NOT EXISTS (SELECT 1 FROM compared WHERE compared.path = earlier.path);
CREATE TEMP TABLE sizes AS SELECT DISTINCT bytes FROM earlier;
CREATE TEMP TABLE names (name ANY PRIMARY KEY, size INTEGER) STRICT, WITHOUT ROWID;
INSERT OR IGNORE INTO names SELECT name, size FROM other.groups;
CREATE TEMP TABLE touched AS
SELECT group_no FROM compared WHERE became <> 'same'
UNION SELECT number FROM main.groups WHERE name IN (SELECT group_name FROM gone)
UNION SELECT m.number FROM main.groups m LEFT JOIN names n ON n.name = m.name
  WHERE n.size IS NOT m.size;

-- name: became
SELECT became, count(*) FROM compared GROUP BY became
UNION ALL SELECT 'gone', count(*) FROM gone
UNION ALL SELECT 'groups', count(*) FROM main.groups
UNION ALL SELECT 'touched', count(*) FROM touched
UNION ALL SELECT 'doubtful', count(*) FROM compared
  WHERE became <> 'same' AND bytes IN (SELECT bytes FROM sizes);

-- name: compared_examples
SELECT became, relative FROM compared WHERE became <> 'same'
UNION ALL SELECT 'gone', relative FROM gone LIMIT ?;
