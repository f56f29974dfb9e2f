"""The engine with made-up workers: what it records before it acts, and how it stops."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from imagelane.engine import Engine, Parts
from imagelane.model import events as e
from imagelane.model.ids import RunId, StageName, Subject
from imagelane.model.outcome import Outcome, Success
from imagelane.model.run import RunState
from imagelane.model.states import ImageState, RunStatus
from imagelane.model.work import Order
from imagelane.ports.journal import Claimed, JournalError
from imagelane.ports.notifier import Notifier
from imagelane.ports.source import SourceItem
from imagelane.record.recover import recover
from imagelane.testing.clock import FakeClock
from imagelane.testing.journals import MemoryJournal
from imagelane.testing.pools import ScriptedPool
from imagelane.testing.simulation import Behaviour, Does, items_of
from imagelane.testing.simulation.desk import Desk
from imagelane.testing.simulation.executors import AtOnce
from tests.simulation.pipelines import news_gallery, planned

RUN = RunId("run")


@dataclass
class Listed:
    """A source of made-up images."""

    groups: list[int]

    def items(self, start: int = 0) -> Iterator[SourceItem]:
        return iter(items_of(self.groups)[start:])

    def count(self) -> tuple[int, int]:
        return sum(self.groups), len(self.groups)

    def ignored(self) -> dict[str, int]:
        return {}

    def close(self) -> None: ...


@dataclass
class Rig:
    """An engine and everything around it."""

    tmp_path: Path
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    groups: list[int] = field(default_factory=lambda: [3, 2])
    behaviour: Behaviour = lambda *_: Does(1.0)
    promoted: list[tuple[Order, list[dict[str, object]]]] = field(default_factory=list)
    claimed: Claimed | None = None
    moderate: dict[str, Any] = field(default_factory=dict)
    notifiers: dict[str, Notifier] = field(default_factory=dict)
    requests: Desk | None = None

    def engine(self, *, pausing: Callable[[], bool] | None = None) -> Engine:
        clock = FakeClock()
        behaviour = self.behaviour

        def pausable(stage: StageName, subject: Subject, attempt: int) -> Does:
            if pausing is not None and pausing():
                engine.pause("asked to")
            return behaviour(stage, subject, attempt)

        self.pool = ScriptedPool(pausable, clock)
        state = RunState()
        if self.claimed is None:
            self.claimed = self.journal.create(RUN, {}, "owner")
            beginning: e.RunStarted | e.RunResumed = e.RunStarted("news", "plan", "parallel", {})
        else:
            self.claimed = self.journal.claim(RUN, "owner")
            state = recover(self.journal, RUN)
            beginning = e.RunResumed("parallel")
        engine = Engine(
            Parts(
                run=RUN,
                plan=planned(news_gallery(**self.moderate)),
                claimed=self.claimed,
                journal=self.journal,
                source=Listed(self.groups),
                pool=self.pool,
                promote=self.promote,
                clock=clock,
                observers=(),
                scratch=self.tmp_path,
                draw=lambda: 0.5,
                beginning=beginning,
                notifiers=self.notifiers,
                writer=AtOnce(),
                requests=self.requests,
            ),
            state,
        )
        return engine

    def promote(self, order: Order) -> Outcome:
        assert order.members is not None
        lines = Path(order.members).read_text(encoding="utf-8").splitlines()
        self.promoted.append((order, [json.loads(line) for line in lines]))
        return Success(facts={"manifest": f"m{order.subject}"})


def test_it_runs_to_the_end_and_closes_its_pool(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    state = rig.engine().execute()
    assert state.status is RunStatus.FINISHED
    assert rig.journal.image_counts(RUN) == {ImageState.PUBLISHED: 5}
    assert [row.manifest for row in rig.journal.groups(RUN)] == ["m1", "m2"]
    assert rig.pool.closed == [False]


def test_what_is_promoted_is_what_the_journal_holds(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.engine().execute()
    assert sorted(order.subject for order, _ in rig.promoted) == [Subject(1), Subject(2)]
    for order, members in rig.promoted:
        assert [member["ordinal"] for member in members] == list(range(1, len(members) + 1))
        assert {member["group"] for member in members} == {order.subject.group}
        assert all(member["state"] == "processing" for member in members)


class Full(MemoryJournal):
    """A journal whose disk is full after so many commits."""

    def __init__(self, commits: int) -> None:
        super().__init__()
        self._left = commits

    def append(self, claimed: Claimed, events: Iterable[tuple[float, e.Event]]) -> None:
        if self._left == 0:
            raise JournalError("the disk is full")
        self._left -= 1
        super().append(claimed, events)


@pytest.mark.parametrize("commits", [0, 1, 2, 5, 9])
def test_nothing_is_begun_that_is_not_recorded(tmp_path: Path, commits: int) -> None:
    rig = Rig(tmp_path, journal=Full(commits))
    with pytest.raises(JournalError, match="the disk is full"):
        rig.engine().execute()
    received = {
        recorded.event.subject
        for recorded in rig.journal.events(RUN)
        if isinstance(recorded.event, e.ImageReceived)
    }
    begun = {order.subject for order in rig.pool.submitted if order.subject.ordinal}
    assert begun <= received
    assert rig.pool.closed in ([True], []), "workers are not left behind"


@pytest.mark.parametrize("after", range(0, 16, 3))
def test_a_pause_finishes_what_is_in_flight_and_can_be_taken_up(tmp_path: Path, after: int) -> None:
    rig = Rig(tmp_path)
    calls = 0

    def pausing() -> bool:
        nonlocal calls
        calls += 1
        return calls == after + 1

    state = rig.engine(pausing=pausing).execute()
    assert state.status is RunStatus.PAUSED
    assert state.reason == "asked to"
    begun = [(order.subject, stage) for order in rig.pool.submitted for stage in order.stages]
    recorded = [
        (one.event.subject, one.event.stage)
        for one in rig.journal.events(RUN)
        if isinstance(one.event, e.TaskSucceeded) and one.event.stage != "publish"
    ]
    assert sorted(begun) == sorted(recorded), "what was begun was finished and recorded"

    state = rig.engine().execute()
    assert state.status is RunStatus.FINISHED
    assert rig.journal.image_counts(RUN) == {ImageState.PUBLISHED: 5}
    again = [(order.subject, stage) for order in rig.pool.submitted for stage in order.stages]
    assert not set(begun) & set(again), "nothing that was recorded is done again"


def test_two_coordinators_and_only_the_later_one_records(tmp_path: Path) -> None:
    from imagelane.ports.journal import StaleFenceError

    rig = Rig(tmp_path)
    first = rig.engine()
    rig.engine()
    with pytest.raises(StaleFenceError):
        first.execute()
