"""The same cases through the real engine: a journal in memory, workers and time that are made up.

What `World` does in an engine's place is done here by the engine itself, so that what it records,
what it begins, and in which order, is held against the same promises.
"""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from imagelane.engine import Engine, Parts
from imagelane.model import events as e
from imagelane.model.decision import Decision, Request
from imagelane.model.ids import Subject
from imagelane.model.outcome import Failure, Outcome, Success
from imagelane.model.plan import PhysicalPlan
from imagelane.model.run import RunState
from imagelane.model.states import ErrorClass, RunStatus, Scope
from imagelane.model.work import Order, Report
from imagelane.ports.journal import Claimed, JournalError, JournalFullError, StaleFenceError
from imagelane.ports.source import SourceItem
from imagelane.record.decisions import Decider, Reopening
from imagelane.record.recover import recover
from imagelane.testing.clock import FakeClock
from imagelane.testing.journals import MemoryJournal
from imagelane.testing.simulation.broken import BrokenGuaranteeError
from imagelane.testing.simulation.cases import Case
from imagelane.testing.simulation.desk import Desk
from imagelane.testing.simulation.executors import AtOnce, Later
from imagelane.testing.simulation.faults import Faults, Kind
from imagelane.testing.simulation.hands import RUN, decided, redriven
from imagelane.testing.simulation.play import compare, end_of, patience
from imagelane.testing.simulation.watch import Watch
from imagelane.testing.simulation.workers import (
    ANYBODY,
    REFUSED,
    Crew,
    Interval,
    Promotion,
    Workers,
)
from imagelane.testing.simulation.world import EPOCH, OVER


class CrashError(Exception):
    """The coordinator's process is gone. Nothing of it may catch this."""


class WatchedJournal(MemoryJournal):
    """Fails as a disk does, and shows what it has recorded."""

    def __init__(self, room: Room) -> None:
        super().__init__()
        self._room = room

    def append(self, claimed: Claimed, events: Iterable[tuple[float, e.Event]]) -> None:
        batch, room = list(events), self._room
        room.dies(Kind.CRASH_DECIDED, Kind.CRASH_SUBMITTED)
        if room.faults.strike(Kind.DISK_FULL):
            raise JournalFullError("made up: the disk is full")
        super().append(claimed, batch)
        crew = room.workers.crews[claimed.fence]
        recorded = [event for _, event in batch]
        room.watch.recorded(recorded, claimed.fence, room.clock.now(), crew)
        if slow := room.faults.strike(Kind.DISK_SLOW):
            room.clock.move(slow.seconds)
        if room.faults.strike(Kind.DISK_UNKNOWN):
            raise JournalError("made up: nobody knows whether it was written")
        room.dies(Kind.CRASH_RECORDED)


class MadeUpPool:
    """Fulfils the pool port for one coordinator, on top of workers that outlive it."""

    def __init__(self, room: Room, fence: int, writer: Executor) -> None:
        self._room = room
        self._fence = fence
        self._writer = writer
        self.engine: Engine | None = None
        self.stopping = False

    def open(self, plan: PhysicalPlan) -> None:
        """Its workers are there already."""

    def submit(self, order: Order) -> None:
        room = self._room
        crew = room.workers.crews[self._fence]
        assert self.engine is not None
        if self._fence == room.owner:
            stopping = self.stopping or room.watch.known.halted
            wall = room.clock.now()
            room.watch.begun(order, self.engine.state, crew, wall, stopping=stopping)
        room.workers.begin(self._fence, order, room.clock.monotonic())

    def grant(self, order: int) -> None:
        self._room.workers.grant(self._fence, order, self._room.clock.monotonic())

    def poll(self, timeout: float) -> Sequence[Report]:
        room = self._room
        assert self.engine is not None
        if isinstance(self._writer, Later) and room.written():
            self._writer.catch_up()
        room.step()
        room.dies(Kind.CRASH_EXECUTED)
        if self._fence == room.owner and self.engine.caught_up:
            room.watch.turned(self.engine.state, room.workers.crews[self._fence])
        if room.faults.strike(Kind.RIVAL):
            room.coordinate()
        # That it was asked to is known of a coordinator of which it is recorded that it began.
        begun = self._fence == room.owner == room.watch.known.fence
        if begun and room.faults.strike(Kind.PAUSE):
            self.stopping = room.watch.known.asked_to_stop = True
            self.engine.pause("asked to")
        if begun and room.faults.strike(Kind.DECIDES):
            room.decide()
        now = room.clock.monotonic()
        due = room.workers.next_due()
        room.clock.move(max(0.0, min(timeout, timeout if due is None else due - now)))
        return room.reports(self._fence)

    def shed(self) -> None:
        """Made-up workers hold no memory."""

    def wake(self) -> None:
        """Nothing waits in real time here."""

    def close(self, *, kill: bool = False) -> None:
        self._room.leave(self._fence, kill=kill)


