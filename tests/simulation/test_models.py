"""Every execution model, in simulated time: what is promised at every moment holds at every step.

`World` checks conservation, limits, window, budget and lanes after each step; the tests here add
what only shows over a whole run.
"""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagelane.model import events as e
from imagelane.model.ids import StageName, Subject
from imagelane.model.outcome import Failure, Success, Verdict
from imagelane.model.policy import (
    ExecutionModel,
    FailurePolicy,
    GatePolicy,
    RetryPolicy,
    RunOptions,
)
from imagelane.model.spec import PrimarySpec
from imagelane.model.states import ErrorClass, GroupState, ImageState, RunStatus, Scope
from imagelane.testing.simulation import Behaviour, Does, World, fold, items_of
from tests.simulation.pipelines import news_gallery, planned, reduces, stage, waits

SEQUENTIAL = RunOptions(model=ExecutionModel.SEQUENTIAL)
MODELS = {
    "sequential": SEQUENTIAL,
    "unfused": RunOptions(model=ExecutionModel.SEQUENTIAL, fuse=False),
    "parallel": RunOptions(),
    "parallel 8": RunOptions(pools={"cpu": 8}),
    "parallel limited": RunOptions(workers={"thumbnails": 1, "moderate": 3}, max_in_flight=7),
    "hybrid": RunOptions(model=ExecutionModel.HYBRID, batch_size=3, parallel_batches=2),
    "hybrid of one": RunOptions(model=ExecutionModel.HYBRID, batch_size=1, parallel_batches=4),
    "one stage moved": RunOptions(
        model=ExecutionModel.SEQUENTIAL,
        workers={"moderate": 5},
        parallel=frozenset({"moderate", "thumbnails"}),
    ),
}

models = pytest.mark.parametrize("options", MODELS.values(), ids=MODELS.keys())


def steady(stage: StageName, subject: Subject, attempt: int) -> Does:
    del stage, subject, attempt
    return Does(1.0)


def erratic(seed: int, failing: float = 0.0) -> Behaviour:
    """Attempts of random length, of which a share fails in a random way."""

    def behaviour(stage: StageName, subject: Subject, attempt: int) -> Does:
        draw = random.Random(f"{seed}/{stage}/{subject}/{attempt}")
        seconds = draw.choice([0.0, 0.1, 1.0, 10.0]) * draw.random()
        decodes = draw.choice([0, 1 << 20, 1 << 30, 3 << 30])
        if draw.random() < failing:
            error = draw.choice(list(ErrorClass))
            return Does(seconds, Failure(error, "made up"), decodes)
        rejects = stage == "moderate" and draw.random() < failing
        verdict: Verdict | None = "reject" if rejects else None
        return Does(seconds, Success(verdict=verdict), decodes)

    return behaviour


def summary(world: World) -> tuple[object, ...]:
    """What came out: images and groups with their final states, in order."""
    images = sorted(
        (event.subject, event.state) for event in world.events if isinstance(event, e.ImageSettled)
    )
    groups = sorted(
        (event.subject, event.state) for event in world.events if isinstance(event, e.GroupSettled)
    )
    return images, groups, world.state.image_counts, world.state.status


@models
def test_everything_is_published_and_counted(options: RunOptions) -> None:
    world = World(planned(news_gallery(), options), items_of([3, 1, 8, 5]), steady)
    state = world.run()
    assert state.status is RunStatus.FINISHED
    assert state.image_counts == {ImageState.PUBLISHED: 17}
    assert state.group_counts == {GroupState.PUBLISHED: 4}
    assert not state.images
    assert not state.groups


def test_sequential_is_one_at_a_time_in_the_order_of_the_source() -> None:
    for options in (SEQUENTIAL, MODELS["unfused"]):
        world = World(planned(news_gallery(), options), items_of([3, 2]), erratic(7))
        world.run()
        assert world.most_in_flight == 1
        images = [one for one in world.executed if one.subject.scope is Scope.IMAGE]
        assert [one.subject for one in images] == sorted(one.subject for one in images)
        starts = [(one.started, one.finished) for one in world.executed]
        assert all(before[1] <= after[0] for before, after in pairwise(starts))
        # A group is over before the next one begins.
        published = [one.subject.group for one in world.executed if one.stage == "publish"]
        first_of_two = next(one.started for one in world.executed if one.subject == Subject(2, 1))
        assert published == [1, 2]
        assert first_of_two >= next(
            one.finished for one in world.executed if one.stage == "publish"
        )


