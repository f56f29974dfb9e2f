"""The manifest's page names every key that a manifest has, and no other."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from imagelane.model.ids import Digest, StageName
from imagelane.model.outcome import Rendition
from imagelane.model.states import ImageState
from imagelane.publish.manifest import build

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "manifest.md").read_text("utf-8")
DIGEST = Digest("0" * 64)


def everything() -> dict[str, Any]:
    """A manifest with all that there can be."""
    member = {
        "subject": "1.1",
        "ordinal": 1,
        "name": "quay.jpg",
        "state": ImageState.PARTIAL.value,
        "reason": "",
        "role": "primary",
        "columns": {"alt": "A quay"},
        "facts": {
            "validate": {"width": 640, "height": 480},
            "thumbnails": {"coded": {"160.jpg": {"quality": 71, "ssimulacra2": 75.4}}},
            "metadata": {
                "captured": "2026-11-23T09:15:00",
                "title": "Quay",
                "dominant": "#a0522d",
                "thumbhash": "1QcSHQ",
            },
        },
        "renditions": {"thumbnails": [["160", DIGEST, 10, "jpeg", 160, 120]]},
        "missing": {"watermark": "no font"},
    }
    version = build(
        pipeline="news-gallery",
        group_name="harbour",
        slug="harbour",
        members=[member],
        group_outputs={
            StageName("contact-sheet"): [Rendition("contact-sheet", DIGEST, 10, "jpeg", 100, 100)],
            StageName("index"): [Rendition("index", DIGEST, 10, "html")],
        },
    )
    manifest: dict[str, Any] = json.loads(version.manifest)
    return manifest


def section(title: str) -> set[str]:
    """The keys in the first column of a section's table."""
    rows = PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]
    first = re.findall(r"^\| (`.*?) \|", rows, re.MULTILINE)
    return {key for cell in first for key in re.findall(r"`(\w+)`", cell)}


def test_the_group() -> None:
    assert section("The group") == everything().keys()


def test_an_image() -> None:
    assert section("An image") == everything()["images"][0].keys()


def test_a_file() -> None:
    assert section("A file") == everything()["images"][0]["renditions"][0].keys()


def test_the_example_has_only_keys_that_there_are() -> None:
    def keys(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for key, inner in value.items():
                yield key
                if key != "srcset":
                    yield from keys(inner)
        elif isinstance(value, list):
            for one in value:
                yield from keys(one)

    shown = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert shown is not None
    documented = section("The group") | section("An image") | section("A file")
    assert set(keys(json.loads(shown[1]))) <= documented
