"""What is done about what stands in an attempt's way: wait for room, make an artifact again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from imagelane.model.obstacle import Obstacle, ObstacleKind
from imagelane.model.outcome import Failure, Success
from imagelane.model.work import Claim, OrderDone, Report, StageReport

LOOK = 0.5
"""Seconds between two looks at a full disk."""

SPARE = 256 << 10
"""Bytes that must be free beside those that are needed."""

FIRST_PATIENCE, LONGEST_PATIENCE = 5.0, 60.0
"""Seconds until it is tried again whatever the disk says, which knows of no quota; doubled each
time that it was in vain."""

FIRST_REMAKE = 1 << 60
"""The number of the first order that makes something again; above those of every scheduler."""

MOST_REMAKES = 2
"""Times that one artifact is made again before its loss counts as any other failure: a disk may
give back other bytes for ever."""


@dataclass(frozen=True, slots=True)
class GiveBack:
    """The order is done; what is open of it counts as never tried."""

    order: int


@dataclass(frozen=True, slots=True)
class Remake:
    """Make the artifact with this digest again, which order ``wanted_by`` needs, under a number."""

    order: int
    digest: str
    wanted_by: int


@dataclass(slots=True)
class _Remaking:
    digest: str
    waiting: list[int]
    made: bool = False
    met: Obstacle | None = None


@dataclass(slots=True)
class Obstacles:
    """Stands between a pool's reports and the scheduler, and keeps back what was no failure.

    ``unwritable`` is a folder that only a human can give back.
    """

    unwritable: Obstacle | None = None
    _kept_back: dict[int, list[StageReport]] = field(default_factory=dict)
    _remakes: dict[int, _Remaking] = field(default_factory=dict)
    _tries: Counter[str] = field(default_factory=Counter)
    _full: dict[str, Obstacle] = field(default_factory=dict)
    _numbers: int = FIRST_REMAKE
    _look_at: float = 0.0
    _try_at: float = 0.0
    _patience: float = FIRST_PATIENCE
    _cleared_at: float = float("-inf")

    def take(self, report: Report, now: float) -> Iterator[Report | GiveBack | Remake]:
        """What the scheduler shall hear instead of a report, and what is to be done."""
        number = report.order
        if number in self._remakes and not isinstance(report, Claim):
            yield from self._remade(number, self._remakes[number], report, now)
        elif isinstance(report, StageReport) and self._keeps_back(report, now):
            self._kept_back.setdefault(number, []).append(report)
        elif isinstance(report, OrderDone) and number in self._kept_back:
            damaged = next(_damaged(self._kept_back[number]), None)
            yield GiveBack(number) if damaged is None else self._remake(damaged, number)
            if damaged is None:
                del self._kept_back[number]
        else:
            yield report

    def hopeless(self, remake: Remake) -> Iterator[Report | GiveBack | Remake]:
        """Nobody knows how to make it: the failure counts."""
        self._tries[remake.digest] = MOST_REMAKES
        yield from self._release(self._remakes.pop(remake.order))

    def met(self, obstacle: Obstacle, now: float) -> None:
        """Note that something stands in the way."""
        if obstacle.kind is ObstacleKind.UNWRITABLE:
            self.unwritable = obstacle
        elif obstacle.kind is ObstacleKind.FULL:
            if not self._full:
                in_vain = now - self._cleared_at < self._patience
                doubled = min(2 * self._patience, LONGEST_PATIENCE)
                self._patience = doubled if in_vain else FIRST_PATIENCE
                self._try_at = now + self._patience
                # A disk that said it had room and had none is not believed again at once.
                self._look_at = self._try_at if in_vain else now + LOOK
            before = self._full.get(obstacle.where, obstacle)
            self._full[obstacle.where] = max(before, obstacle, key=lambda one: one.needed)

    def look(self, now: float, free: Callable[[str], int]) -> None:
        """Look whether full disks have room again. ``free`` gives the bytes that are free on the
        disk of a folder."""
        if not self._full or now < self._look_at:
            return
        self._look_at = now + LOOK
        if now >= self._try_at or all(
            free(where) >= full.needed + SPARE for where, full in self._full.items()
        ):
            self._full.clear()
            self._cleared_at = now

    def full(self) -> list[Obstacle]:
        """The disks that have no room; while there is one, nothing is begun."""
        return list(self._full.values())

    def _keeps_back(self, report: StageReport, now: float) -> bool:
        failure = report.outcome
        if not isinstance(failure, Failure) or failure.obstacle is None:
            return False
        if self._tries[failure.obstacle.where] >= MOST_REMAKES:
            return False
        self.met(failure.obstacle, now)
        return True

    def _remake(self, digest: str, wanted_by: int, *others: int) -> Remake:
        self._numbers += 1
        self._remakes[self._numbers] = _Remaking(digest, [wanted_by, *others])
        return Remake(self._numbers, digest, wanted_by)

    def _remade(
        self, number: int, remaking: _Remaking, report: Report, now: float
    ) -> Iterator[Report | GiveBack | Remake]:
        if isinstance(report, StageReport):
            if isinstance(report.outcome, Success):
                digests = {one.digest for one in report.outcome.renditions}
                remaking.made = remaking.digest in digests
            elif isinstance(report.outcome, Failure):
                remaking.met = report.outcome.obstacle
            return
        del self._remakes[number]
        met = remaking.met
        if met is not None and met.kind is not ObstacleKind.DAMAGED:
            self.met(met, now)
            remaking.made = True
        else:
            self._tries[remaking.digest] += 1
            if not remaking.made and met is not None and self._tries[met.where] < MOST_REMAKES:
                # What it is made from is damaged, too.
                yield self._remake(met.where, *remaking.waiting)
                return
        yield from self._release(remaking)

    def _release(self, remaking: _Remaking) -> Iterator[Report | GiveBack]:
        for number in remaking.waiting:
            kept_back = self._kept_back.pop(number)
            if remaking.made or self._tries[remaking.digest] < MOST_REMAKES:
                yield GiveBack(number)
            else:
                yield from kept_back
                yield OrderDone(number)


def _damaged(reports: list[StageReport]) -> Iterator[str]:
    for report in reports:
        obstacle = report.outcome.obstacle if isinstance(report.outcome, Failure) else None
        if obstacle is not None and obstacle.kind is ObstacleKind.DAMAGED:
            yield obstacle.where