def test_a_waiting_stage_holds_no_worker() -> None:
    """50 images, seven stages of half a second, ten workers, moderation of two seconds with five
    at once: moderation is the bound, 0.5 + 50 * 2 / 5 + 1.0 s. If waiting held workers it would
    be 25 s."""
    stages = [
        waits("validate", pool="work"),
        waits("metadata", ["validate"], pool="work"),
        waits("thumbnails", ["validate"], pool="work"),
        waits("watermark", ["metadata"], pool="work"),
        waits("moderate", ["validate"], workers=5),
        waits("store", ["thumbnails", "watermark", "moderate"], pool="work"),
        waits("publish", ["store"], pool="work"),
    ]

    def behaviour(stage: StageName, subject: Subject, attempt: int) -> Does:
        del subject, attempt
        return Does(2.0 if stage == "moderate" else 0.5)

    options = RunOptions(pools={"work": 10})
    world = World(planned(stages, options), items_of([50]), behaviour)
    world.run()
    assert world.now == pytest.approx(21.5)

    plain = World(planned(stages, options), items_of([50]), lambda *_: Does(0.5))
    plain.run()
    assert plain.now <= 17.5 * 1.02


def test_workers_are_used_as_far_as_allowed() -> None:
    options = RunOptions(workers={"moderate": 3})
    world = World(planned([waits("moderate")], options), items_of([30]), steady)
    world.run()
    assert world.most_in_flight == 3
    assert world.now == pytest.approx(10.0)


def test_the_window_bounds_what_is_in_flight() -> None:
    plan = planned([waits("moderate")], RunOptions(max_in_flight=4))
    world = World(plan, items_of([30]), steady)
    world.run()
    assert world.most_in_flight == 4


def test_a_moved_stage_overlaps_and_the_rest_stays_in_its_lane() -> None:
    def behaviour(stage: StageName, subject: Subject, attempt: int) -> Does:
        del subject, attempt
        return Does(10.0 if stage == "moderate" else 1.0)

    options = MODELS["one stage moved"]
    world = World(planned(news_gallery(), options), items_of([10]), behaviour)
    world.run()
    moderated = [one for one in world.executed if one.stage == "moderate"]
    assert any(
        a.started < b.finished and b.started < a.finished
        for a in moderated
        for b in moderated
        if a is not b
    )
    lane = sorted(
        (one.started, one.finished)
        for one in world.executed
        if one.stage not in {"moderate", "thumbnails"}
    )
    assert all(before[1] <= after[0] for before, after in pairwise(lane))


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    groups=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    failing=st.sampled_from([0.0, 0.05, 0.3]),
    data=st.data(),
)
def test_every_model_comes_to_the_same_end(
    seed: int, groups: list[int], failing: float, data: st.DataObject
) -> None:
    policies = {
        name: data.draw(st.sampled_from([FailurePolicy.SKIP, FailurePolicy.PARTIAL]), name)
        for name in ("validate", "thumbnails", "watermark", "moderate")
    }
    stages = [
        stage("validate", on_failure=policies["validate"]),
        stage("thumbnails", ["validate"], on_failure=policies["thumbnails"]),
        stage("watermark", ["validate"], on_failure=policies["watermark"]),
        waits("moderate", ["validate"], on_failure=policies["moderate"], workers=5),
        waits("store", ["thumbnails", "watermark", "moderate"], gathers=True),
        reduces("publish", ["store"], on_failure=FailurePolicy.ABORT),
    ]
    primary = PrimarySpec(on_failure="partial") if data.draw(st.booleans(), "primary") else None
    ends = []
    for options in MODELS.values():
        plan = planned(stages, options, primary=primary)
        world = World(
            plan, items_of(groups, primary=primary is not None), erratic(seed, failing), seed
        )
        world.run()
        assert fold(world.events) == world.state
        ends.append(summary(world))
    assert all(end == ends[0] for end in ends)


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    groups=st.lists(st.integers(1, 6), min_size=1, max_size=5),
    name=st.sampled_from(sorted(MODELS)),
    crashes=st.lists(st.integers(1, 40), max_size=6),
)
def test_a_run_that_crashes_anywhere_comes_to_the_same_end(
    seed: int, groups: list[int], name: str, crashes: list[int]
) -> None:
    plan = planned(news_gallery(workers=5), MODELS[name])
    undisturbed = World(plan, items_of(groups), erratic(seed, 0.1), seed)
    undisturbed.run()
    world = World(plan, items_of(groups), erratic(seed, 0.1), seed)
    for steps in crashes:
        world.run(until=world.steps + steps)
        if world.state.status is not RunStatus.RUNNING:
            break
        world.crash()
    world.run()
    assert summary(world) == summary(undisturbed)
    recorded = [
        (event.stage, event.subject) for event in world.events if isinstance(event, e.TaskSucceeded)
    ]
    assert len(recorded) == len(set(recorded)), "an outcome was recorded twice"


