"""Failure in simulated time: budgets, breakers, tolerance, and how runs end, under every model."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagelane.model import events as e
from imagelane.model.ids import StageName, Subject
from imagelane.model.outcome import Failure, Success
from imagelane.model.plan import PhysicalPlan
from imagelane.model.policy import (
    BreakerPolicy,
    ExecutionModel,
    FailurePolicy,
    GatePolicy,
    RetryPolicy,
    RunOptions,
    Tolerance,
)
from imagelane.model.spec import PrimarySpec, StageSpec
from imagelane.model.states import ErrorClass, GroupState, ImageState, RunStatus
from imagelane.model.work import OrderDone, StageReport
from imagelane.schedule.budget import FLOOR, QUIET
from imagelane.testing.simulation import Behaviour, Does, World, fold, items_of
from tests.simulation.pipelines import planned, reduces, stage, waits

MODELS = {
    "sequential": RunOptions(model=ExecutionModel.SEQUENTIAL),
    "parallel": RunOptions(workers={"moderate": 5}),
    "hybrid": RunOptions(model=ExecutionModel.HYBRID, batch_size=3, parallel_batches=2),
}
models = pytest.mark.parametrize("options", MODELS.values(), ids=MODELS.keys())

TRANSIENT = Failure(ErrorClass.TRANSIENT, "no answer")
INVALID = Failure(ErrorClass.INVALID, "broken")
FINE = Does(1.0)


def gallery(**moderate: object) -> list[StageSpec]:
    return [
        stage("validate"),
        waits("moderate", ["validate"], **moderate),
        stage("thumbnails", ["validate"]),
        waits("store", ["moderate", "thumbnails"], gathers=True),
        reduces("publish", ["store"], on_failure=FailurePolicy.ABORT),
    ]


def tolerating(plan: PhysicalPlan, tolerance: Tolerance) -> PhysicalPlan:
    return replace(plan, logical=replace(plan.logical, tolerance=tolerance))


def alerts(world: World) -> list[str]:
    return [event.cause for event in world.events if isinstance(event, e.AlertRaised)]


def flaky(seed: int, share: float, name: str = "moderate") -> Behaviour:
    """A service that fails a share of its calls, drawn anew each time that it is asked."""
    draw = random.Random(seed)

    def behaviour(stage: StageName, subject: Subject, attempt: int) -> Does:
        del subject, attempt
        failing = stage == name and draw.random() < share
        return Does(0.2, TRANSIENT) if failing else Does(0.2)

    return behaviour


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    failing=st.sampled_from([0.05, 0.3, 0.7, 1.0]),
    budget=st.sampled_from([0.0, 0.1, 0.2, 1.0]),
    attempts=st.integers(1, 5),
    model=st.sampled_from(sorted(MODELS)),
    breaker=st.booleans(),
)
def test_extra_calls_stay_within_the_budget_and_every_run_ends(
    seed: int, failing: float, budget: float, attempts: int, model: str, breaker: bool
) -> None:
    retry = RetryPolicy(attempts=attempts, budget=budget)
    policy = BreakerPolicy(pause=2.0, max=20.0) if breaker else None
    plan = planned(gallery(retry=retry, breaker=policy), MODELS[model])
    world = World(plan, items_of([6, 1, 9]), flaky(seed, failing), seed)
    state = world.run()
    assert state.status is RunStatus.FINISHED
    assert sum(state.image_counts.values()) == 16
    made = [one for one in world.executed if one.stage == "moderate"]
    firsts = len({one.subject for one in made})
    moments = sorted(one.started for one in made)
    quiet = sum(
        after - before >= QUIET - 1e-6
        for before, after in zip([0.0, *moments], moments, strict=False)
    )
    assert len(made) - firsts <= FLOOR + budget * firsts + quiet + 1e-6
    if not breaker:
        assert len(made) <= attempts * firsts


def test_a_service_that_fails_always_is_called_little_more_than_once_an_image() -> None:
    """Without the breaker it is the budget alone that holds retries back (faults: retry storm)."""
    retry = RetryPolicy(attempts=5, initial=0.01, budget=0.2)
    plan = planned(gallery(retry=retry), RunOptions(workers={"moderate": 5}, max_in_flight=200))
    world = World(plan, items_of([200]), lambda name, *_: _down(name))
    world.run()
    made = [one for one in world.executed if one.stage == "moderate"]
    last_first = max(one.started for one in made if one.attempt == 1)
    meanwhile = sum(one.started <= last_first for one in made)
    assert 200 < meanwhile <= 200 + FLOOR + 0.2 * 200
    # Nothing else can pay for what is left of them, so they go one a second, and the run ends.
    assert len(made) == 5 * 200
    assert world.state.image_counts == {ImageState.SKIPPED: 200}


def test_a_service_that_fails_always_is_hardly_called_with_a_breaker() -> None:
    retry = RetryPolicy(attempts=5, initial=0.01, budget=0.2)
    plan = planned(
        gallery(retry=retry, breaker=BreakerPolicy()),
        RunOptions(workers={"moderate": 5}, max_in_flight=200),
    )
    world = World(plan, items_of([200]), lambda name, *_: _down(name))
    world.run(until=2000)
    made = [one for one in world.executed if one.stage == "moderate"]
    assert sum(one.started < 60.0 for one in made) < 20
    assert alerts(world) == ["breaker_opened"]


def _down(name: StageName) -> Does:
    return Does(0.1, TRANSIENT) if name == "moderate" else Does(0.1)


@models
def test_an_outage_costs_no_image_and_one_alert(options: RunOptions) -> None:
    """A quarter of all calls fail, and for 600 s all of them: the breaker waits it out."""
    plan = planned(
        gallery(retry=RetryPolicy(attempts=12, budget=0.6), breaker=BreakerPolicy()), options
    )
    draw = random.Random(11)

    def behaviour(name: StageName, subject: Subject, attempt: int) -> Does:
        del subject, attempt
        down = 5.0 < world.now < 605.0 or draw.random() < 0.2
        return Does(0.3, TRANSIENT) if name == "moderate" and down else Does(0.3)

    world = World(plan, items_of([20, 20, 10]), behaviour)
    state = world.run()
    assert state.status is RunStatus.FINISHED
    assert state.image_counts == {ImageState.PUBLISHED: 50}
    assert alerts(world) == ["breaker_opened"]
    during = [one for one in world.executed if one.stage == "moderate" and 5 < one.started < 605]
    assert len(during) < 40


def test_other_stages_go_on_while_a_breaker_is_open() -> None:
    plan = planned(gallery(breaker=BreakerPolicy(2, 2, 1000.0)), RunOptions(max_in_flight=50))

    def behaviour(name: StageName, subject: Subject, attempt: int) -> Does:
        del subject, attempt
        return Does(0.1, TRANSIENT) if name == "moderate" and world.now < 900 else Does(0.1)

    world = World(plan, items_of([50]), behaviour)
    world.run()
    thumbnails = [one for one in world.executed if one.stage == "thumbnails"]
    assert len(thumbnails) == 50
    assert max(one.finished for one in thumbnails) < 100
    assert world.state.image_counts == {ImageState.PUBLISHED: 50}


def test_attempts_are_not_used_up_while_a_breaker_is_open() -> None:
    """Two attempts an image, and an outage of many pauses: nothing is lost but what had failed
    before the breaker could know."""
    plan = planned(
        gallery(retry=RetryPolicy(attempts=2, initial=5.0), breaker=BreakerPolicy(3, 3, 10.0)),
        RunOptions(workers={"moderate": 3}),
    )

    def behaviour(name: StageName, subject: Subject, attempt: int) -> Does:
        del subject, attempt
        return Does(0.5, TRANSIENT) if name == "moderate" and world.now < 3000 else Does(0.5)

    world = World(plan, items_of([30]), behaviour)
    state = world.run()
    assert state.image_counts == {ImageState.PUBLISHED: 30}
    failures = [event for event in world.events if isinstance(event, e.TaskFailed)]
    # Those that were in flight when it opened had begun before anybody could know.
    assert sum(event.counted for event in failures) <= 3 + 2
    assert sum(not event.counted for event in failures) > 5


def test_retries_do_not_pile_up_while_a_breaker_is_open() -> None:
    """Thirty images wait for a retry through a long outage. When it is over they come back as the
    budget lets them, not all together."""
    plan = planned(
        gallery(
            retry=RetryPolicy(attempts=5, initial=0.1, budget=0.0),
            breaker=BreakerPolicy(3, 3, 100.0),
        ),
        RunOptions(workers={"moderate": 30}, pools={"io": 60}, max_in_flight=60),
    )

    def behaviour(name: StageName, subject: Subject, attempt: int) -> Does:
        del subject, attempt
        if name != "moderate":
            return Does(0.0)
        return Does(0.1, TRANSIENT) if world.now < 95 else Does(0.1)

    world = World(plan, items_of([30]), behaviour)
    state = world.run()
    assert state.image_counts == {ImageState.PUBLISHED: 30}
    after = sorted(one.started for one in world.executed if one.stage == "moderate")
    back = next(moment for moment in after if moment > 95)
    assert sum(back <= moment < back + 3 for moment in after) <= FLOOR + 1 + 3 / QUIET


def lossy(seed: int, share: float) -> Behaviour:
    def behaviour(name: StageName, subject: Subject, attempt: int) -> Does:
        draw = random.Random(f"{seed}/{name}/{subject}/{attempt}")
        lost = name in {"validate", "thumbnails"} and draw.random() < share
        rejects = name == "moderate" and draw.random() < 0.2
        outcome = INVALID if lost else Success(verdict="reject" if rejects else None)
        return Does(draw.random(), outcome)

    return behaviour


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    groups=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    failing=st.sampled_from([0.03, 0.1, 0.3]),
    run=st.sampled_from([None, 0.0, 0.1, 0.5]),
    group=st.sampled_from([None, 0.0, 0.2]),
)
def test_tolerance_comes_to_the_same_end_under_every_model(
    seed: int, groups: list[int], failing: float, run: float | None, group: float | None
) -> None:
    ends = []
    for options in MODELS.values():
        plan = tolerating(planned(gallery(), options), Tolerance(run, group))
        world = World(plan, items_of(groups), lossy(seed, failing), seed)
        state = world.run()
        assert fold(world.events) == state
        finished = state.status is RunStatus.FINISHED
        ends.append(
            (state.status, state.reason, dict(state.group_counts) if finished else None, finished)
        )
        if finished and run is not None:
            assert state.lost <= run * sum(groups)
    assert all(end == ends[0] for end in ends)


@models
def test_a_group_past_its_tolerance_is_aborted_and_the_others_go_live(options: RunOptions) -> None:
    plan = tolerating(planned(gallery(), options), Tolerance(group=0.2))
    broken = {Subject(1, 1), Subject(2, 1), Subject(2, 2)}
    world = World(
        plan,
        items_of([5, 5]),
        lambda name, subject, _: (
            Does(1.0, INVALID) if name == "validate" and subject in broken else FINE
        ),
    )
    state = world.run()
    assert state.group_counts == {GroupState.PUBLISHED: 1, GroupState.ABORTED: 1}
    assert state.image_counts == {ImageState.PUBLISHED: 4, ImageState.SKIPPED: 6}
    (settled,) = [
        event
        for event in world.events
        if isinstance(event, e.GroupSettled) and event.state is GroupState.ABORTED
    ]
    assert settled.reason.startswith("more than 20% of its 5 images are lost")


@models
def test_a_run_past_its_tolerance_fails_and_what_is_live_stays_live(options: RunOptions) -> None:
    plan = tolerating(planned(gallery(), options), Tolerance(run=0.1))
    world = World(
        plan,
        items_of([2, 30, 30]),
        lambda name, subject, _: (
            Does(5.0, INVALID) if name == "validate" and subject.group == 2 else FINE
        ),
    )
    state = world.run()
    assert state.status is RunStatus.FAILED
    assert "more than 10% of its 62 images are lost" in state.reason
    assert alerts(world) == ["run_failed"]
    assert state.group_counts[GroupState.PUBLISHED] >= 1


@models
@pytest.mark.parametrize("failing", ["moderate", "publish"])
def test_abort_run_ends_the_run(options: RunOptions, failing: str) -> None:
    stages = [
        replace(one, on_failure=FailurePolicy.ABORT_RUN) if one.name == failing else one
        for one in gallery()
    ]

    def behaviour(name: StageName, subject: Subject, attempt: int) -> Does:
        del attempt
        return Does(1.0, INVALID) if name == failing and subject.group == 2 else FINE

    world = World(planned(stages, options), items_of([2, 2, 40]), behaviour)
    state = world.run()
    assert state.status is RunStatus.FAILED
    assert state.reason.startswith(f"{failing} failed on 2")
    assert state.group_counts[GroupState.PUBLISHED] < 3
    assert alerts(world) == ["run_failed"]


@settings(max_examples=60, deadline=None)
@given(
    policy=st.sampled_from([FailurePolicy.HALT, FailurePolicy.ABORT_RUN]),
    steps=st.integers(1, 60),
    model=st.sampled_from(sorted(MODELS)),
)
def test_a_crash_does_not_undo_the_decision_to_stop(
    policy: FailurePolicy, steps: int, model: str
) -> None:
    """The coordinator dies between the failure and the end of the run: whoever takes over may not
    go on as if nothing had been."""
    plan = planned(gallery(on_failure=policy), MODELS[model])

    def behaviour(name: StageName, subject: Subject, attempt: int) -> Does:
        del attempt
        if (name, subject) == ("moderate", Subject(1, 2)):
            return Does(0.1, INVALID)
        # Much is in flight when it fails, and takes a while: time to crash in.
        return Does(0.1 + subject.ordinal)

    world = World(plan, items_of([4, 4]), behaviour)
    world.run(until=steps)
    if world.state.status is RunStatus.RUNNING:
        world.crash()
        world.run()
    state = world.state
    halts = policy is FailurePolicy.HALT
    assert state.status is (RunStatus.HALTED if halts else RunStatus.FAILED)
    assert alerts(world) == ["run_halted" if halts else "run_failed"]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (RunStatus.PAUSED, RunStatus.HALTED),
        (RunStatus.CANCELLED, RunStatus.CANCELLED),
    ],
)
def test_a_halt_goes_before_a_pause_and_a_cancellation_before_both(
    asked: RunStatus, status: RunStatus
) -> None:
    """Somebody asks for it while the attempt is in flight that halts the run."""
    from imagelane.schedule.scheduler import Scheduler

    world = World(
        planned([waits("moderate", on_failure=FailurePolicy.HALT)]),
        items_of([1]),
        lambda *_: Does(1.0, INVALID),
    )
    scheduler = Scheduler(world.plan, world.state, lambda: 0.5)
    scheduler.admit(world.items[0], 0.0)
    (order,) = scheduler.dispatch(0.0)
    scheduler.stop(asked, "asked to")
    scheduler.report(StageReport(order.number, order.stages[0], INVALID, 0.0, 1.0), 1.0)
    scheduler.report(OrderDone(order.number), 1.0)
    scheduler.settle()
    assert world.state.status is status


def test_a_late_gate_alerts_and_names_who_is_missing() -> None:
    stages = [
        stage("validate"),
        reduces("publish", ["validate"], gate=GatePolicy("all", 5.0, "held")),
    ]

    def behaviour(name: StageName, subject: Subject, attempt: int) -> Does:
        del attempt
        return Does(60.0 if name == "validate" and subject == Subject(1, 3) else 0.1)

    world = World(planned(stages), items_of([3, 2]), behaviour)
    state = world.run()
    assert state.status is RunStatus.PAUSED
    raised = [event for event in world.events if isinstance(event, e.AlertRaised)]
    assert [event.cause for event in raised] == ["gate_timed_out", "group_held"]
    assert "without 3.jpg" in raised[0].message
    assert raised[0].about == "1"


def test_a_verdict_that_holds_images_alerts_once_for_its_stage() -> None:
    world = World(
        planned(gallery()),
        items_of([4, 4]),
        lambda name, *_: Does(1.0, Success(verdict="review")) if name == "moderate" else FINE,
    )
    state = world.run()
    assert state.status is RunStatus.PAUSED
    assert alerts(world) == ["image_held"]


@models
def test_the_failure_of_a_primary_under_halt_halts_the_run(options: RunOptions) -> None:
    plan = planned(gallery(), options, primary=PrimarySpec(on_failure="halt"))
    world = World(
        plan,
        items_of([3, 3], primary=True),
        lambda name, subject, _: (
            Does(1.0, INVALID) if (name, subject) == ("validate", Subject(1, 1)) else FINE
        ),
    )
    assert world.run().status is RunStatus.HALTED
    assert alerts(world) == ["run_halted"]


@models
@pytest.mark.parametrize("policy", [FailurePolicy.SKIP, FailurePolicy.PARTIAL])
def test_a_group_that_was_not_promoted_is_not_called_live(
    options: RunOptions, policy: FailurePolicy
) -> None:
    stages = [
        replace(one, on_failure=policy) if one.name == "publish" else one for one in gallery()
    ]

    def behaviour(name: StageName, subject: Subject, attempt: int) -> Does:
        del attempt
        return Does(1.0, INVALID) if name == "publish" and subject.group == 1 else FINE

    world = World(planned(stages, options), items_of([2, 2]), behaviour)
    state = world.run()
    assert state.group_counts == {GroupState.ABORTED: 1, GroupState.PUBLISHED: 1}
    assert state.image_counts == {ImageState.SKIPPED: 2, ImageState.PUBLISHED: 2}


def test_a_group_that_is_live_elsewhere_stays_live() -> None:
    stages = [
        *gallery(),
        reduces("mirror", ["store"], on_failure=FailurePolicy.PARTIAL),
    ]

    def behaviour(name: StageName, subject: Subject, attempt: int) -> Does:
        del subject, attempt
        return Does(1.0, INVALID) if name == "mirror" else FINE

    world = World(planned(stages), items_of([2]), behaviour)
    assert world.run().group_counts == {GroupState.PARTIAL: 1}
