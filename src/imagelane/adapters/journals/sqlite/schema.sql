-- The journal's schema as it is now. Older files are brought here by the steps in migrations/.
--
-- Columns of type ANY hold text, or a blob where a user's name is not valid UTF-8.

CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  run TEXT NOT NULL UNIQUE,
  definition TEXT NOT NULL,               -- JSON: what is needed to take the run up again
  owner TEXT NOT NULL,
  fence INTEGER NOT NULL,
  status TEXT NOT NULL,
  reason ANY NOT NULL,
  pipeline ANY NOT NULL,
  plan TEXT NOT NULL,
  model TEXT NOT NULL,
  started REAL NOT NULL,                  -- wall clock, seconds of the epoch; so is `updated`
  updated REAL NOT NULL,
  last_index INTEGER NOT NULL DEFAULT 0   -- of its newest event
) STRICT;

-- Append-only. Everything below it can be made anew from it.
CREATE TABLE events (
  run INTEGER NOT NULL REFERENCES runs (id),
  log_index INTEGER NOT NULL,             -- gapless within the run, from 1
  at REAL NOT NULL,
  fence INTEGER NOT NULL,
  type TEXT NOT NULL,
  group_no INTEGER NOT NULL,              -- 0: the run
  ordinal INTEGER NOT NULL,               -- 0: the group as a whole
  stage TEXT,
  body TEXT NOT NULL,                     -- JSON
  PRIMARY KEY (run, log_index)
) STRICT, WITHOUT ROWID;

CREATE INDEX events_by_subject ON events (run, group_no, ordinal, log_index);

CREATE TABLE groups (
  run INTEGER NOT NULL REFERENCES runs (id),
  group_no INTEGER NOT NULL,
  name ANY NOT NULL,
  state TEXT NOT NULL,
  images INTEGER NOT NULL DEFAULT 0,      -- received so far
  reason ANY NOT NULL DEFAULT '',
  manifest TEXT,
  PRIMARY KEY (run, group_no)
) STRICT, WITHOUT ROWID;

CREATE TABLE images (
  run INTEGER NOT NULL,
  group_no INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  name ANY NOT NULL,
  path ANY NOT NULL,
  role ANY NOT NULL,
  state TEXT NOT NULL,
  settled INTEGER NOT NULL DEFAULT 0,     -- 1: no stage of it is left to do
  stage TEXT,                             -- the one that decided its state
  reason ANY NOT NULL DEFAULT '',
  fate TEXT,                              -- what it settled in, whatever its group came to
  PRIMARY KEY (run, group_no, ordinal),
  FOREIGN KEY (run, group_no) REFERENCES groups (run, group_no)
) STRICT, WITHOUT ROWID;

-- What the commitments of the audit trail are made with, by subject. Made when they are first needed;
-- once one is thrown away, nobody can tell any more what the erased events said.
CREATE TABLE keys (
  run INTEGER NOT NULL REFERENCES runs (id),
  group_no INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  key BLOB NOT NULL,                      -- 32 random bytes
  PRIMARY KEY (run, group_no, ordinal)
) STRICT, WITHOUT ROWID;

-- What people have said of images and groups, and what holds in all runs until it is undone.
CREATE TABLE marks (
  run INTEGER NOT NULL REFERENCES runs (id),
  group_no INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  kind TEXT NOT NULL,                     -- withdrawn, legal_hold
  group_name ANY NOT NULL,
  path ANY NOT NULL,                      -- of the image; empty: the group
  bytes INTEGER NOT NULL,                 -- of its file, and the SHA-256 of that where it is known
  digest TEXT NOT NULL,
  reason ANY NOT NULL,
  actor ANY NOT NULL,
  at REAL NOT NULL,
  PRIMARY KEY (run, group_no, ordinal, kind)
) STRICT, WITHOUT ROWID;
