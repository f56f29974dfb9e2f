"""Less at once while memory is short: the real engine, made-up workers, a machine that is full."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from imagelane.engine import Engine, Parts
from imagelane.model import events as e
from imagelane.model.ids import RunId
from imagelane.model.outcome import Outcome, Success
from imagelane.model.policy import ExecutionModel, RunOptions
from imagelane.model.run import RunState
from imagelane.model.states import ImageState, RunStatus
from imagelane.model.work import Order, OrderDone, Report
from imagelane.ports.memory import Room
from imagelane.ports.observer import Pulse
from imagelane.testing.clock import FakeClock
from imagelane.testing.journals import MemoryJournal
from imagelane.testing.pools import ScriptedPool
from imagelane.testing.simulation import Does
from imagelane.testing.simulation.executors import AtOnce
from tests.simulation.pipelines import planned, reduces, stage, waits
from tests.simulation.test_engine import Listed

RUN = RunId("run")
MIB = 1 << 20
STAGES = [
    stage("validate"),
    stage("thumbnails", ["validate"]),
    waits("store", ["thumbnails"]),
    reduces("publish", ["store"]),
]
MODELS = {
    "parallel": RunOptions(pools={"cpu": 8}),
    "sequential": RunOptions(model=ExecutionModel.SEQUENTIAL),
    "hybrid": RunOptions(model=ExecutionModel.HYBRID, batch_size=3, parallel_batches=3),
}


@dataclass
class Machine:
    """Its memory: ``total``, of which others take ``others`` and each order for pixels ``each``."""

    total: int
    each: int
    others: Callable[[float], int]
    clock: FakeClock = field(default_factory=FakeClock)
    at_work: set[int] = field(default_factory=set)
    least_left: int = 1 << 62
    most_at_work: int = 0
    looks: list[tuple[bool, int]] = field(default_factory=list)
    most_let_in: int = 0

    def room(self) -> Room:
        left = self.left
        return Room(max(0, left), self.total)

    @property
    def left(self) -> int:
        taken = self.others(self.clock.monotonic()) + self.each * len(self.at_work)
        return self.total - taken

    def began(self, order: Order) -> None:
        if order.reservation:
            self.at_work.add(order.number)
            self.most_at_work = max(self.most_at_work, len(self.at_work))
            self.least_left = min(self.least_left, self.left)

    def opened(self, *_: object) -> None: ...

    def recorded(self, _: object) -> None: ...

    def pulse(self, state: RunState, pulse: Pulse) -> None:
        self.most_let_in = max(self.most_let_in, len(state.images))
        self.looks.append((pulse.short_of_memory, len(self.at_work)))

    def closed(self, _: RunState) -> None: ...


class Watched(ScriptedPool):
    """Tells the machine which orders are at work."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(lambda *_: Does(1.0), machine.clock)
        self._machine = machine

    def submit(self, order: Order) -> None:
        self._machine.began(order)
        super().submit(order)

    def poll(self, timeout: float) -> Sequence[Report]:
        reports = super().poll(timeout)
        for report in reports:
            if isinstance(report, OrderDone):
                self._machine.at_work.discard(report.order)
        return reports


def execute(
    tmp_path: Path, machine: Machine, options: RunOptions, *, felt: bool = True
) -> tuple[RunState, list[e.Event]]:
    journal = MemoryJournal()
    claimed = journal.create(RUN, {}, "owner")

    def promote(_: Order) -> Outcome:
        return Success(facts={"manifest": "m"})

    parts = Parts(
        run=RUN,
        plan=planned(STAGES, options),
        claimed=claimed,
        journal=journal,
        source=Listed([20, 20]),
        pool=Watched(machine),
        promote=promote,
        clock=machine.clock,
        observers=[machine],
        scratch=tmp_path,
        draw=lambda: 0.5,
        beginning=e.RunStarted("news", "plan", "parallel", {}),
        memory=machine if felt else None,
        writer=AtOnce(),
    )
    state = Engine(parts, RunState()).execute()
    return state, [one.event for one in journal.events(RUN)]


@pytest.mark.parametrize("name", MODELS)
def test_a_machine_without_memory_does_one_thing_at_a_time_to_the_end(
    tmp_path: Path, name: str
) -> None:
    machine = Machine(1024 * MIB, 1 * MIB, others=lambda _: 1020 * MIB)
    state, events = execute(tmp_path, machine, MODELS[name])
    assert state.status is RunStatus.FINISHED
    assert state.image_counts == {ImageState.PUBLISHED: 40}
    assert machine.most_at_work == 1
    assert [one for one in events if isinstance(one, e.MemoryShort)] == [
        e.MemoryShort(4 * MIB, 1024 * MIB)
    ]
    assert any(short for short, _ in machine.looks)


def test_admission_follows_what_is_left(tmp_path: Path) -> None:
    """Eight orders that take what they may, 64 MiB, do not fit into what others leave of 1 GiB."""
    heedless = Machine(1024 * MIB, 64 * MIB, others=lambda _: 700 * MIB)
    execute(tmp_path, heedless, MODELS["parallel"], felt=False)
    assert heedless.most_at_work == 8
    assert heedless.least_left < 0, "the kernel would have killed"
    machine = Machine(1024 * MIB, 64 * MIB, others=lambda _: 700 * MIB)
    state, _ = execute(tmp_path, machine, MODELS["parallel"])
    assert machine.most_at_work == 4
    assert machine.least_left >= 64 * MIB
    assert state.image_counts == {ImageState.PUBLISHED: 40}


def test_while_it_lasts_less_is_begun_and_afterwards_as_much_as_before(tmp_path: Path) -> None:
    def others(now: float) -> int:
        return 1000 * MIB if 3.0 <= now < 12.0 else 0

    machine = Machine(1024 * MIB, 1 * MIB, others)
    state, events = execute(tmp_path, machine, MODELS["parallel"])
    assert state.status is RunStatus.FINISHED
    changes = [one for one in events if isinstance(one, e.MemoryShort | e.MemoryEased)]
    assert [type(one) for one in changes] == [e.MemoryShort, e.MemoryEased]
    turned = next(place for place, (short, _) in enumerate(machine.looks) if short)
    during = [count for short, count in machine.looks[turned:] if short]
    # What was in hand is finished; nothing is begun beside it.
    assert during[-1] == 1
    after = [count for short, count in machine.looks[turned:] if not short]
    assert max(after) == machine.most_at_work == 8


def test_nobody_is_let_in_beside_the_one_that_is_under_way(tmp_path: Path) -> None:
    machine = Machine(1024 * MIB, 1 * MIB, others=lambda _: 1020 * MIB)
    execute(tmp_path, machine, MODELS["parallel"])
    assert machine.most_let_in <= 1


def test_what_changes_nothing_is_not_recorded(tmp_path: Path) -> None:
    machine = Machine(8192 * MIB, 1 * MIB, others=lambda _: 0)
    _, events = execute(tmp_path, machine, MODELS["parallel"])
    assert not [one for one in events if isinstance(one, e.MemoryShort | e.MemoryEased)]
