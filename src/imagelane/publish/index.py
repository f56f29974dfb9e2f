"""The list of a run's galleries: what a front page needs to link to them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from imagelane.publish.canonical import canonical

FORMAT = "imagelane-index/1"
COVER = 640
"""Pixels of width that a cover on a front page needs at most."""


def build_index(pipeline: str, title: str | None, galleries: Iterable[tuple[str, bytes]]) -> bytes:
    """Canonical JSON of the galleries, each as its slug and its live manifest, in the order in
    which they are given."""
    return canonical(
        {
            "format": FORMAT,
            "pipeline": pipeline,
            "title": title or pipeline,
            "galleries": [_gallery(slug, manifest) for slug, manifest in galleries],
        }
    )


def with_gallery(index: bytes, slug: str, manifest: bytes | None) -> bytes:
    """A list of galleries in which one is as its live manifest says; None: it is live no more. One
    that is not in the list yet comes last."""
    content = json.loads(index)
    entries = {one["slug"]: one for one in content["galleries"]}
    if manifest is None:
        entries.pop(slug, None)
    else:
        entries[slug] = _gallery(slug, manifest)
    return canonical({**content, "galleries": list(entries.values())})


def _gallery(slug: str, manifest: bytes) -> dict[str, Any]:
    content = json.loads(manifest)
    gallery = {
        "slug": slug,
        "group": content["group"],
        "title": content["title"],
        "images": len(content["images"]),
        "manifest": hashlib.sha256(manifest).hexdigest(),
    }
    cover = _cover(content["images"])
    return gallery | {"cover": cover} if cover else gallery


def _cover(images: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The largest rendition up to `COVER` pixels of the primary, or else of the first image."""
    first = min(images, key=lambda image: image.get("role") != "primary", default=None)
    if first is None:
        return None
    widths = [one for one in first["renditions"] if "width" in one]
    fitting = [one for one in widths if one["width"] <= COVER]
    chosen = (
        max(fitting, key=lambda one: (one["width"], one["file"]))
        if fitting
        else min(widths, key=lambda one: (one["width"], one["file"]), default=None)
    )
    return chosen and {key: chosen[key] for key in ("file", "width", "height")}
