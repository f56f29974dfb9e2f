"""What was measured of a pipeline: the values that a prediction is made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from imagelane.model.ids import StageName
from imagelane.model.spec import Place
from imagelane.model.states import ErrorClass, Scope

VERSION = 1
"""Of the stored form of profiles."""


@dataclass(frozen=True, slots=True)
class Effort:
    """One attempt at one stage. Seconds: ``cpu`` of processor time, ``waited`` neither computing
    nor in want of a core, ``recorded`` from its end until the record took it up, which is what the
    disk needed for the files that it made. ``decoded`` and ``output`` are bytes."""

    cpu: float
    waited: float
    recorded: float = 0.0
    decoded: int = 0
    output: int = 0
    error: ErrorClass | None = None


@dataclass(frozen=True, slots=True)
class Specimen:
    """A subject that was measured: its attempts by stage, in their order.

    ``size`` is bytes of an image's file, images of a group, groups of a run.
    """

    size: float
    efforts: Mapping[StageName, tuple[Effort, ...]]


@dataclass(frozen=True, slots=True)
class Level:
    """How a stage did with ``at_once`` of it side by side, on average: what it waited was ``ratio``
    times what it waits alone, over so many attempts."""

    at_once: float
    ratio: float
    count: int


@dataclass(frozen=True, slots=True)
class Scaling:
    """How something slows down as more of it goes on side by side, by the Universal Scalability Law
    (Gunther, 2007): n at once take ``1 + contention (n - 1) + coherency n (n - 1)`` times as long
    each. ``error`` is the standard error of the contention; ``levels`` are what it was fitted to.

    Where the contention is 1 everything is done one after the other, and what comes on top is the
    price of handing over; past what was measured that price stays, since one is handed to however
    many wait.
    """

    contention: float = 0.0
    coherency: float = 0.0
    error: float = 0.0
    levels: tuple[Level, ...] = ()

    def slowdown(self, at_once: float) -> float:
        """How much longer each takes with so many at once; 1 for one."""
        more = max(0.0, at_once - 1)
        queue = self.contention >= 1 and self.levels
        reach = min(at_once, self.measured_to) if queue else at_once
        return 1 + self.contention * more + self.coherency * reach * more

    @property
    def measured_to(self) -> float:
        """The largest number at once that was measured; 1 where none was."""
        return max((level.at_once for level in self.levels), default=1.0)


@dataclass(frozen=True, slots=True)
class StageProfile:
    """A stage in figures. Seconds are means of attempts: ``alone`` of one with nothing beside it,
    of which ``cpu`` is computing and the rest waiting. ``lacked`` is the share of its time in which
    it was in want of a core while it was measured side by side.

    ``median`` and ``high`` (9 of 10 are below) are of the same; ``per_megabyte`` is how much longer
    a subject takes that is a million bytes larger (for stages of groups: an image more).
    """

    name: StageName
    scope: Scope
    place: Place
    attempts: int
    failures: int
    alone: float
    cpu: float
    median: float
    high: float
    per_megabyte: float
    recorded: float
    lacked: float
    decoded: int
    output: float
    scaling: Scaling

    @property
    def waits(self) -> float:
        """Seconds of an attempt that are no computing."""
        return max(0.0, self.alone - self.cpu)

    @property
    def failure_rate(self) -> float:
        return self.failures / self.attempts if self.attempts else 0.0


@dataclass(frozen=True, slots=True)
class Costs:
    """What the coordinator and its processes take, in seconds: ``start`` of processor time to get
    one worker ready and ``warm`` more that its first order takes, ``turn`` and ``event`` of
    processor time for each turn and each event of the coordinator, ``commit`` until what was
    decided is on the disk, ``group`` the same before an order of a group, ``order`` of processor
    time around an order that waits, in its host.

    They are ``known`` where they were measured, and usual ones where not; ``order`` is always a
    usual one, since a host's own work is too little to be told from its start.
    """

    start: float = 0.2
    warm: float = 0.1
    turn: float = 0.0004
    event: float = 0.00012
    commit: float = 0.004
    group: float = 0.008
    order: float = 0.0001
    known: bool = False


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """Bytes of resident memory, shared pages counted once: of the coordinator, of the host of what
    waits (0: there was none), of one worker that has done nothing, and of one at its most, when it
    had ``decoded`` bytes in hand. ``least`` is what every run had together at some moment: when it
    starts, more workers get ready than some will need."""

    coordinator: int
    host: int
    idle: int
    worker: int
    decoded: int
    least: int = 0

    def together(self, processes: int, decoded: int, *, hosts: bool) -> float:
        """Bytes of a run with so many workers, each with at most so much decoded."""
        share = decoded / self.decoded if self.decoded else 1.0
        worker = self.idle + max(0, self.worker - self.idle) * share
        return self.coordinator + (self.host if hosts else 0) + processes * worker


@dataclass(frozen=True, slots=True)
class Usage:
    """What the processes of one run were seen to take.

    ``coordinator`` is processor time of its loop in seconds. ``workers`` gives that of each process
    by its number, all of it. ``lacked`` is how long threads of a kind of process were ready to
    compute and given no core, in seconds for each second that they computed. Bytes as in
    `MemoryUse`; ``together`` is the most that all had at one moment, ``least`` the most before the
    coordinator's loop began. ``speed`` is as in a profile.
    """

    coordinator: float
    workers: Mapping[str, float]
    lacked: Mapping[Place, float]
    memory: MemoryUse | None
    together: int
    speed: float
    least: int = 0


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything that a prediction rests on.

    ``plan`` is the digest of the logical plan that was measured, ``taken`` wall-clock time in
    seconds of the epoch, ``origin`` says from what in a phrase. ``cores`` are those of the machine;
    ``speed`` is how fast it was, in rounds a second of a fixed piece of computing, and
    ``drift`` how much that changed meanwhile, as a standard deviation of its logarithm. ``busy`` is
    how computing slows down as more cores compute. ``memory`` is None where it was not measured.
    ``doubts`` are what a reader should know before trusting it.
    """

    pipeline: str
    plan: str
    taken: float
    origin: str
    cores: int
    speed: float
    drift: float
    images: tuple[Specimen, ...]
    groups: tuple[Specimen, ...]
    runs: tuple[Specimen, ...]
    stages: tuple[StageProfile, ...]
    costs: Costs = Costs()
    busy: Scaling = Scaling()
    memory: MemoryUse | None = None
    doubts: tuple[str, ...] = field(default=())
    version: int = VERSION

    def stage(self, name: str) -> StageProfile:
        """Raises KeyError: it was not measured."""
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise KeyError(name)

    def specimens(self, scope: Scope) -> tuple[Specimen, ...]:
        return {Scope.IMAGE: self.images, Scope.GROUP: self.groups, Scope.RUN: self.runs}[scope]