@models
def test_primary_comes_before_its_alternates(options: RunOptions) -> None:
    plan = planned(news_gallery(), options, primary=PrimarySpec())
    world = World(plan, items_of([4, 4, 4], primary=True), erratic(3))
    world.run()
    for group in (1, 2, 3):
        settled = next(
            i
            for i, event in enumerate(world.events)
            if isinstance(event, e.ImageSettled) and event.subject == Subject(group, 1)
        )
        first = next(
            i
            for i, event in enumerate(world.events)
            if isinstance(event, e.TaskSucceeded)
            and event.subject.group == group
            and event.subject.ordinal > 1
        )
        assert settled < first
    assert world.state.image_counts[ImageState.PUBLISHED] == 12


def failing_at(where: dict[tuple[str, Subject], Failure]) -> Behaviour:
    def behaviour(stage: StageName, subject: Subject, attempt: int) -> Does:
        del attempt
        failure = where.get((stage, subject))
        return Does(1.0, failure) if failure else Does(1.0)

    return behaviour


INVALID = Failure(ErrorClass.INVALID, "broken")


@models
@pytest.mark.parametrize(
    ("policy", "image", "group", "published"),
    [
        (FailurePolicy.SKIP, ImageState.SKIPPED, GroupState.PUBLISHED, 2),
        (FailurePolicy.PARTIAL, ImageState.PARTIAL, GroupState.PARTIAL, 2),
        (FailurePolicy.ABORT, ImageState.DEAD, GroupState.ABORTED, 0),
    ],
)
def test_what_a_failure_means(
    options: RunOptions,
    policy: FailurePolicy,
    image: ImageState,
    group: GroupState,
    published: int,
) -> None:
    stages = [
        stage("validate"),
        stage("thumbnails", ["validate"], on_failure=policy),
        waits("moderate", ["validate"], workers=2),
        waits("store", ["thumbnails", "moderate"], gathers=True),
        reduces("publish", ["store"]),
    ]
    plan = planned(stages, options)
    world = World(plan, items_of([3, 3]), failing_at({("thumbnails", Subject(1, 2)): INVALID}))
    state = world.run()
    assert state.status is RunStatus.FINISHED
    assert state.image_counts[image] >= 1
    assert state.group_counts[group] == (2 if group is GroupState.PUBLISHED else 1)
    # The other group is whole in any case.
    assert state.image_counts[ImageState.PUBLISHED] == 3 + published


@models
def test_a_halt_stops_and_can_be_taken_up(options: RunOptions) -> None:
    plan = planned(
        [
            stage("validate"),
            waits("moderate", ["validate"], on_failure=FailurePolicy.HALT),
            waits("thumbnails", ["moderate"]),
        ],
        options,
    )
    world = World(plan, items_of([5, 5]), failing_at({("moderate", Subject(1, 2)): INVALID}))
    state = world.run()
    assert state.status is RunStatus.HALTED
    assert "moderate failed on 1.2" in state.reason
    evolve_resumed = e.RunResumed("parallel")
    world.events.append(evolve_resumed)
    world.crash()
    state = world.run()
    # The image still waits for its decision, and its group with it; everything else is done.
    assert state.status is RunStatus.PAUSED
    assert state.image_counts == {ImageState.PUBLISHED: 5}
    assert state.groups[1].settled == {ImageState.HELD: 1, ImageState.PROCESSING: 4}


