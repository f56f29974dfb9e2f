"""Made-up runs: the events that a real one would record, from a small seeded simulation."""

from __future__ import annotations

import hashlib
import heapq
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from imagelane.adapters.journals.sqlite import SqliteJournal
from imagelane.model import events as e
from imagelane.model.ids import Digest, RunId, StageName, Subject
from imagelane.model.outcome import Rendition
from imagelane.model.plan import Lane, LogicalPlan, LogicalStage, PhysicalPlan, Segment
from imagelane.model.spec import ImagesSpec, Place, StageSpec, StageTraits
from imagelane.model.states import ErrorClass, GroupState, ImageState, RunStatus, Scope
from imagelane.ports.journal import Journal, RunRow

HOSTILE = "<img src=x onerror=alert(1)>\x1b[2J\u202egpj.\x00\"'&{{7*7}}"
"""Markup, an escape sequence, a right-to-left override, NUL, quotes, a template."""
RUN = RunId("20261123-225900-k3f9")
WALL = 1_795_474_740.0
NEEDS: Mapping[str, tuple[str, ...]] = {
    "validate": (),
    "metadata": ("validate",),
    "thumbnails": ("validate",),
    "watermark": ("metadata",),
    "moderate": ("validate",),
    "store": ("thumbnails", "watermark", "moderate"),
    "contact-sheet": ("thumbnails",),
    "publish": ("store", "contact-sheet"),
}
PIXELS = {"validate": 0.11, "metadata": 0.004, "thumbnails": 0.09, "watermark": 0.05}


def digest(text: str) -> Digest:
    return Digest(hashlib.sha256(text.encode()).hexdigest())


@dataclass
class Recipe:
    """What run to make up. ``failing`` maps a subject to (stage, class, message, attempts)."""

    groups: Mapping[str, int]
    failing: Mapping[Subject, tuple[str, ErrorClass, str, int]] = field(default_factory=dict)
    policy: ImageState = ImageState.SKIPPED
    rejected: frozenset[Subject] = frozenset()
    names: Mapping[Subject, str] = field(default_factory=dict)
    renditions: Mapping[Subject, tuple[Rendition, ...]] = field(default_factory=dict)
    seed: int = 1
    workers: int = 2
    moderation: float = 0.6
    moderators: int = 5
    pause_after: float | None = None
    finish: bool = True


