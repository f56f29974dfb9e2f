"""What failed is sent round again until nothing has failed: the end is that of a run in which
nothing ever did, under every model, policy and order of things."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imagelane.control import redriven
from imagelane.model import events as e
from imagelane.model.audit import AuditPlan
from imagelane.model.decision import Decision, Verb
from imagelane.model.ids import RunId, StageName, Subject
from imagelane.model.outcome import Failure, Success
from imagelane.model.plan import PhysicalPlan
from imagelane.model.policy import FailurePolicy, GatePolicy, RunOptions
from imagelane.model.spec import PrimarySpec
from imagelane.model.states import ErrorClass, GroupState, ImageState, RunStatus, Scope
from imagelane.ports.journal import Claimed
from imagelane.record.dead_letters import Filter, dead_letters
from imagelane.record.decisions import Decider
from imagelane.record.recover import recover
from imagelane.record.reopen import DecisionError
from imagelane.testing.audit_runs import derived
from imagelane.testing.journals import MemoryJournal
from imagelane.testing.simulation import Behaviour, Does, World, items_of
from tests.simulation.pipelines import news_gallery, planned, reduces, stage, waits
from tests.simulation.test_models import MODELS, erratic, models, steady

RUN = RunId("run")


class Recorded:
    """Runs in simulated time, one after the other, in one journal."""

    def __init__(self, plan: PhysicalPlan, groups: Sequence[int], *, primary: bool = False) -> None:
        self.plan = plan
        self.items = items_of(groups, primary=primary)
        self.journal = MemoryJournal()
        self.claimed: Claimed = self.journal.create(RUN, {}, "owner")
        self.decider = Decider(self.journal, RUN, plan.logical)

    def append(self, events: Sequence[e.Event]) -> None:
        self.journal.append(self.claimed, [(0.0, event) for event in events])

    def run(self, behaviour: Behaviour, seed: int = 0) -> World:
        """Run from where the journal stands to where it stands still."""
        world = self.world(behaviour, seed)
        world.run()
        return self.took(world)

    def world(self, behaviour: Behaviour, seed: int = 0) -> World:
        """The world as the journal knows it."""
        known = [one.event for one in self.journal.events(RUN)]
        return World(self.plan, self.items, behaviour, seed, events=known)

    def took(self, world: World) -> World:
        """Record what has happened in a world since."""
        known = sum(1 for _ in self.journal.events(RUN))
        self.append(world.events[known:])
        logical = self.plan.logical
        plan = AuditPlan.of(logical.stages, primary=logical.images.primary is not None)
        # Whatever goes round again stands after what it needed.
        assert derived(world.events, plan)[1].violations == []
        return world

    def reopen(self, *decisions: Decision) -> list[e.Event]:
        events = [event for group in self.decider.events(decisions) for event in group]
        self.append(events)
        return list(events)

    def redrive(self, refused: list[str]) -> int:
        decisions: Iterator[list[Decision]] = redriven(
            self.journal, RUN, Filter(), "again", "somebody"
        )
        count = 0
        for group in self.decider.possible(decisions, refused.append):
            events = group.events() or ()
            self.append(events)
            count += len(events)
        return count

    def images(self) -> dict[Subject, ImageState]:
        return {row.subject: row.state for row in self.journal.images(RUN)}

    def groups(self) -> dict[int, GroupState]:
        return {row.group: row.state for row in self.journal.groups(RUN)}


def failing(seed: int, share: float) -> Behaviour:
    """Fails for good at random; a group's own stages as well as an image's."""

    def behaviour(stage: StageName, subject: Subject, attempt: int) -> Does:
        del attempt
        draw = random.Random(f"{seed}/{stage}/{subject}")
        seconds = draw.choice([0.0, 0.1, 1.0, 10.0]) * draw.random()
        if draw.random() < share:
            return Does(seconds, Failure(ErrorClass.BUG, "made up"))
        return Does(seconds, Success())

    return behaviour


def pipeline(draw: random.Random) -> list[object]:
    """The news gallery with policies and gates of all kinds."""
    policies = list(FailurePolicy)
    stages = [
        stage("validate", on_failure=draw.choice(policies)),
        stage("metadata", ["validate"], on_failure=draw.choice(policies)),
        stage("thumbnails", ["validate"], on_failure=draw.choice(policies)),
        stage("watermark", ["metadata"], makes_picture=True, on_failure=draw.choice(policies)),
        waits("moderate", ["validate"], on_failure=draw.choice(policies)),
        waits("store", ["thumbnails", "watermark", "moderate"], gathers=True),
        reduces(
            "publish",
            ["store"],
            gate=GatePolicy(
                require=draw.choice(["settled", "all", 0.5]),
                on_failure=draw.choice(["held", "aborted"]),
            ),
            on_failure=draw.choice(policies),
        ),
    ]
    return list(stages)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 1 << 30),
    groups=st.lists(st.integers(1, 6), min_size=1, max_size=5),
    share=st.sampled_from([0.05, 0.2, 0.6]),
    model=st.sampled_from(sorted(MODELS)),
    primary=st.sampled_from([None, "abort", "skip", "halt"]),
)
def test_whatever_failed_goes_live_once_nothing_fails_any_more(
    seed: int, groups: list[int], share: float, model: str, primary: str | None
) -> None:
    draw = random.Random(seed)
    spec = None if primary is None else PrimarySpec(on_failure=primary)  # type: ignore[arg-type]
    plan = planned(pipeline(draw), MODELS[model], primary=spec)  # type: ignore[arg-type]
    recorded = Recorded(plan, groups, primary=primary is not None)
    world = recorded.run(failing(seed, share))
    for _ in range(20):
        if world.state.status is RunStatus.FINISHED and not list(
            dead_letters(recorded.journal, RUN)
        ):
            break
        # A run that halted goes on; what failed on the way goes round again.
        recorded.redrive([])
        world = recorded.run(steady, seed)
    assert world.state.status is RunStatus.FINISHED, world.state.reason
    assert set(recorded.images().values()) == {ImageState.PUBLISHED}
    assert set(recorded.groups().values()) == {GroupState.PUBLISHED}
    fold = recover(recorded.journal, RUN)
    assert fold.image_counts == {ImageState.PUBLISHED: sum(groups)}
    assert fold.group_counts == {GroupState.PUBLISHED: len(groups)}


@models
def test_only_what_is_unfinished_is_done_again(options: RunOptions) -> None:
    plan = planned(news_gallery(), options)
    recorded = Recorded(plan, [4, 3])

    def behaviour(stage: StageName, subject: Subject, attempt: int) -> Does:
        del attempt
        fails = stage == "thumbnails" and subject == Subject(1, 2)
        return Does(1.0, Failure(ErrorClass.INVALID, "made up") if fails else Success())

    first = recorded.run(behaviour)
    done = {
        one.stage
        for one in first.events
        if isinstance(one, e.TaskSucceeded) and one.subject == Subject(1, 2)
    }
    recorded.redrive([])
    again = recorded.run(steady)
    executed = {(one.stage, one.subject) for one in again.executed}
    of_images = {one.name for one in plan.logical.of_scope(Scope.IMAGE)}
    assert {stage for stage, subject in executed if subject.ordinal} == of_images - done
    assert {subject for _, subject in executed} == {Subject(1), Subject(1, 2)}


def decision(subject: Subject, verb: Verb) -> Decision:
    return Decision(subject, verb, "because", "somebody")


def verdicts(stage: StageName, subject: Subject, attempt: int) -> Does:
    """The first image of each group is to be looked at, the second is rejected."""
    del attempt
    if stage != "moderate":
        return Does(1.0)
    word = {1: "review", 2: "reject"}.get(subject.ordinal, "approve")
    return Does(1.0, Success(verdict=word))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("verb", "image", "group"),
    [
        (Verb.APPROVE, ImageState.PUBLISHED, GroupState.PUBLISHED),
        (Verb.REJECT, ImageState.REJECTED, GroupState.PUBLISHED),
        (Verb.SKIP, ImageState.SKIPPED, GroupState.PUBLISHED),
        (Verb.ABORT, ImageState.DEAD, GroupState.ABORTED),
    ],
)
def test_an_image_that_is_to_be_looked_at_waits_for_what_a_person_says(
    verb: Verb, image: ImageState, group: GroupState
) -> None:
    recorded = Recorded(planned(news_gallery()), [3])
    world = recorded.run(verdicts)
    assert world.state.status is RunStatus.PAUSED
    assert recorded.groups() == {1: GroupState.HELD}
    recorded.reopen(decision(Subject(1, 1), verb))
    world = recorded.run(verdicts)
    assert world.state.status is RunStatus.FINISHED
    assert recorded.images()[Subject(1, 1)] is image
    assert recorded.groups() == {1: group}
    assert not [one for one in world.executed if one.stage == "moderate"], "nobody is asked again"


def test_a_retry_asks_the_moderator_again() -> None:
    recorded = Recorded(planned(news_gallery()), [3])
    recorded.run(verdicts)
    recorded.reopen(decision(Subject(1, 1), Verb.RETRY))
    world = recorded.run(steady)
    assert [one.subject for one in world.executed if one.stage == "moderate"] == [Subject(1, 1)]
    assert recorded.images() == {
        Subject(1, 1): ImageState.PUBLISHED,
        Subject(1, 2): ImageState.REJECTED,
        Subject(1, 3): ImageState.PUBLISHED,
    }


def test_with_a_held_primary_its_alternates_come_back() -> None:
    plan = planned(
        [stage("validate", on_failure=FailurePolicy.HALT), reduces("publish", ["validate"])],
        RunOptions(),
        primary=PrimarySpec(),
    )
    recorded = Recorded(plan, [3], primary=True)

    def behaviour(stage: StageName, subject: Subject, attempt: int) -> Does:
        del stage, attempt
        fails = subject == Subject(1, 1)
        return Does(1.0, Failure(ErrorClass.INVALID, "made up") if fails else Success())

    assert recorded.run(behaviour).state.status is RunStatus.HALTED
    recorded.run(behaviour)
    assert set(recorded.images().values()) == {ImageState.HELD}
    recorded.reopen(decision(Subject(1, 1), Verb.RETRY))
    recorded.run(steady)
    assert set(recorded.images().values()) == {ImageState.PUBLISHED}


def test_an_aborted_group_goes_on_without_its_dead() -> None:
    plan = planned(
        [stage("validate", on_failure=FailurePolicy.ABORT), reduces("publish", ["validate"])]
    )
    recorded = Recorded(plan, [2])
    recorded.run(lambda *_: Does(1.0, Failure(ErrorClass.INVALID, "made up")))
    assert recorded.groups() == {1: GroupState.ABORTED}
    dead, left_out = sorted(recorded.images(), key=lambda one: recorded.images()[one])
    assert recorded.images() == {dead: ImageState.DEAD, left_out: ImageState.SKIPPED}
    recorded.reopen(decision(dead, Verb.SKIP))
    recorded.run(steady)
    assert recorded.images() == {dead: ImageState.SKIPPED, left_out: ImageState.PUBLISHED}


def test_a_held_group_can_be_retried_and_aborted() -> None:
    plan = planned(
        [stage("validate"), reduces("publish", ["validate"], on_failure=FailurePolicy.HALT)]
    )

    def behaviour(stage: StageName, subject: Subject, attempt: int) -> Does:
        del subject, attempt
        fails = stage == "publish"
        return Does(1.0, Failure(ErrorClass.INVALID, "made up") if fails else Success())

    recorded = Recorded(plan, [2, 2])
    while set(recorded.groups().values()) != {GroupState.HELD}:
        recorded.run(behaviour)
    recorded.reopen(decision(Subject(1), Verb.RETRY), decision(Subject(2), Verb.ABORT))
    recorded.run(steady)
    assert recorded.groups() == {1: GroupState.PUBLISHED, 2: GroupState.ABORTED}
    with pytest.raises(DecisionError, match="expected"):
        recorded.reopen(decision(Subject(1), Verb.SKIP))


@settings(max_examples=40)
@given(seed=st.integers(0, 1 << 30), model=st.sampled_from(sorted(MODELS)))
def test_a_redrive_that_is_interrupted_anywhere_goes_on(seed: int, model: str) -> None:
    recorded = Recorded(planned(news_gallery(), MODELS[model]), [5, 4, 3])
    recorded.run(erratic(seed, 0.3), seed)
    draw = random.Random(seed)
    for _ in range(300):
        recorded.redrive([])
        world = recorded.world(steady, seed)
        world.run(until=draw.randint(0, 6))
        recorded.took(world)
        if world.state.status is RunStatus.FINISHED:
            break
    assert not list(dead_letters(recorded.journal, RUN))
    left = set(recorded.images().values())
    assert left <= {ImageState.PUBLISHED, ImageState.REJECTED}
