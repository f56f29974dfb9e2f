"""A group's manifest: what a website needs to show it, and nothing that another run would change.

It holds no run, no time and no program version, so the same images give the same bytes under every
execution model. Its SHA-256 is the version's identity.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from imagelane.model.ids import Digest, StageName
from imagelane.model.outcome import CODED, Rendition
from imagelane.model.states import ImageState
from imagelane.ports.publisher import PublishedFile, Version
from imagelane.publish.canonical import canonical
from imagelane.publish.naming import folded, numbered, safe, shown, stem

FORMAT = "imagelane-gallery/1"
FILE = "manifest.json"
"""The manifest's own name in a published folder."""

CONTACT_SHEET = "contact-sheet"
"""The name of the group rendition that stands under its own key."""

_PRESENT = frozenset({ImageState.PROCESSING, ImageState.PARTIAL, ImageState.PUBLISHED})
_LONGEST_REASON = 300
_Made = tuple[StageName, Rendition]


def build(
    *,
    pipeline: str,
    group_name: str,
    slug: str,
    members: Iterable[Mapping[str, Any]],
    group_outputs: Mapping[StageName, Sequence[Rendition]] | None = None,
    title: str | None = None,
    expected: frozenset[str] | None = None,
) -> Version:
    """The version of a group as its members are now.

    ``members`` are the lines of a members file, in published order; those that left the group
    (skipped, rejected, dead) or wait for a human are not in it. ``group_outputs`` are the
    renditions of the group's own stages, by stage. ``expected`` names the stages whose absence is
    worth a mark; None: every stage that a member is missing.
    """
    present = [member for member in members if member["state"] in _PRESENT]
    made = [(stage, one) for stage, ones in sorted((group_outputs or {}).items()) for one in ones]
    names = _FileNames(present)
    named = list(zip(made, names.of_group(made), strict=True))
    content: dict[str, Any] = {
        "format": FORMAT,
        "pipeline": shown(pipeline),
        "group": shown(group_name),
        "title": shown(title or group_name),
        "images": [],
    }
    for one, name in named:
        if one[1].name == CONTACT_SHEET and "contact_sheet" not in content:
            content["contact_sheet"] = _entry(one, name)
        else:
            content.setdefault("files", []).append(_entry(one, name))
    for member in present:
        of_image = names.of_image(member)
        named += zip(_renditions(member), of_image, strict=True)
        content["images"].append(_image(member, of_image, expected))
    manifest = canonical(content)
    return Version(
        slug=slug,
        group_name=group_name,
        digest=Digest(hashlib.sha256(manifest).hexdigest()),
        manifest=manifest,
        files=tuple(PublishedFile(name, one.digest, one.bytes) for (_, one), name in named),
        rows=tuple(content["images"]),
    )


class _FileNames:
    """Gives every file of a group a name of its own, without regard to case or Unicode form."""

    def __init__(self, present: Sequence[Mapping[str, Any]]) -> None:
        self._used: set[str] = {folded(FILE)}
        self._next: dict[str, int] = defaultdict(lambda: 2)
        self._ambiguous = _made_by_several(made for one in present for made in _renditions(one))

    def of_group(self, made: Sequence[_Made]) -> list[str]:
        """The file names of what the group's own stages made."""
        return self._take(_labels(made, _made_by_several(made), "", self._used))

    def of_image(self, member: Mapping[str, Any]) -> list[str]:
        """The file names of one image's renditions. All begin with one stem, which is the image's
        own name unless another image took one of them before."""
        own = stem(member["name"])
        labels = _labels(_renditions(member), self._ambiguous, own, ())
        name = own
        while True:
            names = [f"{name}-{label}" if label[0] != "." else f"{name}{label}" for label in labels]
            if self._used.isdisjoint(map(folded, names)):
                return self._take(names)
            number = self._next[folded(own)]
            self._next[folded(own)] += 1
            name = numbered(own, number)

    def _take(self, names: list[str]) -> list[str]:
        self._used.update(map(folded, names))
        return names


def _made_by_several(made: Iterable[_Made]) -> set[tuple[str, str]]:
    """Rendition names and endings that more than one stage uses, so that both must say theirs."""
    stages: dict[tuple[str, str], set[str]] = defaultdict(set)
    for stage, one in made:
        stages[one.name, one.suffix].add(stage)
    return {key for key, makers in stages.items() if len(makers) > 1}


