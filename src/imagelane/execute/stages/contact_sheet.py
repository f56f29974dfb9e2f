"""All pictures of a group, or of the run, on one page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import TypeAlias, TypedDict

import numpy as np

from imagelane.execute import decode, stamp
from imagelane.execute.attempt import Attempt, Result
from imagelane.execute.encoders import WHITE, Colour, Encoding, encode, flattened, rgb
from imagelane.execute.errors import BugError, TransientError
from imagelane.execute.header import read_header
from imagelane.execute.lettering import caption
from imagelane.execute.picture import Picture
from imagelane.execute.resample import resized
from imagelane.execute.sheet import MOST_ENTRIES, Entry, Placed, Section, Sheet, best_of, lay_out
from imagelane.execute.vips import Pixels
from imagelane.model.ids import StageName
from imagelane.model.outcome import Rendition
from imagelane.model.spec import Extent
from imagelane.model.states import Scope

NAME = "contact-sheet"
_MISSING = "missing"
_Point: TypeAlias = tuple[int, int]


class Parameters(TypedDict):
    of: str | None
    cell: int
    columns: int | None
    labels: bool
    title: str | None
    format: str
    preset: str | None
    quality: int | None
    background: str


def run(parameters: Parameters, attempt: Attempt) -> Result:
    """Images in published order; what has left the group is not shown, what is missing marked."""
    candidates, more = _candidates(parameters, attempt)
    sheet = lay_out(
        list(_sections(parameters, attempt, candidates)),
        parameters["cell"],
        parameters["columns"],
        labels=parameters["labels"],
        left_out=more,
    )
    attempt.piece.allowance.take(sheet.width * sheet.height * 3)
    picture = Picture.of(_draw(sheet, parameters["background"], attempt))
    how = Encoding(parameters["format"], parameters["quality"], preset=parameters["preset"])
    rendition = attempt.save(NAME, how.format, encode(picture, how), picture)
    return Result((rendition,))


@dataclass(frozen=True, slots=True)
class _Candidate:
    """What of a member the sheet may need; a run has a million of them."""

    name: str
    group: int
    group_name: str
    made: Mapping[StageName, Rendition | None]


def _candidates(parameters: Parameters, attempt: Attempt) -> tuple[list[_Candidate], int]:
    """The members to be shown, as many as fit on a sheet, and how many more there are."""
    stages = attempt.piece.opening.stages
    wanted = [name for name in attempt.stage.needs if stages[name].scope is Scope.IMAGE]
    if parameters["of"] is not None:
        wanted = [StageName(parameters["of"])]
    found: list[_Candidate] = []
    more = 0
    for member in attempt.piece.members():
        if member.has_left:
            continue
        if len(found) == MOST_ENTRIES:
            more += 1
            continue
        made = {
            name: best_of(member.renditions[name], parameters["cell"])
            for name in wanted
            if name in member.renditions
        }
        found.append(_Candidate(member.name, member.group, member.group_name, made))
    return found, more


def _sections(
    parameters: Parameters, attempt: Attempt, candidates: list[_Candidate]
) -> Iterator[Section]:
    of = _stage_shown(candidates)
    title = attempt.facts().render(parameters["title"]) if parameters["title"] else ""

    def entries(some: Iterable[_Candidate]) -> list[Entry]:
        return [Entry(one.name, one.made.get(of)) for one in some]

    if attempt.stage.scope is not Scope.RUN:
        yield Section(title, entries(candidates))
        return
    if title:
        yield Section(title, ())
    for _, group in groupby(candidates, key=lambda one: one.group):
        inside = list(group)
        yield Section(inside[0].group_name, entries(inside))


def _stage_shown(candidates: list[_Candidate]) -> StageName:
    """The one stage that made pictures; one that has made none (a store, say) cannot be meant."""
    shown = sorted({name for one in candidates for name, made in one.made.items() if made})
    if len(shown) > 1:
        raise BugError(
            f"several needed stages made pictures ({', '.join(shown)}): say which with 'of'"
        )
    return shown[0] if shown else StageName("")


def _draw(sheet: Sheet, background: str, attempt: Attempt) -> Pixels:
    paper = rgb(background)
    light = sum(paper) >= 384
    ink, faint = ((38, 38, 38), (232, 232, 230)) if light else ((225, 225, 225), (52, 52, 54))
    pixels = np.empty((sheet.height, sheet.width, 3), np.uint8)
    pixels[:] = paper
    measures = sheet.measures
    for heading in sheet.headings:
        _write(pixels, heading.text, measures.heading, ink, (heading.left, heading.top))
    for place in sheet.placed:
        right, lower = place.left + place.width, place.top + place.height
        box = pixels[place.top : lower, place.left : right]
        if place.entry.rendition is None:
            box[:] = faint
            _centre(box, _MISSING, measures.label, ink)
        else:
            box[:] = _shown(place, attempt)
        if measures.labels:
            left = measures.margin + place.column * (measures.cell + measures.gap)
            lowest = place.bottom + measures.label_room
            row = pixels[place.bottom : lowest, left : left + measures.cell]
            _label(row, place.entry.name, measures.label, ink)
    if sheet.left_out:
        text = f"and {sheet.left_out:,} more"
        low = sheet.height - measures.margin + measures.gap // 2
        _write(pixels, text, measures.label, ink, (measures.margin, low))
    return pixels


def _shown(place: Placed, attempt: Attempt) -> Pixels:
    rendition = place.entry.rendition
    if rendition is None:
        raise BugError("a missing picture cannot be shown")
    data = attempt.piece.shelf.read(rendition)
    header = read_header(data)
    extents = (Extent(place.width, place.height, "cover"),)
    picture = decode.decode(data, header, extents, attempt.piece.allowance)
    attempt.piece.allowance.give_back(picture.size)
    if picture.full != (rendition.width, rendition.height):
        raise TransientError(f"rendition {rendition.name!r} has not the size that was recorded")
    return flattened(resized(picture, place.width, place.height, attempt.resampler), WHITE)


def _label(row: Pixels, name: str, size: int, ink: Colour) -> None:
    drawn = caption(name, size, row.shape[1])
    mark = stamp.of_text(drawn.cover, ink, 0.85, size, shadow=False)
    stamp.press(row, mark, (row.shape[1] - mark.width) // 2, drawn.top + size // 2)


def _centre(box: Pixels, text: str, size: int, ink: Colour) -> None:
    mark = stamp.of_text(caption(text, size, box.shape[1]).cover, ink, 0.45, size, shadow=False)
    stamp.press(box, mark, (box.shape[1] - mark.width) // 2, (box.shape[0] - mark.height) // 2)


def _write(pixels: Pixels, text: str, size: int, ink: Colour, at: _Point) -> None:
    drawn = caption(text, size, pixels.shape[1] - 2 * at[0])
    mark = stamp.of_text(drawn.cover, ink, 0.95, size, shadow=False)
    stamp.press(pixels, mark, at[0], at[1] + drawn.top)
