"""Reads a whole run from its journal, one group after the other, into a `RunView`.

Memory holds the images of no more than one group at a time beside what is shown, so a run of a
million images is read like one of ten.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, groupby

from imagelane.model import events as e
from imagelane.model.ids import THE_RUN, StageName, Subject
from imagelane.model.outcome import Rendition
from imagelane.model.states import GroupState, ImageState
from imagelane.ports.journal import GroupRow, Journal, Recorded, RunRow
from imagelane.report.calls import Calls
from imagelane.report.durations import Durations, Overlaps
from imagelane.report.history import OVER, entry, image_history, last_entries
from imagelane.report.losses import Losses
from imagelane.report.timeline import Axis, Busy, read_axis
from imagelane.report.view import (
    Bottleneck,
    Card,
    Entry,
    GroupView,
    History,
    RunView,
    StageView,
    WorkerView,
)

SHOWN = frozenset({"jpeg", "png", "webp", "avif", "gif"})
"""Formats that a browser shows."""
_NEARLY_ALL = 0.9
"""Of the work of some workers: then it is the stage that is meant, not the workers."""
TROUBLED = frozenset({GroupState.PARTIAL, GroupState.ABORTED, GroupState.HELD})
"""Groups in these states are listed however many come before them."""
LIVE = frozenset({ImageState.PUBLISHED, ImageState.PARTIAL})


@dataclass(frozen=True, slots=True)
class Limits:
    """How many single things a view lists. Counts and times are of all, whatever the limits."""

    histories: int = 200
    groups: int = 200
    pictures: int = 400
    pictures_of_a_group: int = 120
    reasons: int = 50
    examples: int = 25
    workers: int = 32


EVERYTHING = Limits(histories=1, groups=sys.maxsize, pictures=0, reasons=10_000, examples=10_000)
"""For `status --all`: no pictures, but every group and nearly every reason."""


def read_run(journal: Journal, row: RunRow, limits: Limits = Limits()) -> RunView:
    """The run as it stands now."""
    images = journal.image_counts(row.run)
    received = sum(images.values())
    axis = read_axis(journal, row)
    reading = _Reading(row, axis, limits, every=max(1, -(-received // limits.histories)))
    for recorded in journal.events(row.run, subject=THE_RUN):
        reading.run_event(recorded)
    for group in journal.groups(row.run):
        own = journal.events(row.run, subject=Subject(group.group))
        reading.group(group, own, journal.members(row.run, group.group))
    return reading.view(dict(images))


@dataclass(slots=True)
class _StageSum:
    durations: Durations = field(default_factory=Durations)
    overlaps: Overlaps = field(default_factory=Overlaps)
    scope: Subject = THE_RUN
    endings: Counter[str] = field(default_factory=Counter)
    attempts: int = 0
    retried: int = 0
    cpu: float = 0.0
    began: float = float("inf")
    ended: float = 0.0


class _Reading:
    def __init__(self, row: RunRow, axis: Axis, limits: Limits, every: int) -> None:
        self._row = row
        self._axis = axis
        self._limits = limits
        self._every = every
        self._busy = Busy(axis.length)
        self._stages: dict[StageName, _StageSum] = {}
        self._losses = Losses(limits.reasons, limits.examples)
        self._groups: Counter[GroupState] = Counter()
        self._rows: list[GroupView] = []
        self._troubled = 0
        self._cards = 0
        self._histories: list[History] = []
        self._seen = 0
        self._bytes_in = 0
        self._files = 0
        self._bytes_made = 0
        self._options: dict[str, object] = {}
        self._expected: tuple[int, int] | None = None
        self._sheet: tuple[Rendition, ...] = ()
        self._run_entries: list[Entry] = []
        self._calls = Calls()

    def run_event(self, recorded: Recorded) -> None:
        self._calls.take(recorded)
        match recorded.event:
            case e.RunStarted() | e.RunResumed() as event:
                self._options.update(event.options)
            case e.SourceExhausted() as event:
                self._expected = (event.images, event.groups)
        if (line := entry(recorded, self._axis)) is not None:
            self._run_entries.append(line)

    def group(self, row: GroupRow, own: Iterator[Recorded], members: Iterator[Recorded]) -> None:
        states: Counter[ImageState] = Counter()
        cards: list[Card] = []
        for subject, recorded in groupby(members, key=lambda one: e.subject_of(one.event)):
            image = image_history(subject, recorded, self._axis, row)
            self._image(image)
            if isinstance(image.state, ImageState):
                states[image.state] += 1
                if row.state in OVER and image.state in LIVE and self._room_for_cards(cards):
                    cards.append(Card(subject, image.name, image.state, _shown(image.entries)))
        entries = tuple(line for one in own if (line := entry(one, self._axis)) is not None)
        of_group = History(Subject(row.group), row.name, row.name, row.state, entries)
        self._tasks(of_group)
        self._groups[row.state] += 1
        self._cards += len(cards)
        # What is not live needs looking at, however late it comes.
        troubled = row.state in TROUBLED and self._troubled < self._limits.groups
        if len(self._rows) - self._troubled < self._limits.groups or troubled:
            self._troubled += row.state in TROUBLED
            if entries and self._every == 1:
                self._histories.append(of_group)
            self._rows.append(
                GroupView(
                    row.group,
                    row.name,
                    row.state,
                    row.reason,
                    dict(sorted(states.items(), key=lambda item: list(ImageState).index(item[0]))),
                    row.manifest,
                    tuple(cards),
                    _shown(entries),
                )
            )

    def _room_for_cards(self, cards: list[Card]) -> bool:
        of_all = self._cards + len(cards) < self._limits.pictures
        return of_all and len(cards) < self._limits.pictures_of_a_group

    def _image(self, image: History) -> None:
        self._bytes_in += image.bytes
        self._tasks(image)
        self._losses.settled(image)
        if self._seen % self._every == 0:
            self._histories.append(image)
        self._seen += 1

    def _tasks(self, of: History) -> None:
        for one in of.entries:
            stage = self._stages.setdefault(one.stage, _StageSum(scope=of.subject))
            if one.ending == "skipped":
                continue
            if one.reused:
                self._made(one)
                continue
            stage.attempts += 1
            stage.retried += one.ending == "retried"
            stage.cpu += one.cpu
            stage.durations.add(one.seconds)
            stage.overlaps.add(one.began, one.began + one.seconds)
            stage.began = min(stage.began, one.began)
            stage.ended = max(stage.ended, one.began + one.seconds)
            self._busy.add(one.worker or "?", one.stage, one.began, one.began + one.seconds)
            self._made(one)
        for name, last in last_entries(of.entries).items():
            self._stages[name].endings[last.ending] += 1
            if last.ending == "failed":
                self._losses.failed(of, last)

    def _made(self, one: Entry) -> None:
        self._files += len(one.renditions)
        self._bytes_made += sum(rendition.bytes for rendition in one.renditions)

    def view(self, images: dict[ImageState, int]) -> RunView:
        run = History(THE_RUN, self._row.pipeline, "", None, tuple(self._run_entries))
        self._tasks(run)
        if run.entries:
            self._histories.append(run)
        sessions = self._axis.sessions
        workers = self._workers()
        return RunView(
            run=self._row,
            options=self._options,
            started=sessions[0].began if sessions else self._row.started,
            ended=sessions[-1].ended if sessions else self._row.updated,
            elapsed=self._axis.length,
            breaks=self._axis.breaks,
            received=sum(images.values()),
            expected=self._expected,
            images={state: images[state] for state in ImageState if images.get(state)},
            groups={state: self._groups[state] for state in GroupState if self._groups[state]},
            bytes_in=self._bytes_in,
            files_made=self._files,
            bytes_made=self._bytes_made,
            stages=tuple(self._stage(name, stage) for name, stage in self._stages.items()),
            bottleneck=self._bottleneck(),
            group_rows=tuple(self._rows),
            groups_left=self._groups.total() - len(self._rows),
            failures=self._losses.failures(),
            losses=self._losses.losses(),
            histories=tuple(self._histories),
            every=self._every,
            workers=workers[: self._limits.workers],
            workers_left=max(0, len(workers) - self._limits.workers),
            piece=self._busy.width,
            sheet=_shown(run.entries),
            alerts=self._calls.views(),
            waits=self._calls.waits(),
        )

    def _stage(self, name: StageName, stage: _StageSum) -> StageView:
        span = stage.ended - stage.began
        return StageView(
            name=name,
            scope=stage.scope.scope,
            done=stage.endings["done"],
            failed=stage.endings["failed"],
            skipped=stage.endings["skipped"],
            attempts=stage.attempts,
            retried=stage.retried,
            median=stage.durations.quantile(0.5),
            p95=stage.durations.quantile(0.95),
            longest=stage.durations.largest,
            total=stage.durations.total,
            cpu=stage.cpu,
            at_once=stage.overlaps.most(),
            per_second=stage.endings["done"] / span if span > 0 else 0.0,
        )

    def _workers(self) -> tuple[WorkerView, ...]:
        views = (
            WorkerView(
                name,
                sum(map(sum, pieces.values())),
                {stage: tuple(row) for stage, row in pieces.items()},
            )
            for name, pieces in self._busy.workers()
        )
        return tuple(sorted(views, key=lambda view: _natural(view.name)))

    def _bottleneck(self) -> Bottleneck | None:
        """Among stages by themselves and workers that share stages: what was busy longest.

        A stage whose own places were always taken holds a run up; so do workers that were never
        idle, and then it is the largest of their stages that it is worth looking at.
        """
        if not self._stages or self._axis.length <= 0:
            return None
        found: list[tuple[float, Bottleneck]] = []
        for workers in self._pools():
            stages = frozenset(chain.from_iterable(map(self._busy.stages_of, workers)))
            total = sum(self._stages[name].durations.total for name in stages)
            largest = max(stages, key=lambda name: self._stages[name].durations.total)
            part = self._stages[largest].durations.total / total if total else 0.0
            places = self._busy.peak_of(workers)
            share = min(1.0, total / places / self._axis.length)
            found.append(
                (share, Bottleneck(largest, places, share, alone=part >= _NEARLY_ALL, part=part))
            )
            for name in stages if len(stages) > 1 else ():
                places = max(1, self._stages[name].overlaps.most())
                share = self._stages[name].durations.total / places / self._axis.length
                found.append((share, _alone(name, places, share)))
        return max(found, key=lambda one: one[0])[1] if found else None

    def _pools(self) -> list[frozenset[str]]:
        """Workers that share stages, directly or through others."""
        pools: list[tuple[set[str], set[StageName]]] = []
        for worker, pieces in self._busy.workers():
            workers, stages = {worker}, set(pieces)
            apart = []
            for pool in pools:
                if pool[1] & stages:
                    workers |= pool[0]
                    stages |= pool[1]
                else:
                    apart.append(pool)
            pools = [*apart, (workers, stages)]
        return [frozenset(workers) for workers, _ in pools]


def _natural(name: str) -> list[tuple[int, str]]:
    """So that ``cpu-2`` comes before ``cpu-10``."""
    parts = re.split(r"(\d+)", name)
    return [(int(part) if part.isdecimal() else -1, part) for part in parts]


def _alone(stage: StageName, places: int, share: float) -> Bottleneck:
    return Bottleneck(stage, places, min(1.0, share), alone=True, part=1.0)


def _shown(entries: tuple[Entry, ...]) -> tuple[Rendition, ...]:
    """The pictures that were made, smallest first."""
    made = chain.from_iterable(last.renditions for last in last_entries(entries).values())
    pictures = (one for one in made if one.format in SHOWN and one.width > 0)
    return tuple(sorted(pictures, key=lambda one: (one.width * one.height, one.bytes, one.digest)))
