"""Versions from their manifests, which say all that is needed to publish them again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagelane.model.ids import Digest
from imagelane.ports.publisher import PublishedFile, Version
from imagelane.publish.canonical import canonical
from imagelane.publish.naming import shown


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


@dataclass(frozen=True, slots=True)
class Shown:
    """An image as a manifest can show it: its name, and the digests of what was made of it."""

    name: str
    digests: frozenset[str]


def shows(content: Mapping[str, Any], image: Shown) -> Sequence[int]:
    """The places, among a manifest's images, at which an image is shown: under its name, with files
    of its own; or alone under that name, whatever its files are."""
    named = [i for i, one in enumerate(content["images"]) if one["name"] == shown(image.name)]
    own = [
        place
        for place in named
        if image.digests & {one["digest"] for one in content["images"][place]["renditions"]}
    ]
    return own or (named if len(named) == 1 else [])


def without(manifest: bytes, images: Iterable[Shown]) -> bytes | None:
    """The manifest of the same version without some of its images, and without what was made of
    the group as a whole, which would show them too. The same, where it shows none of them; None
    where no image is left."""
    content = json.loads(manifest)
    leave = {place for image in images for place in shows(content, image)}
    if not leave:
        return manifest
    kept = [one for place, one in enumerate(content["images"]) if place not in leave]
    of_group = {"contact_sheet", "files"}
    rest = {key: value for key, value in content.items() if key not in of_group}
    return canonical({**rest, "images": kept}) if kept else None


def entries(content: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What a manifest says of each of its files."""
    if "contact_sheet" in content:
        yield content["contact_sheet"]
    yield from content.get("files", ())
    for image in content["images"]:
        yield from image["renditions"]