class MadeUp:
    """The events of one run, each with its wall-clock time, in the order of recording."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._random = random.Random(recipe.seed)
        self._events: list[tuple[float, int, e.Event]] = []
        self._cpu = [(0.35 + 0.02 * n, f"cpu-{n + 1}") for n in range(recipe.workers)]
        self._io = [(0.0, f"io-{n + 1}") for n in range(recipe.moderators)]

    def events(self) -> list[tuple[float, e.Event]]:
        self._say(
            0.0,
            e.RunStarted(
                "news-gallery",
                digest("plan"),
                "parallel",
                {"model": "parallel", "workers": {"moderate": self._recipe.moderators}},
            ),
        )
        end = 0.0
        for group, (name, size) in enumerate(self._recipe.groups.items(), 1):
            end = max(end, self._group(group, name, size))
        images = sum(self._recipe.groups.values())
        self._say(0.3, e.SourceExhausted(len(self._recipe.groups), images))
        if self._recipe.finish:
            self._say(end + 0.05, e.RunSettled(RunStatus.FINISHED))
        ordered = sorted(self._events)
        return list(self._interrupted([(at, event) for at, _, event in ordered]))

    def _interrupted(self, events: list[tuple[float, e.Event]]) -> Iterator[tuple[float, e.Event]]:
        """The same with a pause of three hours, if the recipe asks for one."""
        after = self._recipe.pause_after
        if after is None:
            yield from ((WALL + at, event) for at, event in events)
            return
        drained: list[tuple[float, e.Event]] = []
        later: list[tuple[float, e.Event]] = []
        for at, event in events:
            begun = getattr(event, "started", 5000.0 + at) - 5000.0
            (drained if begun < after else later).append((at, event))
        paused = max(at for at, _ in drained) + 0.01
        moved = paused - after + 3 * 3600.0
        yield from ((WALL + at, event) for at, event in drained)
        yield WALL + paused, e.RunSettled(RunStatus.PAUSED, "Ctrl-C")
        yield WALL + after + moved, e.RunResumed("parallel", {"workers": {}})
        for at, event in later:
            if isinstance(event, e.TaskSucceeded | e.TaskFailed):
                times = {name: getattr(event, name) + moved for name in ("started", "finished")}
                event = replace(event, **times)  # noqa: PLW2901
            yield WALL + at + moved, event

    def _say(self, at: float, event: e.Event) -> None:
        self._events.append((at, len(self._events), event))

    def _group(self, group: int, name: str, size: int) -> float:
        subject = Subject(group)
        begun = min(self._cpu)[0] - 0.02
        self._say(begun, e.GroupOpened(subject, name))
        settled = [self._image(Subject(group, n + 1), size) for n in range(size)]
        ends = [end for end, _ in settled]
        self._say(begun + 0.001, e.GroupClosed(subject, size, WALL + begun))
        end = max(ends, default=begun)
        live = [state for _, state in settled if state is ImageState.PROCESSING]
        if ImageState.DEAD in [state for _, state in settled]:
            dead = e.GroupSettled(subject, GroupState.ABORTED, "1 of its images failed for good")
            self._say(end + 0.001, dead)
            return end
        gate = e.GateOpened(subject, StageName("contact-sheet"), len(live), size - len(live))
        self._say(end + 0.001, gate)
        sheet = self._recipe.renditions.get(subject, ())
        took = 0.05 + 0.01 * size
        end += took
        self._done(subject, "contact-sheet", end - took, end, "cpu-1", sheet)
        self._done(subject, "publish", end, end + 0.03, "coordinator")
        whole = all(state in {ImageState.PROCESSING, ImageState.SKIPPED} for _, state in settled)
        state = GroupState.PUBLISHED if whole else GroupState.PARTIAL
        self._say(end + 0.035, e.GroupSettled(subject, state, manifest=digest(name)))
        return end + 0.035

    def _image(self, subject: Subject, size: int) -> tuple[float, ImageState]:
        free, worker = heapq.heappop(self._cpu)
        name = self._recipe.names.get(subject, f"IMG_{subject.group}{subject.ordinal:03}.jpg")
        path = f"/photos/{subject.group}/{name}"
        sequence = len(self._events)
        received = e.ImageReceived(subject, sequence, name, path, 2_100_000 + 1000 * size, 1)
        self._say(free - 0.015, received)
        failing = self._recipe.failing.get(subject)
        at = free
        for stage, usual in PIXELS.items():
            took = usual * self._random.lognormvariate(0, 0.35)
            if failing is not None and failing[0] == stage:
                at = self._failed(subject, failing, at, took, worker)
                heapq.heappush(self._cpu, (at + 0.002, worker))
                return self._lost(subject, failing, at)
            made: tuple[Rendition, ...] = ()
            if stage == "thumbnails":
                made = self._recipe.renditions.get(subject, _thumbnails(subject))
            self._done(subject, stage, at, at + took, worker, made)
            at += took
        heapq.heappush(self._cpu, (at + 0.002, worker))
        free, thread = heapq.heappop(self._io)
        begun = max(free, at - 0.1)
        end = begun + self._recipe.moderation * self._random.lognormvariate(0, 0.2)
        if failing is not None and failing[0] == "moderate":
            end = self._failed(subject, failing, begun, end - begun, thread)
            heapq.heappush(self._io, (end, thread))
            return self._lost(subject, failing, end)
        heapq.heappush(self._io, (end, thread))
        rejected = subject in self._recipe.rejected
        verdict = "reject" if rejected else "approve"
        self._done(subject, "moderate", begun, end, thread, facts={"score": 0.02}, verdict=verdict)
        if rejected:
            reason = "moderate rejected it"
            settled = e.ImageSettled(subject, ImageState.REJECTED, StageName("moderate"), reason)
            self._say(end + 0.02, settled)
            return end + 0.02, ImageState.REJECTED
        end = max(end, at)
        self._done(subject, "store", end, end + 0.012, thread)
        self._say(end + 0.018, e.ImageSettled(subject, ImageState.PROCESSING))
        return end + 0.018, ImageState.PROCESSING

    def _failed(
        self,
        subject: Subject,
        failing: tuple[str, ErrorClass, str, int],
        at: float,
        took: float,
        worker: str,
    ) -> float:
        stage, error, message, attempts = failing
        for attempt in range(1, attempts + 1):
            last = attempt == attempts
            end = at + took
            detail = "Traceback (most recent call last):\n  …" if error is ErrorClass.BUG else ""
            event = e.TaskFailed(
                subject, StageName(stage), attempt, error, message, detail,
                None if last else 0.2, worker, 5000.0 + at, 5000.0 + end, took / 2,
            )  # fmt: skip
            self._say(end + 0.004, event)
            at = end + 0.2
        return end

    def _lost(
        self, subject: Subject, failing: tuple[str, ErrorClass, str, int], at: float
    ) -> tuple[float, ImageState]:
        stage, error, message, _ = failing
        reason = f"{error}: {message}"
        self._say(at + 0.005, e.TaskSkipped(subject, StageName("store"), f"{stage} is missing"))
        settled = e.ImageSettled(subject, self._recipe.policy, StageName(stage), reason)
        self._say(at + 0.006, settled)
        return at + 0.006, self._recipe.policy

    def _done(
        self,
        subject: Subject,
        stage: str,
        began: float,
        ended: float,
        worker: str,
        renditions: tuple[Rendition, ...] = (),
        facts: Mapping[str, object] | None = None,
        verdict: str | None = None,
    ) -> None:
        pixels = worker.startswith("cpu")
        if stage == "validate":
            facts = {"format": "jpeg", "width": 4000, "height": 3000}
        event = e.TaskSucceeded(
            subject, StageName(stage), 1, renditions, facts or {}, verdict, worker,  # type: ignore[arg-type]
            5000.0 + began, 5000.0 + ended, (ended - began) * (0.96 if pixels else 0.02),
            source_digest=digest(str(subject)) if stage == "validate" else None,
        )  # fmt: skip
        self._say(ended + 0.004, event)


def _thumbnails(subject: Subject) -> tuple[Rendition, ...]:
    return tuple(
        Rendition(
            str(width), digest(f"{subject}{width}"), 50 * width, "jpeg", width, width * 2 // 3
        )
        for width in (160, 480, 1080)
    )


def plan(moderators: int = 5) -> PhysicalPlan:
    """The plan that such a run executes."""
    stages = tuple(_stage(name, needs) for name, needs in NEEDS.items())
    names = tuple(stage.name for stage in stages)
    segments = (
        Segment(0, names[:4], Scope.IMAGE, Place.PROCESS, ("pool:cpu",)),
        Segment(1, names[4:5], Scope.IMAGE, Place.THREAD, ("pool:io", "stage:moderate")),
        Segment(2, names[5:6], Scope.IMAGE, Place.THREAD, ("pool:io",)),
        Segment(3, names[6:7], Scope.GROUP, Place.PROCESS, ("pool:cpu",)),
        Segment(4, names[7:8], Scope.GROUP, Place.COORDINATOR),
    )
    return PhysicalPlan(
        logical=LogicalPlan("news-gallery", ImagesSpec("photos/"), stages, (), digest("plan")),
        segments=segments,
        limits={"pool:cpu": 2, "pool:io": 64, "stage:moderate": moderators},
        lane=Lane(),
        window=14,
        decoded_bytes=1 << 30,
        reservation=1 << 26,
        processes=2,
        model="parallel",
    )


def _stage(name: str, needs: tuple[str, ...]) -> LogicalStage:
    scope = Scope.GROUP if name in {"contact-sheet", "publish"} else Scope.IMAGE
    spec = StageSpec(StageName(name), name, StageTraits(), scope=scope)
    return LogicalStage(spec, tuple(map(StageName, needs)), frozenset())


def record(recipe: Recipe, folder: Path, run: RunId = RUN) -> tuple[Journal, RunRow]:
    """The run in a real journal."""
    journal = SqliteJournal(folder / "journal.db", clock=lambda: WALL)
    claimed = journal.create(run, {"file": "gallery.yaml"}, "tests")
    journal.append(claimed, MadeUp(recipe).events())
    return journal, journal.runs()[0]
