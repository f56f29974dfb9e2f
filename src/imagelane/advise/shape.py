"""What a source is made of, in numbers: how large its groups are, and its files."""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from imagelane.ports.source import SourceItem

_KEPT = 20
"""Images that are looked at for each that is chosen."""
_PARTS = (4, 3, 2, 1)
"""How a sample is divided into groups: of several sizes, so that it shows how time goes with it."""


class Shape:
    """The sizes of a source's files in bytes, group by group: eight bytes an image."""

    def __init__(self, items: Iterable[SourceItem]) -> None:
        self._sizes = array("Q")
        self._ends = array("Q")
        self.primaries = False
        for item in items:
            self._sizes.append(item.bytes)
            self.primaries |= item.role == "primary"
            if item.last:
                self._ends.append(len(self._sizes))

    @property
    def images(self) -> int:
        return len(self._sizes)

    @property
    def groups(self) -> int:
        return len(self._ends)

    @property
    def largest(self) -> int:
        """Bytes of the largest file."""
        return max(self._sizes, default=0)

    def items(self, images: int) -> Iterator[SourceItem]:
        """So many images: those of the source, over and over again, or as many of them as are
        asked for. The last group may be cut short."""
        sequence, group = 0, 0
        while sequence < images:
            first = 0
            for end in self._ends:
                group += 1
                size = min(end - first, images - sequence)
                for ordinal in range(1, size + 1):
                    yield SourceItem(
                        sequence=sequence,
                        group=group,
                        ordinal=ordinal,
                        group_name=f"group {group}",
                        group_size=size,
                        name=f"{sequence + 1}",
                        path="",
                        bytes=self._sizes[first + ordinal - 1],
                        mtime_ns=0,
                        last=ordinal == size,
                        role="primary" if self.primaries and ordinal == 1 else "",
                    )
                    sequence += 1
                first = end
                if sequence >= images:
                    return


def choose(items: Iterable[SourceItem], images: int, seed: int = 1) -> list[SourceItem]:
    """A sample of a source: files of all sizes as they are found in it, in groups of several sizes
    that are no larger than its own. Of a source that has no more images than asked for, all.

    Which image is in which group has no bearing on how long it takes, so groups are made anew.
    """
    draw = random.Random(seed)  # noqa: S311 - a seeded sample, no secret
    pool: list[SourceItem] = []
    largest = 0
    for number, item in enumerate(items):
        largest = max(largest, item.group_size)
        if len(pool) < _KEPT * images:
            pool.append(item)
        elif (place := draw.randrange(number + 1)) < len(pool):
            pool[place] = item
    if len(pool) <= images:
        return sorted(pool, key=lambda item: item.sequence)
    pool.sort(key=lambda item: item.bytes)
    # One from each stretch of sizes, so that a few images tell what many are like.
    width = len(pool) / images
    chosen = [pool[int(width * (place + draw.random()))] for place in range(images)]
    draw.shuffle(chosen)
    return list(_grouped(chosen, largest, primaries=any(item.role for item in chosen)))


def _grouped(
    chosen: Sequence[SourceItem], largest: int, *, primaries: bool
) -> Iterator[SourceItem]:
    sizes: list[int] = []
    left = len(chosen)
    while left > 0:
        part = _PARTS[len(sizes) % len(_PARTS)] / sum(_PARTS)
        sizes.append(max(1, min(left, largest, round(part * len(chosen)))))
        left -= sizes[-1]
    sequence = 0
    for group, size in enumerate(sizes, 1):
        for ordinal in range(1, size + 1):
            yield replace(
                chosen[sequence],
                sequence=sequence,
                group=group,
                ordinal=ordinal,
                group_name=f"sample {group}",
                group_size=size,
                last=ordinal == size,
                role="primary" if primaries and ordinal == 1 else "",
            )
            sequence += 1
