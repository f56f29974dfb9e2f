CREATE TABLE marks (
  run INTEGER NOT NULL REFERENCES runs (id),
  group_no INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  kind TEXT NOT NULL,
  group_name ANY NOT NULL,
  path ANY NOT NULL,
  bytes INTEGER NOT NULL,
  digest TEXT NOT NULL,
  reason ANY NOT NULL,
  actor ANY NOT NULL,
  at REAL NOT NULL,
  PRIMARY KEY (run, group_no, ordinal, kind)
) STRICT, WITHOUT ROWID;
