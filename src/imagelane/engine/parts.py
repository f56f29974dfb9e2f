"""What an engine is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path

from imagelane.model.decision import Decision
from imagelane.model.events import RunResumed, RunStarted
from imagelane.model.ids import RunId, StageName, Subject
from imagelane.model.outcome import Outcome
from imagelane.model.plan import PhysicalPlan
from imagelane.model.work import Order
from imagelane.ports.clock import Clock
from imagelane.ports.faults import Fault, no_fault
from imagelane.ports.journal import (
    Claimed,
    Journal,
)
from imagelane.ports.memory import Memory
from imagelane.ports.notifier import Notifier
from imagelane.ports.observer import Observer
from imagelane.ports.pool import Pool
from imagelane.ports.requests import Requests
from imagelane.ports.source import Source
from imagelane.record.decisions import Reopening

PULSE = 0.125
"""Seconds between two looks of the observers, and the longest that a pause goes unnoticed."""

Promote = Callable[[Order], Outcome]
"""Executes a coordinator's stage on a group or the run; ``order.members`` is its members file."""

TakeOver = Callable[[Subject, StageName], None]
"""From here on no earlier coordinator makes the subject live by this stage."""

Free = Callable[[str], int]
"""The bytes that are free on the disk of a folder."""


CarryOut = Callable[[Sequence[Decision]], Iterable[Reopening]]
"""From decisions to what carries them out, as far as that is possible."""


def nobody_before(_: Subject, __: StageName) -> None:
    """There was no earlier coordinator."""


def no_decisions(_: Sequence[Decision]) -> Iterable[Reopening]:
    """Nobody decides anything."""
    return ()


@dataclass(frozen=True, slots=True)
class Parts:
    """What an engine is composed of: one adapter for each port.

    ``scratch`` is a folder of the run's own, for members files. ``draw`` gives random numbers in
    [0, 1). ``beginning`` is the event with which this coordinator enters the record. ``notifiers``
    are by channel. ``free`` is asked while a disk is full; without it, it is tried again now and
    then. Without ``memory`` the budget of decoded pictures is the plan's, whatever the machine has
    left. ``promoter`` executes promotions and ``writer`` the journal's transactions, each one after
    the other: a thread of its own, where none is given. ``take_over`` is asked, before anything is
    recorded, for every promotion that an earlier coordinator may still be about.

    ``requests`` are what people ask of the run while it goes on; ``carry_out`` says what carries
    decisions out, group by group. ``reopening`` are groups that are to be taken up again, when
    there is room for them, at most ``rate`` images a second.
    """

    run: RunId
    plan: PhysicalPlan
    claimed: Claimed
    journal: Journal
    source: Source
    pool: Pool
    promote: Promote
    clock: Clock
    observers: Sequence[Observer]
    scratch: Path
    draw: Callable[[], float]
    beginning: RunStarted | RunResumed
    notifiers: Mapping[str, Notifier] = field(default_factory=dict)
    requests: Requests | None = None
    carry_out: CarryOut = no_decisions
    reopening: Iterator[Reopening] | None = None
    rate: float | None = None
    fault: Fault = no_fault
    free: Free = lambda _: 0
    memory: Memory | None = None
    promoter: Executor | None = None
    writer: Executor | None = None
    take_over: TakeOver = nobody_before