def _labels(
    made: Sequence[_Made], ambiguous: set[tuple[str, str]], own: str, used: Iterable[str]
) -> list[str]:
    """What tells one image's files apart: ``480.jpg``; or ``.sha256``, where the rendition is
    called as the image itself. No two are alike."""
    labels: list[str] = []
    taken = set(used)
    for stage, one in made:
        ending = f".{safe(one.suffix, 'bin', 16)}"
        label = safe(one.name.removesuffix(f".{one.suffix}"), "file", 60)
        label = "" if label == own else label.removeprefix(f"{own}-")
        if (one.name, one.suffix) in ambiguous:
            label = "-".join(filter(None, (safe(stage, "stage", 40), label)))
        name, number = f"{label}{ending}", 2
        while folded(name) in taken:
            name = f"{label or 'file'}-{number}{ending}"
            number += 1
        taken.add(folded(name))
        labels.append(name)
    return labels


def _renditions(member: Mapping[str, Any]) -> list[_Made]:
    # Stages that run side by side are recorded in the order in which they ended: no order at all.
    return [
        (stage, Rendition(*row))
        for stage, rows in sorted(member["renditions"].items())
        for row in rows
    ]


def _image(
    member: Mapping[str, Any],
    names: Sequence[str],
    expected: frozenset[str] | None,
) -> dict[str, Any]:
    made = _renditions(member)
    facts = _facts(member)
    entry: dict[str, Any] = {
        "name": shown(member["name"]),
        "role": member.get("role") or None,
        "alt": _text(facts, "alt", "description", "title"),
        "caption": _text(facts, "caption", "description", "title"),
        "captured": _text(facts, "captured"),
        "width": _pixels(facts, "width"),
        "height": _pixels(facts, "height"),
        "placeholder": _text(facts, "thumbhash"),
        "dominant": _text(facts, "dominant"),
    }
    entry = {key: value for key, value in entry.items() if value is not None}
    found = member.get("facts", {})
    entry["renditions"] = [
        _entry(one, name) | _coded(found.get(one[0], {}), one[1])
        for one, name in zip(made, names, strict=True)
    ]
    if srcset := _srcset(made, names):
        entry["srcset"] = srcset
    missing = [
        {"stage": shown(stage), "reason": shown(" ".join(reason.split()))[:_LONGEST_REASON]}
        for stage, reason in sorted(member.get("missing", {}).items())
        if expected is None or stage in expected
    ]
    if missing:
        entry["missing"] = missing
    return entry


def _facts(member: Mapping[str, Any]) -> dict[str, Any]:
    """All facts of an image by name. A manifest's columns give way to what stages found; of two
    stages that found the same, the first by name is believed, whichever was done first."""
    facts = dict(member.get("columns", {}))
    for _, found in sorted(member.get("facts", {}).items(), reverse=True):
        facts.update(found)
    return facts


def _text(facts: Mapping[str, Any], *names: str) -> str | None:
    for name in names:
        value = facts.get(name)
        if isinstance(value, str) and value.strip():
            return shown(value)
    return None


def _pixels(facts: Mapping[str, Any], name: str) -> int | None:
    value = facts.get(name)
    return value if type(value) is int and value > 0 else None


def _entry(made: _Made, file: str) -> dict[str, Any]:
    stage, one = made
    entry: dict[str, Any] = {
        "stage": shown(stage),
        "name": shown(one.name),
        "file": file,
        "format": one.format,
        "bytes": one.bytes,
        "digest": one.digest,
    }
    if one.width and one.height:
        entry |= {"width": one.width, "height": one.height}
    return entry


def _coded(facts: Mapping[str, Any], one: Rendition) -> dict[str, Any]:
    """What its stage had to find for a file: the quality, and the score that it came to."""
    coded = facts.get(CODED)
    found = coded.get(f"{one.name}.{one.suffix}") if isinstance(coded, Mapping) else None
    if not isinstance(found, Mapping):
        return {}
    quality, score = found.get("quality"), found.get("ssimulacra2")
    if type(quality) is not int or not isinstance(score, int | float):
        return {}
    # A manifest has no fractions.
    return {"quality": quality, "ssimulacra2": f"{score:.2f}"}


def _srcset(made: Sequence[_Made], names: Sequence[str]) -> dict[str, dict[str, str]]:
    """By stage, then format: the candidates of an ``img`` or ``source`` element's srcset.

    One stage's renditions show one picture in several widths; a marked or cropped one from another
    stage shows a different picture, so it is no candidate for the same place.
    """
    widths: dict[str, dict[str, dict[int, str]]] = defaultdict(lambda: defaultdict(dict))
    for (stage, one), name in zip(made, names, strict=True):
        if one.name.isdecimal() and one.width:
            widths[shown(stage)][one.format].setdefault(one.width, name)
    return {
        stage: {
            form: ", ".join(f"{quote(name)} {width}w" for width, name in sorted(files.items()))
            for form, files in formats.items()
        }
        for stage, formats in widths.items()
    }
