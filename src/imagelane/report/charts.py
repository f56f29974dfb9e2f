"""What the drawn charts consist of: numbers only, in units of their view boxes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from imagelane.model.ids import StageName
from imagelane.report import wording
from imagelane.report.view import Entry, WorkerView

SPAN = 10_000
"""Units along a time axis."""
LANE = 6
"""Units of height for each of the tasks of one image that ran side by side."""
THINNEST = 12
"""Units below which a bar would be invisible."""
COLOURS = 10


@dataclass(frozen=True, slots=True)
class Bar:
    """A task: place and size, the index of its colour, how it ended, and what to say of it."""

    x: int
    y: int
    width: int
    height: int
    colour: int
    ending: str
    title: str


@dataclass(frozen=True, slots=True)
class Tick:
    """``share`` of the axis in per cent."""

    share: float
    label: str


@dataclass(frozen=True, slots=True)
class Strip:
    """A worker over time: for each colour an SVG path of columns, stacked."""

    name: str
    busy: str
    paths: tuple[tuple[int, str], ...]


def ticks(length: float) -> tuple[Tick, ...]:
    """At most seven round marks along an axis of so many seconds, its beginning included."""
    if length <= 0:
        return ()
    step = _round_step(length / 6)
    marks = int(length / step + 1e-9)
    return tuple(
        Tick(100 * number * step / length, _mark(number * step)) for number in range(marks + 1)
    )


def _round_step(least: float) -> float:
    if least > 60:
        minutes = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440)
        whole = (float(60 * one) for one in minutes if 60 * one >= least)
        return next(whole, math.ceil(least / 86400) * 86400.0)
    if least > 10:
        return next(step for step in (15.0, 20.0, 30.0, 60.0) if step >= least)
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= least * (1 - 1e-9))


def _mark(value: float) -> str:
    if value == 0:
        return "0"
    return f"{value:g} s" if value < 60 else wording.stopwatch(value)


def bars(
    entries: Sequence[Entry], length: float, colours: Mapping[StageName, int]
) -> tuple[tuple[Bar, ...], int]:
    """The tasks of one subject as bars, and the height that they need.

    Tasks that overlap in time lie below each other, so none hides another.
    """
    timed = sorted(
        (one for one in entries if one.ending != "skipped"), key=lambda one: (one.began, one.stage)
    )
    lanes: list[float] = []
    drawn = []
    for one in timed:
        ends = one.began + one.seconds
        # A recorded end and the next start are read from one clock, a rounding error apart.
        lane = next((n for n, free in enumerate(lanes) if free <= one.began + 1e-4), len(lanes))
        lanes[lane : lane + 1] = [ends]
        x = min(SPAN - THINNEST, _units(one.began, length))
        width = max(THINNEST, _units(one.seconds, length))
        drawn.append(
            Bar(x, lane, min(width, SPAN - x), LANE, colours[one.stage], one.ending, _title(one))
        )
    height = LANE * max(1, len(lanes))
    return tuple(drawn), height


def _units(seconds: float, length: float) -> int:
    return round(min(1.0, seconds / length) * SPAN) if length > 0 else 0


def _title(one: Entry) -> str:
    attempt = f", attempt {one.attempt}" if one.attempt > 1 else ""
    how = "" if one.ending == "done" else f", {one.error}"
    worker = f", {one.worker}" if one.worker else ""
    return (
        f"{one.stage}{attempt}{how}: {wording.seconds(one.seconds)} "
        f"from {wording.seconds(one.began)}{worker}"
    )


def strips(
    workers: Sequence[WorkerView], piece: float, colours: Mapping[StageName, int]
) -> Iterator[Strip]:
    """Workers over time, 100 units high: a full column is a piece of time without a pause."""
    for worker in workers:
        levels: list[float] = []
        paths = []
        for stage in sorted(worker.pieces, key=lambda name: colours[name]):
            row = worker.pieces[stage]
            levels = levels or [0.0] * len(row)
            columns = list(_columns(row, levels, piece))
            if path := "".join(_column(*column) for column in _joined(columns)):
                paths.append((colours[stage], path))
        yield Strip(worker.name, wording.seconds(worker.busy), tuple(paths))


def _columns(
    row: Sequence[float], levels: list[float], piece: float
) -> Iterator[tuple[int, int, int]]:
    """(place, bottom, top) of each column; ``levels`` are raised to the tops."""
    for place, seconds in enumerate(row):
        bottom = levels[place]
        levels[place] = top = min(1.0, bottom + seconds / piece)
        if top - bottom > 0.004:
            yield place, round(100 * bottom), round(100 * top)


def _joined(columns: Sequence[tuple[int, int, int]]) -> Iterator[tuple[int, int, int, int]]:
    """Neighbours of equal height as one: (place, how many, bottom, top)."""
    runs = groupby(enumerate(columns), key=lambda item: (item[1][0] - item[0], *item[1][1:]))
    for (_, bottom, top), run in runs:
        places = [column[0] for _, column in run]
        yield places[0], len(places), bottom, top


def _column(place: int, number: int, bottom: int, top: int) -> str:
    return f"M{place} {100 - top}h{number}v{top - bottom}h-{number}z"
