"""One time axis for a run that may have stood still in between, and how busy it was along it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from imagelane.model import events as e
from imagelane.model.ids import THE_RUN, StageName
from imagelane.ports.journal import Journal, Recorded, RunRow

BINS = 300
"""Into how many pieces the axis is cut."""
WORKERS = 256
"""Workers that are told apart; those that come later count as one. Bounds memory."""
OTHERS = "others"


@dataclass(frozen=True, slots=True)
class Session:
    """One stretch in which a coordinator worked on the run.

    ``first`` is the index of its first event. ``began`` and ``ended`` are wall-clock times;
    ``offset`` is where it begins on the axis, ``origin`` the monotonic time at that point (None
    where no task was recorded).
    """

    first: int
    began: float
    ended: float
    offset: float
    origin: float | None


class Axis:
    """Seconds in which the run was worked on. Pauses take no room, so a run that was resumed the
    next day is still readable."""

    def __init__(self, sessions: tuple[Session, ...]) -> None:
        self.sessions = sessions
        self._firsts = [session.first for session in sessions]

    @property
    def length(self) -> float:
        if not self.sessions:
            return 0.0
        last = self.sessions[-1]
        return last.offset + last.ended - last.began

    @property
    def breaks(self) -> tuple[tuple[float, float], ...]:
        """Where the run stood still: (place on the axis, seconds that it lasted)."""
        pairs = zip(self.sessions, self.sessions[1:], strict=False)
        return tuple(
            (after.offset, max(0.0, after.began - before.ended)) for before, after in pairs
        )

    def place(self, index: int, monotonic: float) -> float:
        """Where on the axis a worker's monotonic time lies that an event of this index names."""
        session = self.sessions[max(0, bisect_right(self._firsts, index) - 1)]
        if session.origin is None:
            return session.offset
        return session.offset + max(0.0, monotonic - session.origin)


def read_axis(journal: Journal, row: RunRow) -> Axis:
    """Find the run's sessions: from its own events, and a few at each seam between sessions."""
    begun: list[Recorded] = []
    settled: Recorded | None = None
    for recorded in journal.events(row.run, subject=THE_RUN):
        if isinstance(recorded.event, e.RunStarted | e.RunResumed):
            begun.append(recorded)
        elif isinstance(recorded.event, e.RunSettled):
            settled = recorded
    sessions: list[Session] = []
    offset = 0.0
    for place, start in enumerate(begun):
        if place + 1 < len(begun):
            ended = _before(journal, row, begun[place + 1]).at
        elif settled is not None and settled.index > start.index:
            ended = settled.at
        else:
            ended = row.updated
        until = begun[place + 1].index if place + 1 < len(begun) else None
        origin = _origin(journal, row, start, until)
        session = Session(start.index, start.at, max(ended, start.at), offset, origin)
        sessions.append(session)
        offset += session.ended - session.began
    return Axis(tuple(sessions))


def _before(journal: Journal, row: RunRow, recorded: Recorded) -> Recorded:
    """The event just before: indexes have no gaps."""
    return next(iter(journal.events(row.run, after=recorded.index - 2)), recorded)


def _origin(journal: Journal, row: RunRow, start: Recorded, until: int | None) -> float | None:
    """The monotonic time at a session's start.

    Events say both times of the first task that ended: when by the worker's monotonic clock, and
    when, by the wall, it was recorded. What lies between is the delay of recording, milliseconds.
    """
    for recorded in journal.events(row.run, after=start.index):
        if until is not None and recorded.index >= until:
            return None
        if isinstance(recorded.event, e.TaskSucceeded | e.TaskFailed):
            return recorded.event.finished - (recorded.at - start.at)
    return None


class Busy:
    """Busy seconds of each worker and stage in each piece of the axis."""

    def __init__(self, length: float) -> None:
        self.length = length
        self.width = max(length / BINS, 1e-3)
        self._rows: dict[str, dict[StageName, list[float]]] = {}

    def add(self, worker: str, stage: StageName, began: float, ended: float) -> None:
        """One task, from place to place on the axis."""
        if worker not in self._rows and len(self._rows) >= WORKERS:
            worker = OTHERS
        pieces = self._rows.setdefault(worker, {}).setdefault(stage, [0.0] * BINS)
        piece = min(BINS - 1, int(began / self.width))
        while piece < BINS - 1 and ended > (edge := (piece + 1) * self.width):
            pieces[piece] += edge - began
            began, piece = edge, piece + 1
        pieces[piece] += max(0.0, ended - began)

    def workers(self) -> Iterator[tuple[str, Mapping[StageName, list[float]]]]:
        """Each worker's pieces by stage, in the order in which the workers came."""
        yield from self._rows.items()

    def stages_of(self, worker: str) -> frozenset[StageName]:
        return frozenset(self._rows[worker])

    def peak_of(self, workers: frozenset[str]) -> int:
        """How many of these workers were busy at once in the busiest piece; at least 1."""
        rows = [pieces for one in workers for pieces in self._rows[one].values()]
        most = max((sum(column) for column in zip(*rows, strict=True)), default=0.0)
        return max(1, round(most / self.width))