class MadeUpPromoter(Executor):
    """Executes what is submitted before it returns, unless that hangs: no thread, so no order but
    that of the seed."""

    def __init__(self, room: Room, fence: int) -> None:
        self._room = room
        self._fence = fence

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        promotion = Hanging(self._fence, 0.0, lambda: fn(*args, **kwargs))
        # As in `Workers`: what hangs is done later, and not refused.
        if hangs := self._room.faults.strike(Kind.OVERTAKEN):
            promotion.until = self._room.clock.monotonic() + 10 * hangs.seconds
            self._room.hanging.append(promotion)
        else:
            promotion.execute()
        return promotion.future


@dataclass
class Hanging:
    """A promotion of one coordinator, and when it goes on."""

    fence: int
    until: float
    doing: Callable[[], Any]
    future: Future[Any] = field(default_factory=Future)

    def execute(self) -> None:
        try:
            self.future.set_result(self.doing())
        except Exception as error:  # noqa: BLE001 -- the future's to raise, as every executor does
            self.future.set_exception(error)


@dataclass
class Listed:
    """A source that is a list."""

    listed: Sequence[SourceItem]

    def items(self, start: int = 0) -> Iterator[SourceItem]:
        return iter(self.listed[start:])

    def count(self) -> tuple[int, int]:
        return len(self.listed), len({item.group for item in self.listed})

    def ignored(self) -> dict[str, int]:
        return {}

    def close(self) -> None: ...


