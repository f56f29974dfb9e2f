"""The read model of a run: what text, HTML and JSON are made from. Plain values, no behaviour.

Counts and times are exact over all images. Lists that name single images are cut at the limits
that `read.Limits` gives, and say how many more there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from imagelane.model.ids import StageName, Subject
from imagelane.model.outcome import Rendition, Verdict
from imagelane.model.states import ErrorClass, GroupState, ImageState, Scope
from imagelane.ports.journal import RunRow

Ending = Literal["done", "failed", "retried", "skipped"]
"""How an attempt ended: ``failed`` for good, ``retried`` where another attempt was to follow."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line in a subject's history: an attempt at a stage, or why there was none.

    ``began`` is a place on the run's time axis in seconds, ``at`` wall-clock time.
    """

    stage: StageName
    ending: Ending
    at: float
    attempt: int = 0
    began: float = 0.0
    seconds: float = 0.0
    cpu: float = 0.0
    worker: str = ""
    renditions: tuple[Rendition, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    verdict: Verdict | None = None
    error: ErrorClass | None = None
    message: str = ""
    detail: str = ""
    retry_in: float | None = None
    reused: str = ""
    """The run and the event from which the outcome was taken."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A decision that took a settled subject up again, ``after`` so many entries of its history.
    ``word`` is what was decided, ``at`` wall-clock time."""

    word: str
    reason: str
    actor: str
    at: float
    after: int


@dataclass(frozen=True, slots=True)
class History:
    """All that is recorded of one image, group or of the run itself."""

    subject: Subject
    name: str
    group_name: str
    state: ImageState | GroupState | None
    entries: tuple[Entry, ...]
    settled: bool = False
    stage: StageName | None = None
    reason: str = ""
    path: str = ""
    bytes: int = 0
    role: str = ""
    source_digest: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    manifest: str | None = None
    images: Mapping[ImageState, int] = field(default_factory=dict)
    """Of a group: its members by state."""
    decisions: tuple[Taken, ...] = ()


@dataclass(frozen=True, slots=True)
class StageView:
    """A stage over all of its subjects. Tasks are counted by how they stand now; times are seconds.

    ``waiting`` is service time in which no processor worked. ``at_once`` is the largest number
    that was seen at the stage together, ``per_second`` the rate between its first and last task.
    """

    name: StageName
    scope: Scope
    done: int
    failed: int
    skipped: int
    attempts: int
    retried: int
    median: float
    p95: float
    longest: float
    total: float
    cpu: float
    at_once: int
    per_second: float

    @property
    def waiting(self) -> float:
        return max(0.0, self.total - self.cpu)


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """What the run waited for most: ``places`` side by side that were busy a ``share`` of the time.

    ``alone``: the stage has its places for itself; otherwise it is the largest among several, and
    ``part`` is its share of their work.
    """

    stage: StageName
    places: int
    share: float
    alone: bool
    part: float


@dataclass(frozen=True, slots=True)
class FailureView:
    """Tasks that failed for good with one class and reason. ``examples`` are (subject, name)."""

    stage: StageName
    error: ErrorClass
    message: str
    count: int
    examples: tuple[tuple[Subject, str], ...]
    attempts: int = 1
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LossView:
    """Images that are not live, or not whole, for one reason."""

    state: ImageState
    stage: StageName | None
    reason: str
    count: int
    examples: tuple[tuple[Subject, str], ...]


@dataclass(frozen=True, slots=True)
class Card:
    """One picture of a gallery: the renditions that may be shown for it, smallest first."""

    subject: Subject
    name: str
    state: ImageState
    renditions: tuple[Rendition, ...]


@dataclass(frozen=True, slots=True)
class GroupView:
    """``images`` counts its members by state, ``cards`` are the pictures of one that is live."""

    group: int
    name: str
    state: GroupState
    reason: str
    images: Mapping[ImageState, int]
    manifest: str | None = None
    cards: tuple[Card, ...] = ()
    sheet: tuple[Rendition, ...] = ()

    @property
    def size(self) -> int:
        return sum(self.images.values())


@dataclass(frozen=True, slots=True)
class WorkerView:
    """How busy a worker was: for each piece of the axis, busy seconds by stage."""

    name: str
    busy: float
    pieces: Mapping[StageName, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """How a delivery through a channel ended; ``problem`` is empty where it worked."""

    channel: str
    tries: int
    problem: str


@dataclass(frozen=True, slots=True)
class AlertView:
    """One alert. ``at`` is wall-clock time; ``about`` is a subject as text."""

    number: int
    at: float
    cause: str
    stage: StageName | None
    about: str
    message: str
    deliveries: tuple[DeliveryView, ...] = ()


@dataclass(frozen=True, slots=True)
class WaitView:
    """A wait for room on a folder's disk; ``at`` is wall-clock time of its end."""

    at: float
    folder: str
    seconds: float


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as it stands.

    ``images`` adds up to ``received``. ``expected`` is how many images and groups the source has,
    once it was listed to its end. ``elapsed`` is the time in which the run was worked on, without
    the pauses; ``breaks`` are (place on that axis, seconds of the pause). ``every`` says that each
    so-manieth image is in ``histories``; ``piece`` is the width of a worker's pieces.
    """

    run: RunRow
    options: Mapping[str, Any]
    started: float
    ended: float
    elapsed: float
    breaks: tuple[tuple[float, float], ...]
    received: int
    expected: tuple[int, int] | None
    images: Mapping[ImageState, int]
    groups: Mapping[GroupState, int]
    bytes_in: int
    files_made: int
    bytes_made: int
    stages: tuple[StageView, ...]
    bottleneck: Bottleneck | None
    group_rows: tuple[GroupView, ...]
    groups_left: int
    failures: tuple[FailureView, ...]
    losses: tuple[LossView, ...]
    histories: tuple[History, ...]
    every: int
    workers: tuple[WorkerView, ...]
    workers_left: int
    piece: float
    sheet: tuple[Rendition, ...] = ()
    alerts: tuple[AlertView, ...] = ()
    waits: tuple[WaitView, ...] = ()

    @property
    def settled(self) -> int:
        """Images of which no stage is left to do and whose group is over."""
        return (
            self.received
            - self.images.get(ImageState.RECEIVED, 0)
            - self.images.get(ImageState.PROCESSING, 0)
        )

    @property
    def tasks_failed(self) -> int:
        return sum(stage.failed for stage in self.stages)
