"""What the engine asks of a pool, and what it says back: identities and digests, never pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from imagelane.model.ids import StageName, Subject
from imagelane.model.outcome import Outcome, Rendition


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One image as enumerated. ``path`` is absolute; ``name`` is what a person is shown.

    ``digest`` is None until the file was first read; from then on a worker that reads other bytes
    fails the attempt as `invalid`. ``columns`` are those of its manifest row.
    """

    path: str
    name: str
    bytes: int
    mtime_ns: int
    digest: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Order:
    """One dispatch: the stages of a segment that are still to be done on one subject.

    ``number`` is unique within the run, over all of its coordinators, and names the dispatch in
    reports. ``attempts``
    gives the attempt number of each stage, from 1. ``facts`` and ``inputs`` are those of every
    ancestor that is not itself in the order. ``members`` is the path of a JSON-lines file with the
    group's images in published order, for group and run stages. ``primary`` are the facts of the
    group's primary, unless the subject ``is_primary`` itself. ``reservation`` (bytes) may be
    decoded without asking.
    """

    number: int
    subject: Subject
    segment: int
    stages: tuple[StageName, ...]
    attempts: tuple[int, ...]
    source: SourceFile | None = None
    group_name: str = ""
    facts: Mapping[StageName, Mapping[str, Any]] = field(default_factory=dict)
    inputs: Mapping[StageName, tuple[Rendition, ...]] = field(default_factory=dict)
    primary: Mapping[str, Any] = field(default_factory=dict)
    is_primary: bool = False
    members: str | None = None
    reservation: int = 0


@dataclass(frozen=True, slots=True)
class StageReport:
    """One stage of an order is over. Times are seconds of the machine's monotonic clock.

    ``cpu`` is processor time in seconds, ``decoded_bytes`` what the attempt had decoded at most.
    ``key`` and ``reused`` are those of `TaskSucceeded`.
    """

    order: int
    stage: StageName
    outcome: Outcome
    started: float
    finished: float
    cpu: float = 0.0
    decoded_bytes: int = 0
    worker: str = ""
    source_digest: str | None = None
    key: str = ""
    reused: str = ""


@dataclass(frozen=True, slots=True)
class OrderDone:
    """Nothing more will be reported of this order; its places are free.

    ``worn`` is a worker's wish to be replaced before it is given anything more.
    """

    order: int
    worn: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker is about to decode more than its reservation and waits for `Pool.grant`."""

    order: int
    bytes: int


Report = StageReport | OrderDone | Claim
