"""Where everything stands on a contact sheet: numbers only, no pixels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from imagelane.execute.resample import inside
from imagelane.model.outcome import Rendition

MOST_PIXELS = 40_000_000
MOST_ENTRIES = 20_000
"""More than fit on a sheet with the smallest cells."""
LONGEST_SIDE = 16_000
_SMALLEST_CELL = 48


@dataclass(frozen=True, slots=True)
class Entry:
    """What is shown of one image; ``rendition`` None: it is missing."""

    name: str
    rendition: Rendition | None


@dataclass(frozen=True, slots=True)
class Section:
    """Images under one heading, which may be empty."""

    heading: str
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Placed:
    """An image's box in pixels; its label goes below ``bottom``, the lower edge of its row."""

    entry: Entry
    left: int
    top: int
    width: int
    height: int
    column: int
    bottom: int


@dataclass(frozen=True, slots=True)
class Heading:
    text: str
    left: int
    top: int


@dataclass(frozen=True, slots=True)
class Measures:
    """All lengths in pixels, from the side of a cell."""

    cell: int
    labels: bool

    @property
    def gap(self) -> int:
        return max(4, round(self.cell * 0.09))

    @property
    def margin(self) -> int:
        return max(8, round(self.cell * 0.16))

    @property
    def label(self) -> int:
        """The size of a label's letters."""
        return max(9, round(self.cell * 0.058))

    @property
    def heading(self) -> int:
        """The size of a heading's letters."""
        return max(12, round(self.cell * 0.115))

    @property
    def label_room(self) -> int:
        return round(self.label * 1.8) if self.labels else 0

    @property
    def heading_room(self) -> int:
        return round(self.heading * 2.1)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A laid-out sheet. ``left_out`` images found no room."""

    width: int
    height: int
    measures: Measures
    placed: tuple[Placed, ...]
    headings: tuple[Heading, ...]
    left_out: int = 0


def lay_out(
    sections: Sequence[Section],
    cell: int,
    columns: int | None,
    *,
    labels: bool,
    left_out: int = 0,
) -> Sheet:
    """Lay sections out in rows of ``columns`` (None: nearly square).

    Each picture fits into a square of ``cell`` pixels; a row is as high as its highest picture. A
    sheet that would be too large gets smaller cells, and at last fewer images; ``left_out`` were
    left out before.
    """
    count = sum(len(section.entries) for section in sections)
    while True:
        across = columns or max(1, math.ceil(math.sqrt(count)))
        across = max(1, min(across, max((len(one.entries) for one in sections), default=1)))
        sheet = _lay_out(sections, Measures(cell, labels and cell >= 90), across, left_out)
        excess = max(
            math.sqrt(sheet.width * sheet.height / MOST_PIXELS),
            sheet.width / LONGEST_SIDE,
            sheet.height / LONGEST_SIDE,
        )
        if excess <= 1:
            return sheet
        if cell > _SMALLEST_CELL:
            cell = max(_SMALLEST_CELL, min(cell - 1, int(cell / excess)))
            continue
        keep = min(count - 1, int(count / excess**2))
        left_out += count - keep
        sections, count = _first(sections, keep), keep


def _first(sections: Sequence[Section], keep: int) -> list[Section]:
    kept = []
    for section in sections:
        if keep > 0:
            kept.append(Section(section.heading, section.entries[:keep]))
            keep -= len(section.entries)
    return kept


def _lay_out(sections: Sequence[Section], measures: Measures, across: int, left_out: int) -> Sheet:
    cell, gap, margin = measures.cell, measures.gap, measures.margin
    placed: list[Placed] = []
    headings: list[Heading] = []
    top = margin
    for number, section in enumerate(sections):
        if section.heading:
            top += gap if number else 0
            headings.append(Heading(section.heading, margin, top))
            top += measures.heading_room
        for row in _rows(section.entries, across):
            sizes = [_size(entry, cell) for entry in row]
            high = max(height for _, height in sizes)
            for column, (entry, (width, height)) in enumerate(zip(row, sizes, strict=True)):
                left = margin + column * (cell + gap) + (cell - width) // 2
                box = (left, top + high - height, width, height)
                placed.append(Placed(entry, *box, column, top + high))
            top += high + measures.label_room + gap
    width = 2 * margin + across * cell + (across - 1) * gap
    height = max(top - gap + margin, 2 * margin)
    return Sheet(width, height, measures, tuple(placed), tuple(headings), left_out)


def _rows(entries: Sequence[Entry], across: int) -> Iterator[Sequence[Entry]]:
    for start in range(0, len(entries), across):
        yield entries[start : start + across]


def _size(entry: Entry, cell: int) -> tuple[int, int]:
    rendition = entry.rendition
    if rendition is None or not rendition.width or not rendition.height:
        return cell, round(cell * 2 / 3)
    size = rendition.width, rendition.height
    return size if max(size) <= cell else inside(size, cell, cell)


def best_of(renditions: Iterable[Rendition], cell: int) -> Rendition | None:
    """The smallest picture that need not be enlarged for a cell, else the largest one."""
    pictures = sorted(
        (one for one in renditions if one.width and one.height),
        key=lambda one: (one.width * one.height, one.format != "jpeg", one.digest),
    )
    enough = [one for one in pictures if max(one.width, one.height) >= cell]
    return next(iter(enough or pictures[-1:]), None)
