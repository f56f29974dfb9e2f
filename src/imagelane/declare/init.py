"""The pipeline file that a newcomer starts from, written for the folder where they stand."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

SCHEMA_NAME = "imagelane.schema.json"
"""The file that the first line of a starter tells editors to look for, beside it."""

_ENDINGS = frozenset(
    {".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".heic", ".heif", ".avif"}
)
_VIEW = re.compile(r"(?P<group>[^\W_]{2,}(?:[-.][^\W_]+)*)_(?P<view>[^\W_]{1,20})")
_FIRST_VIEWS = ("front", "main", "hero", "primary", "1", "01", "001")
_PLACEHOLDER = "photos/"
_LISTED = 2000


def starter(folder: Path) -> str:
    """A commented pipeline file for the pictures in and below a folder.

    Sub folders with pictures become groups, and so do files that are called after their product
    and view (``SKU123_front.jpg``). Where there are no pictures it is written for a folder
    ``photos/``. At most 2,000 files are looked at.
    """
    found = _look(folder)
    return _TEXT.format(
        schema=SCHEMA_NAME,
        name=_name(folder),
        origin=_quoted(found.origin),
        why_origin=found.why_origin,
        group=found.group,
        why_group=found.why_group,
        primary=found.primary,
    )


@dataclass(frozen=True, slots=True)
class _Found:
    origin: str
    why_origin: str
    group: str
    why_group: str
    primary: str = ""


_BY_FOLDER = "each folder is a gallery of its own, and goes live as a whole"


def _look(folder: Path) -> _Found:
    here = [path.name for path in _pictures(folder)]
    below = [sub for sub in _folders(folder) if next(_pictures(sub), None)]
    deeper = [sub for sub in _folders(folder) if any(map(_has_pictures, _folders(sub)))]
    if here:
        return _flat(here)
    if len(deeper) == 1 and not (below and below != deeper):
        why = f"the pictures are in the folders of {deeper[0].name}/"
        return _Found(f"{deeper[0].name}/", why, "folder", _BY_FOLDER)
    if len(below) == 1 and not deeper:
        inside = _flat([path.name for path in _pictures(below[0])])
        return _Found(
            f"{below[0].name}/",
            "a folder, a glob, or a manifest (.csv, .jsonl)",
            inside.group,
            inside.why_group,
            inside.primary,
        )
    if below or deeper:
        return _Found("./", "the pictures are in the folders here", "folder", _BY_FOLDER)
    why = "there are no pictures here yet: put them into this folder, or name yours"
    return _Found(_PLACEHOLDER, why, "folder", _BY_FOLDER)


def _flat(names: list[str]) -> _Found:
    """Pictures that lie in one folder: views of products, or one gallery."""
    stems = [name.rpartition(".")[0] for name in names]
    views = [match for stem in stems if (match := _VIEW.fullmatch(stem))]
    groups = Counter(view["group"] for view in views)
    kinds = {view["view"].lower() for view in views}
    # Cameras number their files (IMG_0001): there the parts before the bar are few, or those after
    # it are never the same twice.
    repeated = 1.5 * max(len(groups), len(kinds)) <= len(views)
    if not (repeated and len(groups) > 1 and len(views) >= 0.8 * len(stems)):
        why = "the pictures in one folder are one gallery, and go live as a whole"
        return _Found("./", "the pictures are right here", "folder", why)
    first = next((view for view in _FIRST_VIEWS if view in kinds), None)
    example = _plain(min(groups))
    return _Found(
        "./",
        "the pictures are right here",
        r'{pattern: "(?P<group>[^_]+)_.*"}',
        f"{example}_… belong together: all views of a product go live at once",
        f'  primary: {{pattern: "*_{first}.*"}}   # this view runs first; the others may use its '
        "facts\n"
        if first
        else "",
    )


def _pictures(folder: Path) -> Iterator[Path]:
    return (
        path
        for path in _entries(folder)
        if path.suffix.lower() in _ENDINGS and not path.name.startswith(".") and path.is_file()
    )


def _has_pictures(folder: Path) -> bool:
    return next(_pictures(folder), None) is not None


def _folders(folder: Path) -> list[Path]:
    return [
        path
        for path in _entries(folder)
        if path.is_dir() and not path.name.startswith(".") and path.name != "public"
    ]


def _entries(folder: Path) -> list[Path]:
    """The first names of a folder in order; a folder that may not be read has none."""
    try:
        with os.scandir(folder) as entries:
            return sorted(Path(entry.path) for entry in islice(entries, _LISTED))
    except OSError:
        return []


def _name(folder: Path) -> str:
    words = re.findall(r"[A-Za-z0-9]+", folder.absolute().name)
    name = "-".join(words).lower()[:60] or "gallery"
    # Without quotes YAML takes these for something else than text.
    return name if name[0].isalpha() and name not in {"null", "true", "false"} else f'"{name}"'


def _quoted(text: str) -> str:
    """As a YAML value, in quotes where it needs them."""
    if re.fullmatch(r"\.?[A-Za-z_][\w ./-]*|\./", text, re.ASCII) and text == text.strip():
        return text
    escaped = "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08X}" for c in text)
    return f'"{escaped}"'


def _plain(text: str) -> str:
    return "".join(c for c in text if c.isprintable())[:40]


_TEXT = """\
# yaml-language-server: $schema=./{schema}
#
# What becomes of the pictures here, step by step.
#   imagelane plan   shows what will be done      imagelane run   does it
# The originals are never changed.

pipeline: {name}

images:
  from: {origin}   # {why_origin}
  group: {group}   # {why_group}
  order: name   # or captured: by the time when they were taken
{primary}
stages:
  # Is it really a picture, whole, and of a sane size? What is not is left out, with a reason.
  validate:

  # When was it taken, with which camera, whose is it?
  metadata:
    needs: [validate]

  # Three widths for a page. Nothing is ever enlarged.
  thumbnails:
    needs: [validate]
    with: {{widths: [160, 480, 1080], format: jpeg, quality: 80}}
    on_failure: partial   # one size missing is no reason to hold the picture back

  # A large one with a name on it. {{copyright}} is what the picture's own metadata says; after the
  # bar stands what is written where it says nothing.
  watermark:
    needs: [metadata]
    with: {{text: "© {{copyright|all rights reserved}}", width: 1600, position: bottom-right}}

  # Bring the files to where they will be seen; nobody sees them yet.
  store:
    needs: [thumbnails, watermark]
    with: {{to: public/}}

  # All pictures of a gallery on one sheet, made once the last of them is done.
  contact-sheet:
    scope: group
    needs: [thumbnails]

  # The moment when a gallery goes live: all of it at once, or not at all.
  publish:
    scope: group
    needs: [store, contact-sheet]
    gate: settled   # wait until every picture has come to an end, good or bad

# How fast. None of this changes a byte of what comes out.
run:
  model: parallel   # or sequential, one thing at a time; or hybrid, in batches
"""