@dataclass
class Room:
    """Everything that outlives a coordinator. ``owner`` is the fence of the last one."""

    case: Case
    scratch: Path
    clock: FakeClock = field(default_factory=lambda: FakeClock(EPOCH))
    owner: int = ANYBODY
    steps: int = 0
    requests: Desk = field(default_factory=Desk)

    def __post_init__(self) -> None:
        self.plans = [options.plan(self.case) for options in self.case.options]
        self.items = self.case.items()
        self.watch = Watch(self.plans[0].logical, self.items)
        self.faults = Faults(self.case.faults)
        self.behaviour = self.case.behaviour(self.watch.known.spared)
        executed: list[Interval] = []
        self.workers = Workers(lambda: self.behaviour, self.faults, executed)
        self.journal = WatchedJournal(self)
        self.hanging: list[Hanging] = []
        self.pointers: dict[Subject, int] = {}
        self._draw = random.Random(self.case.seed)
        self._disk = random.Random(self.case.seed)
        self._mail: dict[int, list[Report]] = {}
        decides = sum(fault.kind is Kind.DECIDES for fault in self.case.faults)
        self._left = patience(self.plans[0], len(self.items)) * (1 + self.case.again + decides)
        self._decider = Decider(self.journal, RUN, self.plans[0].logical)
        self.refused: list[str] = []

    def coordinate(self, *, again: bool = False) -> RunState:
        """One coordinator's life: claim the run, fold it, execute it, to where it stands still or
        this coordinator does. What failed goes round ``again``."""
        first = self.owner == ANYBODY
        plan = self.plans[min(self.owner, len(self.plans) - 1)]
        owner = "made up"
        claimed = self.journal.create(RUN, {}, owner) if first else self.journal.claim(RUN, owner)
        self.owner = fence = claimed.fence
        self.workers.crews[fence] = Crew(plan)
        state = recover(self.journal, RUN)
        begins = (
            e.RunResumed(plan.model)
            if state.coordinators
            else e.RunStarted(plan.logical.name, plan.logical.digest, plan.model, {})
        )
        writer = Later() if self.case.seed % 2 else AtOnce()
        pool = MadeUpPool(self, fence, writer)
        pool.engine = Engine(
            Parts(
                run=RUN,
                plan=plan,
                claimed=claimed,
                journal=self.journal,
                source=Listed(self.items),
                pool=pool,
                promote=lambda order: self.promote(fence, order),
                clock=self.clock,
                observers=(),
                scratch=self.scratch,
                draw=random.Random(self.case.seed).random,
                beginning=begins,
                requests=self.requests,
                carry_out=lambda decisions: self._possible([[one] for one in decisions]),
                reopening=self._possible(redriven(self.journal, RUN)) if again else None,
                promoter=MadeUpPromoter(self, fence),
                writer=writer,
                take_over=lambda subject, _: self.take_over(fence, subject),
            ),
            state,
        )
        try:
            return pool.engine.execute()
        except (CrashError, JournalError, StaleFenceError) as error:
            self.leave(fence, kill=True)
            if isinstance(error, CrashError):
                self.hanging = [one for one in self.hanging if one.fence != fence]
            return recover(self.journal, RUN)

    def _possible(self, decisions: Iterable[Sequence[Decision]]) -> Iterator[Reopening]:
        return self._decider.possible(decisions, self.refused.append)

    def decide(self) -> None:
        """Somebody asks whoever executes the run for something."""
        if decisions := decided(self.journal, RUN, self._draw):
            self.requests.post(RUN, Request("decide", "I say so", "somebody", tuple(decisions)))

    def take_over(self, fence: int, subject: Subject) -> None:
        """What a publisher does: from here on it refuses every earlier coordinator."""
        self._refuse_stale(fence, subject)
        self.pointers[subject] = fence

    def _refuse_stale(self, fence: int, subject: Subject) -> None:
        if self.pointers.get(subject, fence) > fence:
            raise StaleFenceError("made up: a later coordinator has taken it over")

    def promote(self, fence: int, order: Order) -> Outcome:
        """What a publisher does: refuse a coordinator when a later one has published already, or
        has taken the pointer over."""
        known = self.watch.known
        live = known.live.get(order.subject)
        stage = self.plans[0].logical.stage(order.stages[0])
        does = self.behaviour(stage.name, order.subject, order.attempts[0])
        self._refuse_stale(fence, order.subject)
        if live is None and does.seconds > (stage.spec.timeout or does.seconds):
            return Failure(ErrorClass.TIMEOUT, "made up: it never returned")
        if live is None and self.faults.strike(Kind.REFUSED):
            return REFUSED
        if live is None and isinstance(does.outcome, Failure):
            return does.outcome
        manifest = _manifest(order)
        self.pointers[order.subject] = fence
        self.watch.promoted(order.subject, fence, manifest)
        facts = does.outcome.facts if isinstance(does.outcome, Success) else {}
        return Success(facts={**facts, "manifest": manifest})

    def written(self) -> bool:
        """Whether the disk is done with what it was given; it takes a turn or some more."""
        return self._disk.random() < 0.6

    def to_its_end(self) -> RunState:
        """Coordinators, one after the other, until the run is over or waits for decisions."""
        while True:
            state = self.coordinate()
            asked = self.watch.known.asked_to_stop
            if state.status in OVER or (state.status is RunStatus.PAUSED and not asked):
                break
            self.step()
        self.go_on(float("inf"))
        return state

    def step(self) -> None:
        """One more turn of somebody's loop."""
        self.steps += 1
        self.faults.step = self.steps
        self._left -= 1
        if self._left < 0:
            raise BrokenGuaranteeError(f"no end after {self.steps} turns", "a_run_comes_to_an_end")

    def dies(self, *kinds: Kind) -> None:
        for kind in kinds:
            if fault := self.faults.strike(kind):
                self.clock.move(fault.seconds)
                raise CrashError(kind)

    def reports(self, fence: int) -> list[Report]:
        """What has come in for a coordinator, or for whoever has the run now."""
        self.go_on(self.clock.monotonic())
        for whose, report in self.workers.deliver(self.clock.monotonic()):
            if not isinstance(report, Promotion):
                self._mail.setdefault(self.owner if whose == ANYBODY else whose, []).append(report)
        return self._mail.pop(fence, [])

    def go_on(self, until: float) -> None:
        """Let promotions go on that hung until a time, whoever has the run by then."""
        for one in [one for one in self.hanging if one.until <= until]:
            self.hanging.remove(one)
            one.execute()

    def leave(self, fence: int, *, kill: bool) -> None:
        """A coordinator is gone; some of its workers may live on, and report to the next."""
        self.workers.orphan(fence, survive=lambda _: kill and self._draw.random() < 0.5)
        self._mail.pop(fence, None)


def play_with_engine(case: Case) -> int:
    """Play a case to its end through the engine, and compare it. Gives the steps that it took.

    Raises:
        BrokenGuaranteeError: a promise does not hold.
    """
    with tempfile.TemporaryDirectory() as scratch:
        room = Room(case, Path(scratch))
        state = room.to_its_end()
        compared = compare(case, end_of(room.watch.known, state.status))
        for _ in range(case.again):
            room.coordinate(again=True)
            room.to_its_end()
    return room.steps + compared


def _manifest(order: Order) -> str:
    """`Ledger.manifest`, from the members file that the engine wrote."""
    assert order.members is not None
    lines = Path(order.members).read_text(encoding="utf-8").splitlines()
    members = [json.loads(line) for line in lines]
    if order.subject.scope is Scope.RUN:
        return f"index of {len({member['group'] for member in members})}"
    shown = [f"{one['ordinal']}:{one['state']}:{','.join(sorted(one['facts']))}" for one in members]
    return f"manifest of {order.subject}: {'; '.join(shown)}"
