-- The gallery database: what a website asks. It follows the manifests, and can be made anew from
-- them. File names are relative to the gallery's folder, which is called as its slug.

-- name: schema
CREATE TABLE galleries (
  slug TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  title TEXT NOT NULL,
  pipeline TEXT NOT NULL,
  images INTEGER NOT NULL,
  contact_sheet TEXT,                     -- a file name
  manifest TEXT NOT NULL                  -- the SHA-256 of manifest.json
) STRICT, WITHOUT ROWID;

CREATE TABLE images (
  gallery TEXT NOT NULL REFERENCES galleries (slug) ON DELETE CASCADE,
  position INTEGER NOT NULL,              -- from 1, in the order in which they are shown
  name TEXT NOT NULL,
  alt TEXT,
  caption TEXT,
  captured TEXT,                          -- ISO 8601
  role TEXT,
  width INTEGER,                          -- of the original, upright, in pixels
  height INTEGER,
  placeholder TEXT,                       -- a ThumbHash in base64
  dominant TEXT,                          -- a colour, #rrggbb
  missing TEXT,                           -- JSON: stages whose files are missing, with reasons
  PRIMARY KEY (gallery, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE renditions (
  gallery TEXT NOT NULL,
  position INTEGER NOT NULL,
  file TEXT NOT NULL,
  stage TEXT NOT NULL,
  name TEXT NOT NULL,
  format TEXT NOT NULL,
  width INTEGER,
  height INTEGER,
  bytes INTEGER NOT NULL,
  digest TEXT NOT NULL,
  PRIMARY KEY (gallery, file),
  FOREIGN KEY (gallery, position) REFERENCES images (gallery, position) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX renditions_of_image ON renditions (gallery, position);

-- name: manifest_of
SELECT manifest FROM galleries WHERE slug = ?;

-- name: slugs
SELECT slug FROM galleries;

-- name: delete_gallery
DELETE FROM galleries WHERE slug = ?;

-- name: add_gallery
INSERT INTO galleries (slug, name, title, pipeline, images, contact_sheet, manifest)
VALUES (?, ?, ?, ?, ?, ?, ?);

-- name: add_image
INSERT INTO images (gallery, position, name, alt, caption, captured, role, width, height,
  placeholder, dominant, missing)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);

-- name: add_rendition
INSERT INTO renditions (gallery, position, file, stage, name, format, width, height, bytes, digest)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
