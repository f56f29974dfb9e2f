-- name: find_run
SELECT id FROM runs WHERE run = ?;

-- name: next_fence
SELECT max(coalesce(max(fence), 0) + 1, ?) FROM runs;

-- name: create_run
INSERT INTO runs (run, definition, owner, fence, status, reason, pipeline, plan, model, started, updated)
VALUES (?, ?, ?, ?, 'running', '', '', '', '', ?, ?);

-- name: claim_run
UPDATE runs SET owner = ?, fence = ? WHERE id = ?;

-- name: begin_append
SELECT id, fence, last_index FROM runs WHERE run = ?;

-- name: end_append
UPDATE runs SET last_index = ?, updated = ? WHERE id = ?;

-- name: append_event
INSERT INTO events (run, log_index, at, fence, type, group_no, ordinal, stage, body)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: run_started
UPDATE runs SET status = 'running', reason = '', model = ?, pipeline = ?, plan = ?, started = ?
WHERE id = ?;

-- name: run_resumed
UPDATE runs SET status = 'running', reason = '', model = ? WHERE id = ?;

-- name: run_settled
UPDATE runs SET status = ?, reason = ? WHERE id = ?;

-- name: group_opened
INSERT INTO groups (run, group_no, name, state) VALUES (?, ?, ?, 'open');

-- name: group_received
UPDATE groups SET images = images + ? WHERE run = ? AND group_no = ?;

-- name: group_state
UPDATE groups SET state = ? WHERE run = ? AND group_no = ?;

-- name: group_settled
UPDATE groups SET state = ?, reason = ?, manifest = ? WHERE run = ? AND group_no = ?;

-- name: group_rolled_back
UPDATE groups SET state = ?, manifest = ? WHERE run = ? AND group_no = ?;

-- name: image_received
INSERT INTO images (run, group_no, ordinal, name, path, role, state)
VALUES (?, ?, ?, ?, ?, ?, 'received');

-- name: image_processing
UPDATE images SET state = 'processing'
WHERE run = ? AND group_no = ? AND ordinal = ? AND state = 'received';

-- name: image_settled
UPDATE images SET state = ?1, fate = ?1, settled = 1, stage = ?2, reason = ?3
WHERE run = ?4 AND group_no = ?5 AND ordinal = ?6;

-- name: image_reopened
UPDATE images SET state = 'processing', fate = NULL, settled = 0, stage = NULL, reason = ''
WHERE run = ? AND group_no = ? AND ordinal = ?;

-- name: group_reopened
UPDATE groups SET state = ?, reason = '' WHERE run = ? AND group_no = ?;

-- name: group_taken_up
UPDATE groups SET state = ?, reason = '' WHERE run = ? AND group_no = ? AND state = 'held';

-- name: images_of_reopened_group
UPDATE images SET state = fate, reason = CASE state WHEN fate THEN reason ELSE '' END
WHERE run = ? AND group_no = ? AND settled = 1;

-- name: images_of_settled_group
UPDATE images SET state = ?, reason = CASE reason WHEN '' THEN ? ELSE reason END
WHERE run = ? AND group_no = ? AND settled = 1 AND fate = ?;

-- name: events_page
SELECT log_index, at, type, group_no, ordinal, stage, body FROM events
WHERE run = ? AND log_index > ? ORDER BY log_index LIMIT ?;

-- name: subject_page
SELECT log_index, at, type, group_no, ordinal, stage, body FROM events
WHERE run = ? AND group_no = ? AND ordinal = ? AND log_index > ? ORDER BY log_index LIMIT ?;

-- name: members_page
SELECT log_index, at, type, group_no, ordinal, stage, body FROM events
WHERE run = ? AND group_no = ? AND (ordinal, log_index) > (?, ?)
ORDER BY ordinal, log_index LIMIT ?;

-- name: runs
SELECT run, pipeline, plan, model, status, reason, started, updated, definition, owner, fence
FROM runs ORDER BY id DESC;

-- name: images_page
SELECT group_no, ordinal, name, path, state, settled, stage, reason, role FROM images
WHERE run = ?1 AND group_no <= ?2 AND (?3 IS NULL OR state IN (SELECT value FROM json_each(?3)))
  AND (group_no, ordinal) > (?4, ?5)
ORDER BY group_no, ordinal LIMIT ?6;

-- name: groups_page
SELECT group_no, name, state, images, reason, manifest FROM groups
WHERE run = ? AND group_no > ? ORDER BY group_no LIMIT ?;

-- name: image_counts
SELECT state, count(*) FROM images WHERE run = ? GROUP BY state;

-- name: stored_page
SELECT e.log_index, e.at, e.fence, e.type, e.group_no, e.ordinal, e.stage, e.body, k.key
FROM events e LEFT JOIN keys k
  ON k.run = e.run AND k.group_no = e.group_no AND k.ordinal = e.ordinal
WHERE e.run = ? AND e.log_index > ? ORDER BY e.log_index LIMIT ?;

-- name: subjects_without_key
SELECT DISTINCT e.group_no, e.ordinal FROM events e
WHERE e.run = ? AND (e.group_no, e.ordinal) > (?, ?) AND NOT EXISTS (
  SELECT 1 FROM keys k WHERE k.run = e.run AND k.group_no = e.group_no AND k.ordinal = e.ordinal
) ORDER BY e.group_no, e.ordinal LIMIT ?;

-- name: add_key
INSERT OR IGNORE INTO keys (run, group_no, ordinal, key) VALUES (?, ?, ?, ?);

-- name: add_mark
INSERT OR REPLACE INTO marks
  (run, group_no, ordinal, kind, group_name, path, bytes, digest, reason, actor, at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: remove_marks
DELETE FROM marks WHERE kind = ?1 AND (
  (group_name = ?2 AND path = ?3) OR (?4 <> '' AND digest = ?4)
);

-- name: marks
SELECT m.kind, r.run, m.group_no, m.ordinal, m.group_name, m.path, m.bytes, m.digest, m.reason,
  m.actor, m.at
FROM marks m JOIN runs r ON r.id = m.run ORDER BY m.at, m.run, m.group_no, m.ordinal;

-- name: image_erased
UPDATE images SET state = 'erased', fate = 'erased', settled = 1, stage = NULL, reason = '',
  name = '(erased)', path = '' WHERE run = ? AND group_no = ? AND ordinal = ?;

-- name: marks_erased
UPDATE marks SET path = '(erased)', digest = ?, reason = ''
WHERE run = ? AND group_no = ? AND ordinal = ? AND kind = 'withdrawn';

-- name: erase_payload
UPDATE events SET body = ? WHERE run = ? AND log_index = ?;

-- name: drop_key
DELETE FROM keys WHERE run = ? AND group_no = ? AND ordinal = ?;
