"""Events about what a run lives in: memory, disks, services, and people who are told of it.

They are events like those in `imagelane.model.events`, where all are named.
"""

from __future__ import annotations

from dataclasses import dataclass

from imagelane.model.ids import StageName


@dataclass(frozen=True, slots=True)
class MemoryShort:
    """Too little memory is left on the machine, or in its container, to begin anything beside what
    is in hand: ``available`` bytes of ``limit``. One order at a time goes on."""

    available: int
    limit: int


@dataclass(frozen=True, slots=True)
class MemoryEased:
    """Memory is not short any more."""

    available: int
    limit: int


@dataclass(frozen=True, slots=True)
class WaitedForRoom:
    """Nothing was begun for so many seconds, since the disk of a folder had no room: ``needed``
    bytes were asked for, 0 where that is not known. Recorded once there is room, or when the run
    ends, for the journal may lie on that disk."""

    folder: str
    needed: int
    seconds: float


@dataclass(frozen=True, slots=True)
class BreakerOpened:
    """What a stage calls does not answer, so nothing of it is begun but now and then one attempt,
    on probation. A coordinator that takes over keeps to it."""

    stage: StageName


@dataclass(frozen=True, slots=True)
class BreakerClosed:
    """It answers again."""

    stage: StageName


@dataclass(frozen=True, slots=True)
class AlertRaised:
    """A human should know. ``number`` counts from 1 in the run; ``about`` is a subject as text."""

    stage: StageName | None
    number: int
    cause: str
    message: str
    about: str = "run"


@dataclass(frozen=True, slots=True)
class AlertSettled:
    """The alert was delivered through a channel; or, where ``problem`` says something, it was given
    up after so many tries."""

    number: int
    channel: str
    tries: int
    problem: str = ""
