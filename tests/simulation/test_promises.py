"""Everything promised, in seeded worlds where everything goes wrong; and each promise broken once
on purpose, to see that the worlds would show it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from click.testing import CliRunner

from imagelane.engine import Engine, loop
from imagelane.model import events as e
from imagelane.model import run as fold_room
from imagelane.model.calls import Calls
from imagelane.model.run import RunState
from imagelane.model.states import ImageState
from imagelane.model.work import Report, StageReport
from imagelane.ports.journal import Claimed
from imagelane.schedule import (
    alerts,
    attempts,
    breaker,
    budget,
    decided,
    fates,
    flight,
    gates,
    limits,
    scheduler,
)
from imagelane.schedule.decided import Decided
from imagelane.schedule.retries import Retries
from imagelane.schedule.scheduler import Scheduler
from imagelane.testing import simulate
from imagelane.testing.journals import MemoryJournal
from imagelane.testing.simulation import engines, world
from imagelane.testing.simulation.broken import BrokenGuaranteeError
from imagelane.testing.simulation.cases import Case, Stage, case_of
from imagelane.testing.simulation.play import play
from imagelane.testing.simulation.search import Found, Search
from imagelane.testing.simulation.shrink import broken, shrink

STEPS = 25_000
SEEDS = 100_000
"""Between two chunks: no case is played twice."""


@pytest.mark.parametrize("chunk", range(8))
def test_the_scheduler_keeps_every_promise(chunk: int) -> None:
    search = Search(1 + chunk * SEEDS)
    found = search.until(lambda: search.steps >= STEPS or bool(search.found))
    assert not found, str(found[0])


@pytest.mark.parametrize("chunk", range(2))
def test_the_engine_keeps_every_promise(chunk: int) -> None:
    search = Search(1 + chunk * SEEDS, engine=True)
    found = search.until(lambda: search.steps >= STEPS or bool(search.found))
    assert not found, str(found[0])


def test_a_seed_is_the_same_world_again() -> None:
    assert case_of(7) == case_of(7)
    assert [play(case_of(seed)) for seed in range(20)] == [
        play(case_of(seed)) for seed in range(20)
    ]


# Mutations: each breaks one promise, in a place of its own.

Mutate = Callable[[pytest.MonkeyPatch], None]


def _replace(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, wrap: Any) -> None:
    monkeypatch.setattr(owner, name, wrap(getattr(owner, name)))


def record_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flight.Flight, "reported", lambda *_: True)


def open_the_gate_before_its_members_are_settled(monkeypatch: pytest.MonkeyPatch) -> None:
    def eager(gate: Any, group: Any) -> gates.GateDecision:
        if group.size is not None and group.settled_total:
            return gates.GateDecision(gates.GateAnswer.OPEN)
        return gates.decide_gate(gate, group)

    monkeypatch.setattr(scheduler, "decide_gate", eager)


def forget_what_a_gate_requires(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = gates.GateDecision(gates.GateAnswer.OPEN)
    monkeypatch.setattr(gates, "_requirement", lambda *_: opened)


def forget_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits.Semaphores, "available", lambda *_: True)


def forget_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    def all_of_them(budget: limits.Budget) -> list[int]:
        granted = list(budget._waiting)
        budget._waiting.clear()
        for order in granted:
            budget._held[order] = budget._needed.pop(order)
        return granted

    monkeypatch.setattr(limits.Budget, "grants", all_of_them)


def forget_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Scheduler, "admits", lambda self: not self.state.exhausted)


def lose_a_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Retries, "due", lambda *_: [])


def retry_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "retry_delay", lambda *_: 1.0)


def never_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "retry_delay", lambda *_: None)


def count_an_image_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    def twice(original: Callable[[RunState, e.Event], RunState]) -> Any:
        def evolve(state: RunState, event: e.Event) -> RunState:
            original(state, event)
            if isinstance(event, e.ImageSettled):
                state.groups[event.subject.group].settled[event.state] += 1
            return state

        return evolve

    mutated = twice(fold_room.evolve)
    for room in (decided, world):
        monkeypatch.setattr(room, "evolve", mutated)


def drop_an_order(monkeypatch: pytest.MonkeyPatch) -> None:
    _replace(
        monkeypatch, Scheduler, "dispatch", lambda original: lambda *args: original(*args)[:-1]
    )


def take_a_late_report_for_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    def renumbered(original: Any) -> Any:
        def __init__(self: Any, plan: Any, state: Any, *more: Any) -> None:  # noqa: N807
            original(self, plan, state, *more)
            self._orders = 0

        return __init__

    from imagelane.schedule.dispatching import Dispatcher

    _replace(monkeypatch, Dispatcher, "__init__", renumbered)


def let_alternates_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fates.GroupFates, "waits", lambda *_: False)


def go_on_after_a_halt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Decided, "halt", lambda *_: None)


def publish_what_should_be_aborted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fates, "group_fate", lambda *_: None)


def settle_a_run_in_flight(monkeypatch: pytest.MonkeyPatch) -> None:
    def settle(self: Scheduler) -> None:
        if (stopping := self.decided.stopping) is not None:
            self._emit(e.RunSettled(*stopping))
        else:
            original(self)

    original = Scheduler.settle
    monkeypatch.setattr(Scheduler, "settle", settle)


def call_a_skipped_image_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    def settled(original: Any) -> Any:
        def emit(self: Decided, event: e.Event) -> None:
            if isinstance(event, e.ImageSettled) and event.state is ImageState.SKIPPED:
                event = e.ImageSettled(event.subject, ImageState.PROCESSING)
            original(self, event)

        return emit

    _replace(monkeypatch, Decided, "emit", settled)


def lose_what_came_in(monkeypatch: pytest.MonkeyPatch) -> None:
    def deaf(original: Any) -> Any:
        def report(self: Scheduler, report: Report, now: float) -> None:
            if not isinstance(report, StageReport) or report.order % 5:
                original(self, report, now)

        return report

    _replace(monkeypatch, Scheduler, "report", deaf)


def let_a_replaced_coordinator_promote(monkeypatch: pytest.MonkeyPatch) -> None:
    for room in (world, loop):
        monkeypatch.setattr(room, "may_go_live", lambda *_: ())


def never_leave_a_service_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaker.Breaker, "heard", lambda *_: breaker.Heard.NOTHING)


def call_whoever_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaker.Breaker, "allows", lambda *_: True)


def close_a_breaker_with_each_coordinator(monkeypatch: pytest.MonkeyPatch) -> None:
    def anew(original: Any) -> Any:
        return lambda self, policy, _: original(self, policy, Calls())

    _replace(monkeypatch, breaker.Breaker, "__init__", anew)


def call_people_a_thousand_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alerts, "_same", lambda *_: False)


def call_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decided, "alert_of", lambda *_: None)


def tolerate_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decided, "run_loss", lambda _, state, __: "one" if state.lost else None)


MUTATIONS: tuple[Mutate, ...] = (
    record_twice,
    open_the_gate_before_its_members_are_settled,
    forget_what_a_gate_requires,
    forget_a_limit,
    forget_the_budget,
    forget_the_window,
    lose_a_retry,
    retry_for_ever,
    never_retry,
    count_an_image_twice,
    drop_an_order,
    take_a_late_report_for_ones_own,
    let_alternates_go_first,
    go_on_after_a_halt,
    publish_what_should_be_aborted,
    settle_a_run_in_flight,
    call_a_skipped_image_whole,
    lose_what_came_in,
    let_a_replaced_coordinator_promote,
    never_leave_a_service_alone,
    call_whoever_is_left_alone,
    close_a_breaker_with_each_coordinator,
    call_people_a_thousand_times,
    call_nobody,
    tolerate_nothing,
)


def first_broken(playing: Callable[[Any], int] = play) -> BrokenGuaranteeError | None:
    for seed in range(1, 400):
        try:
            playing(case_of(seed))
        except BrokenGuaranteeError as error:
            return error
    return None


@pytest.mark.parametrize("mutate", MUTATIONS, ids=lambda one: one.__name__)
def test_a_scheduler_that_breaks_a_promise_is_found_out(
    mutate: Mutate, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutate(monkeypatch)
    error = first_broken()
    assert error is not None
    assert error.promise


def test_a_scheduler_that_forgets_the_budget_of_retries_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outage = Stage("stage0", "waits", attempts=5, failing=0.9, budget=0.0)
    case = Case(seed=1, stages=(outage,), groups=(50, 50))
    play(case)
    monkeypatch.setattr(budget.RetryBudget, "take", lambda *_: True)
    with pytest.raises(BrokenGuaranteeError, match="retries of stage0"):
        play(case)


def test_an_engine_that_records_without_its_fence_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unfenced(
        self: MemoryJournal, claimed: Claimed, events: Iterable[tuple[float, e.Event]]
    ) -> None:
        run = self._of(claimed.run)
        original(self, Claimed(claimed.run, run.row.fence), events)

    original = MemoryJournal.append
    monkeypatch.setattr(MemoryJournal, "append", unfenced)
    error = first_broken(engines.play_with_engine)
    assert error is not None
    assert error.promise == "only_the_last_coordinator_records"


def test_an_engine_that_acts_before_it_records_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def at_once(self: Engine, orders: Any, events: Any) -> list[Any]:
        for order in orders:
            self._submit(order)
        return []

    monkeypatch.setattr(Engine, "_submit_known", at_once)
    error = first_broken(engines.play_with_engine)
    assert error is not None
    assert error.promise in {"what_is_begun_is_recorded", "only_what_is_whole_becomes_visible"}


def test_an_engine_that_lets_a_replaced_coordinator_promote_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    let_a_replaced_coordinator_promote(monkeypatch)
    error = first_broken(engines.play_with_engine)
    assert error is not None
    assert error.promise == "only_what_is_whole_becomes_visible"


def test_an_engine_that_takes_up_again_more_than_the_window_holds_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Scheduler, "reopens", lambda *_: True)
    error = first_broken(engines.play_with_engine)
    assert error is not None
    assert error.promise == "what_is_taken_up_again_keeps_to_the_window"


def test_a_failure_says_how_to_see_it_again_and_is_made_small(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    never_retry(monkeypatch)
    seed = next(seed for seed in range(1, 400) if broken(case_of(seed)))
    error = broken(case_of(seed))
    assert error is not None
    small, how = shrink(case_of(seed), error)
    assert how.promise == error.promise
    assert len(small.stages) == 1
    assert sum(small.groups) <= 2
    assert len(small.faults) <= 1
    found = str(Found(seed, error, small, how, engine=False))
    assert f"python -m imagelane.testing.simulate --seed {seed} --steps 1\n" in found
    assert repr(small) in found

    done = CliRunner().invoke(simulate.main, ["--seed", str(seed), "--steps", "1"])
    assert done.exit_code == 1
    assert f"seed {seed}: {error}" in done.output
    assert "made small: Case(" in done.output
