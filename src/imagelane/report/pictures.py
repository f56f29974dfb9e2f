"""The pictures that a report shows, taken from the artifact store within a budget of bytes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from imagelane.model.ids import Digest
from imagelane.model.outcome import Rendition
from imagelane.ports.artifacts import Artifacts
from imagelane.report.view import RunView

SHARP = 320
"""Width in pixels from which a thumbnail looks sharp on a phone."""
LEAST = 64
"""A side below which a picture shows nothing."""
BUDGET_SHARP = 3_000_000
BUDGET = 5_000_000
BUDGET_SHEETS = 2_500_000
_TYPES: Mapping[str, str] = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "avif": "image/avif",
    "gif": "image/gif",
}


@dataclass(frozen=True, slots=True)
class Picture:
    """``uri`` is a ``data:`` URI; width and height are in pixels."""

    uri: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Pictures:
    """``cards`` by (group, ordinal), ``sheets`` by group (0: the run's).

    ``over_budget`` pictures were not embedded, ``unreadable`` ones were missing from the store or
    not what their digest says.
    """

    cards: Mapping[tuple[int, int], Picture] = field(default_factory=dict)
    sheets: Mapping[int, Picture] = field(default_factory=dict)
    over_budget: int = 0
    unreadable: int = 0


def read_pictures(view: RunView, artifacts: Artifacts) -> Pictures:
    """One picture for each card of the view: a sharp one if there is room for that, else the
    smallest; and contact sheets, as long as there is room for them."""
    cards = [card for group in view.group_rows for card in group.cards if card.renditions]
    sharp = [_sharp(card.renditions) for card in cards]
    chosen = sharp
    if sum(one.bytes for one in sharp) > BUDGET_SHARP:
        chosen = [_small(card.renditions) for card in cards]
    keys = [(card.subject.group, card.subject.ordinal) for card in cards]
    taken = _Taken(artifacts)
    shown = dict(taken.read(zip(keys, chosen, strict=True), BUDGET))
    sheets = [(group.group, group.sheet[-1]) for group in view.group_rows if group.sheet]
    if view.sheet:
        sheets.insert(0, (0, view.sheet[-1]))
    return Pictures(
        shown, dict(taken.read(iter(sheets), BUDGET_SHEETS)), taken.over_budget, taken.unreadable
    )


def embedded(
    wanted: Iterable[Rendition], artifacts: Artifacts, budget: int
) -> Mapping[Digest, Picture]:
    """By digest, those of the files that browsers show and that fit into a budget of bytes."""
    shown = {one.digest: one for one in wanted if one.format in _TYPES}
    return dict(_Taken(artifacts).read(shown.items(), budget))


K = TypeVar("K")


class _Taken:
    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts
        self.over_budget = 0
        self.unreadable = 0

    def read(
        self, wanted: Iterable[tuple[K, Rendition]], budget: int
    ) -> Iterator[tuple[K, Picture]]:
        for key, rendition in wanted:
            if rendition.bytes > budget:
                self.over_budget += 1
                continue
            data = self._bytes(rendition.digest)
            if data is None:
                self.unreadable += 1
                continue
            budget -= len(data)
            encoded = base64.b64encode(data).decode()
            uri = f"data:{_TYPES[rendition.format]};base64,{encoded}"
            yield key, Picture(uri, rendition.width, rendition.height)

    def _bytes(self, digest: Digest) -> bytes | None:
        try:
            data = self._artifacts.path(digest).read_bytes()
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest() == digest else None


def _sharp(renditions: tuple[Rendition, ...]) -> Rendition:
    return next((one for one in renditions if one.width >= SHARP), renditions[-1])


def _small(renditions: tuple[Rendition, ...]) -> Rendition:
    return next((one for one in renditions if min(one.width, one.height) >= LEAST), renditions[-1])
