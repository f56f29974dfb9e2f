ALTER TABLE images ADD COLUMN fate TEXT;

UPDATE images SET fate = (
  SELECT json_extract(body, '$.state') FROM events
  WHERE events.run = images.run AND events.group_no = images.group_no
    AND events.ordinal = images.ordinal AND events.type = 'image_settled'
  ORDER BY log_index DESC LIMIT 1
) WHERE settled = 1;
