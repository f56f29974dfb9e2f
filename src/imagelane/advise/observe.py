"""From what a journal recorded of runs to what their attempts took."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

from imagelane.model import events as e
from imagelane.model.ids import StageName, Subject
from imagelane.model.plan import LogicalPlan
from imagelane.model.profile import Usage
from imagelane.model.spec import Place
from imagelane.model.states import ErrorClass
from imagelane.ports.journal import Recorded


@dataclass(frozen=True, slots=True)
class Observed:
    """One attempt, in seconds; ``at`` is on the monotonic clock when it was recorded. ``beside`` is
    how many of its stage were under way while it was, itself included, on average. A ``fresh`` one
    is of the first order of its worker process, which loads what it needs on the way."""

    key: str
    subject: Subject
    stage: StageName
    place: Place
    worker: str
    started: float
    finished: float
    at: float
    cpu: float
    lacked: float
    decoded: int
    output: int
    error: ErrorClass | None
    beside: float = 1.0
    fresh: bool = False

    @property
    def waited(self) -> float:
        """Seconds that it neither computed nor was in want of a core."""
        return max(0.0, self.finished - self.started - self.cpu - self.lacked)


@dataclass(slots=True)
class RunObserved:
    """All attempts of one run. ``level`` is how many of each stage were meant to go on side by side
    (0: as it came), ``commits`` the moments of its commits on the monotonic clock. ``sizes`` are
    those of its subjects, by key."""

    level: int
    usage: Usage | None
    attempts: list[Observed] = field(default_factory=list)
    sizes: dict[str, float] = field(default_factory=dict)
    commits: list[float] = field(default_factory=list)
    events: int = 0

    @property
    def speed(self) -> float:
        return self.usage.speed if self.usage else 1.0


def observe(
    recorded: Iterable[Recorded], logical: LogicalPlan, level: int = 0, usage: Usage | None = None
) -> RunObserved:
    """Read one run. Attempts at stages that the plan does not have are passed over."""
    events = list(recorded)
    found = RunObserved(level, usage)
    offset = _offset(events)
    keys = _keys(events, found.sizes)
    stages = {stage.name: stage.spec.traits.place for stage in logical.stages}
    moments: set[float] = set()
    for one in events:
        found.events += 1
        moments.add(one.at - offset)
        event = one.event
        if not isinstance(event, e.TaskSucceeded | e.TaskFailed) or event.stage not in stages:
            continue
        place = stages[event.stage]
        lacked = usage.lacked.get(place, 0.0) * event.cpu if usage else 0.0
        found.attempts.append(
            Observed(
                key=keys.get(event.subject, str(event.subject)),
                subject=event.subject,
                stage=event.stage,
                place=place,
                worker=event.worker,
                started=event.started,
                finished=event.finished,
                at=one.at - offset,
                cpu=event.cpu,
                lacked=min(lacked, max(0.0, event.finished - event.started - event.cpu)),
                decoded=event.decoded_bytes,
                output=_made(event),
                error=event.error if isinstance(event, e.TaskFailed) else None,
            )
        )
    found.commits = sorted(moments)
    found.attempts = _beside(found.attempts)
    return found


def _made(event: e.TaskSucceeded | e.TaskFailed) -> int:
    """Bytes of the files that an attempt made."""
    if isinstance(event, e.TaskFailed):
        return 0
    return sum(file.bytes for file in event.renditions)


def _offset(events: Sequence[Recorded]) -> float:
    """Wall clock less monotonic clock: nothing is recorded before it is over, and what was recorded
    soonest was so at once."""
    return min(
        (
            one.at - one.event.finished
            for one in events
            if isinstance(one.event, e.TaskSucceeded | e.TaskFailed)
        ),
        default=0.0,
    )


def _keys(events: Sequence[Recorded], sizes: dict[str, float]) -> Mapping[Subject, str]:
    """What subjects are called in every run over one source; their sizes are added."""
    keys: dict[Subject, str] = {Subject(): "run"}
    for one in events:
        match one.event:
            case e.ImageReceived():
                keys[one.event.subject] = one.event.path
                sizes[one.event.path] = one.event.bytes
            case e.GroupOpened():
                keys[one.event.subject] = f"group {one.event.name}"
            case e.GroupClosed():
                sizes[keys[one.event.subject]] = one.event.images
            case e.SourceExhausted():
                sizes["run"] = one.event.images
    return keys


def _beside(attempts: Sequence[Observed]) -> list[Observed]:
    """The same, each with how many of its stage were under way meanwhile."""
    of_stage: dict[StageName, list[Observed]] = defaultdict(list)
    for one in attempts:
        of_stage[one.stage].append(one)
    together = {name: _Under(ones) for name, ones in of_stage.items()}
    first: dict[str, Subject] = {}
    for one in sorted(attempts, key=lambda one: one.started):
        if one.place is Place.PROCESS:
            first.setdefault(one.worker, one.subject)
    return [
        replace(
            one,
            beside=together[one.stage].mean(one.started, one.finished),
            fresh=first.get(one.worker) == one.subject,
        )
        for one in attempts
    ]


class _Under:
    """How many intervals are under way, averaged over any stretch of time."""

    def __init__(self, ones: Sequence[Observed]) -> None:
        steps = sorted([(one.started, 1) for one in ones] + [(one.finished, -1) for one in ones])
        self._times = [time for time, _ in steps]
        self._counts = list(accumulate(change for _, change in steps))
        lengths = [
            count * (after - time)
            for time, after, count in zip(self._times, self._times[1:], self._counts, strict=False)
        ]
        self._areas = [0.0, *accumulate(lengths)]

    def mean(self, begin: float, end: float) -> float:
        if end <= begin:
            return 1.0
        return max(1.0, (self._area(end) - self._area(begin)) / (end - begin))

    def _area(self, time: float) -> float:
        place = bisect_right(self._times, time) - 1
        if place < 0:
            return 0.0
        return self._areas[place] + self._counts[place] * (time - self._times[place])
