"""Versions from their manifests, which say all that is needed to publish them again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from imagelane.model.ids import Digest
from imagelane.ports.publisher import PublishedFile, Version


def version_of(slug: str, manifest: bytes) -> Version:
    """The version that a manifest is of."""
    content = json.loads(manifest)
    return Version(
        slug=slug,
        group_name=content["group"],
        digest=Digest(hashlib.sha256(manifest).hexdigest()),
        manifest=manifest,
        files=tuple(
            PublishedFile(one["file"], Digest(one["digest"]), one["bytes"])
            for one in entries(content)
        ),
        rows=tuple(content["images"]),
    )


def entries(content: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What a manifest says of each of its files."""
    if "contact_sheet" in content:
        yield content["contact_sheet"]
    yield from content.get("files", ())
    for image in content["images"]:
        yield from image["renditions"]
