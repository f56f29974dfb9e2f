CREATE TABLE keys (
  run INTEGER NOT NULL REFERENCES runs (id),
  group_no INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  key BLOB NOT NULL,
  PRIMARY KEY (run, group_no, ordinal)
) STRICT, WITHOUT ROWID;