@models
def test_a_gate_that_requires_all_never_opens_for_less(options: RunOptions) -> None:
    stages = [
        stage("validate"),
        waits("thumbnails", ["validate"]),
        waits("moderate", ["validate"], workers=2),
        reduces("publish", ["thumbnails", "moderate"], gate=GatePolicy(require="all")),
    ]
    plan = planned(stages, options)
    world = World(plan, items_of([3, 3]), failing_at({("validate", Subject(2, 3)): INVALID}))
    state = world.run()
    assert state.group_counts == {GroupState.PUBLISHED: 1, GroupState.ABORTED: 1}
    assert [one.subject for one in world.executed if one.stage == "publish"] == [Subject(1)]
    reason = next(
        event.reason
        for event in world.events
        if isinstance(event, e.GroupSettled) and event.state is GroupState.ABORTED
    )
    assert reason == "the gate requires all 3 images whole, and 1 is not"


def test_a_gate_timeout_names_who_is_missing() -> None:
    def behaviour(stage: StageName, subject: Subject, attempt: int) -> Does:
        del attempt
        return Does(1000.0 if (stage, subject) == ("views", Subject(1, 2)) else 1.0)

    gates = (
        (GatePolicy(require=0.5, timeout=60.0), GroupState.PUBLISHED),
        (GatePolicy(require="all", timeout=60.0), GroupState.ABORTED),
    )
    for gate, group in gates:
        stages = [waits("views"), reduces("publish", ["views"], gate=gate)]
        world = World(planned(stages), items_of([3]), behaviour)
        state = world.run()
        assert state.group_counts == {group: 1}
        late = next(
            event
            for event in world.events
            if isinstance(event, e.ImageSettled) and event.subject == Subject(1, 2)
        )
        assert late.state is ImageState.SKIPPED
        assert "the gate's timeout passed without 2.jpg" in late.reason


def test_retries_wait_without_holding_a_worker() -> None:
    retry = RetryPolicy(attempts=4, initial=8.0, backoff=2.0, max=100.0, jitter="none")

    def behaviour(stage: StageName, subject: Subject, attempt: int) -> Does:
        del stage
        flaky = subject == Subject(1, 1) and attempt < 4
        return Does(1.0, Failure(ErrorClass.TRANSIENT, "later")) if flaky else Does(1.0)

    plan = planned([waits("call", retry=retry, workers=1)], RunOptions())
    world = World(plan, items_of([10]), behaviour)
    state = world.run()
    assert state.image_counts == {ImageState.PUBLISHED: 10}
    tries = [one.started for one in world.executed if one.subject == Subject(1, 1)]
    # 1 s of work and 8, 16, 32 s of waiting; nine other seconds of work fit in between.
    assert tries[1] - tries[0] >= 9.0
    assert tries[2] - tries[1] >= 17.0
    assert tries[3] - tries[2] >= 33.0
    assert world.now == pytest.approx(60.0)


def test_attempts_are_used_up_and_no_more() -> None:
    failure = Failure(ErrorClass.WORKER_DIED, "killed")
    plan = planned([waits("call", retry=RetryPolicy(attempts=3))])
    world = World(plan, items_of([2]), failing_at({("call", Subject(1, 1)): failure}))
    state = world.run()
    assert len([one for one in world.executed if one.subject == Subject(1, 1)]) == 3
    assert state.image_counts == {ImageState.SKIPPED: 1, ImageState.PUBLISHED: 1}


def test_a_rejected_image_leaves_and_a_reviewed_one_is_held() -> None:
    def behaviour(stage: StageName, subject: Subject, attempt: int) -> Does:
        del attempt
        verdicts: dict[Subject, Verdict] = {Subject(1, 1): "reject", Subject(2, 1): "review"}
        return Does(1.0, Success(verdict=verdicts.get(subject) if stage == "moderate" else None))

    stages = [waits("moderate"), waits("after", ["moderate"]), reduces("publish", ["after"])]
    world = World(planned(stages), items_of([2, 2]), behaviour)
    state = world.run()
    assert state.status is RunStatus.PAUSED
    assert state.image_counts == {ImageState.REJECTED: 1, ImageState.PUBLISHED: 1}
    assert state.groups[2].state is GroupState.HELD
    assert not [one for one in world.executed if one.stage == "after" and one.subject.ordinal == 1]


def test_a_burst_needs_no_more_state_than_a_handful() -> None:
    plan = planned(news_gallery(workers=5))
    largest = 0

    def behaviour(stage: StageName, subject: Subject, attempt: int) -> Does:
        nonlocal largest
        del stage, subject, attempt
        largest = max(largest, len(world.state.images))
        return Does(0.01)

    world = World(plan, items_of([2000]), behaviour)
    world.run()
    assert largest <= plan.window
