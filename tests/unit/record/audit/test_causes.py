from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random

import pytest

from imagelane.model import events as e
from imagelane.model.audit import AuditPlan
from imagelane.model.event_form import encode, type_name
from imagelane.model.ids import StageName, Subject
from imagelane.model.merkle import Frontier
from imagelane.model.states import GroupState, ImageState, RunStatus
from imagelane.ports.audit import Stored
from imagelane.record.audit.causes import Causes, Violation
from imagelane.record.audit.reading import entry_of
from imagelane.testing import audit_runs
from imagelane.testing.simulation.cases import case_of
from imagelane.testing.simulation.play import to_its_end, world_of

IMAGE, GROUP = Subject(1, 1), Subject(1)


def skipped(stage: str, subject: Subject = IMAGE) -> e.TaskSkipped:
    return e.TaskSkipped(subject, StageName(stage), "something failed")


def done(stage: str, subject: Subject = IMAGE) -> e.TaskSucceeded:
    return e.TaskSucceeded(subject, StageName(stage), 1, (), {}, None, "worker", 1.0, 2.0)


def received(subject: Subject = IMAGE, role: str = "") -> e.ImageReceived:
    return e.ImageReceived(subject, 0, "a.jpg", "/a.jpg", 1, 1, role)


BEGINNING: Sequence[e.Event] = (
    e.RunStarted("gallery", "0", "parallel", {}),
    e.GroupOpened(GROUP, "a"),
)
WHOLE: Sequence[e.Event] = (
    *BEGINNING,  # 1, 2
    received(),  # 3
    e.GroupClosed(GROUP, 1, 5.0),  # 4
    done("validate"),  # 5
    done("thumbnails"),  # 6
    done("metadata"),  # 7
    done("moderate"),  # 8
    done("watermark"),  # 9
    done("store"),  # 10
    e.ImageSettled(IMAGE, ImageState.PROCESSING),  # 11
    e.GateOpened(GROUP, StageName("contact-sheet"), 1, 0),  # 12
    e.GateOpened(GROUP, StageName("publish"), 1, 0),  # 13
    done("contact-sheet", GROUP),  # 14
    done("publish", GROUP),  # 15
    e.GroupSettled(GROUP, GroupState.PUBLISHED),  # 16
    e.SourceExhausted(1, 1),  # 17
    e.RunSettled(RunStatus.FINISHED),  # 18
)


def test_an_event_names_what_had_to_be_before_it() -> None:
    parents, causes = audit_runs.derived(WHOLE, audit_runs.PLAN)
    assert causes.violations == []
    assert dict(enumerate(parents, 1)) == {
        1: (),
        2: (1,),
        3: (2,),
        4: (3,),
        5: (3,),
        6: (5,),  # a fork: three stages need `validate`
        7: (5,),
        8: (5,),
        9: (7,),
        10: (6, 8, 9),  # a join
        11: (10,),
        12: (4, 11),
        13: (4, 12),
        14: (12,),
        15: (13, 14),
        16: (15,),
        17: (1,),
        18: (16, 17),
    }


def test_an_attempt_follows_the_one_before() -> None:
    failed = next(one for one in audit_runs.events(4000) if isinstance(one, e.TaskFailed))
    failed = e.TaskFailed(
        IMAGE, StageName("validate"), 1, failed.error, "503", "", 0.5, "worker", 1.0, 2.0
    )
    parents, causes = audit_runs.derived(
        [*BEGINNING, received(), failed, done("validate")], audit_runs.PLAN
    )
    assert parents[3:] == [(3,), (4,)]
    assert causes.violations == []


def test_alternates_follow_their_primary() -> None:
    other = Subject(1, 2)
    plan = AuditPlan(audit_runs.STAGES[:1], primary=True)
    parents, _ = audit_runs.derived(
        [
            *BEGINNING,
            received(role="primary"),  # 3
            received(other),  # 4
            done("validate"),  # 5
            e.ImageSettled(IMAGE, ImageState.PROCESSING),  # 6
            done("validate", other),  # 7
        ],
        plan,
    )
    assert parents[6] == (4, 6)


def test_what_is_taken_up_again_goes_on_from_there() -> None:
    parents, causes = audit_runs.derived(
        [
            *WHOLE,
            e.RunResumed("parallel"),  # 19
            e.GroupReopened(GROUP, GroupState.PUBLISHED, "redrive", "why", "anna", {}),  # 20
            e.ImageReopened(IMAGE, ImageState.PARTIAL, "redrive", "why", "anna", {}),  # 21
            done("store"),  # 22
            e.ImageSettled(IMAGE, ImageState.PROCESSING),  # 23
            done("publish", GROUP),  # 24
            e.GroupSettled(GROUP, GroupState.PUBLISHED),  # 25
            e.RunSettled(RunStatus.FINISHED),  # 26
        ],
        audit_runs.PLAN,
    )
    assert parents[18:] == [(18,), (16,), (20,), (21,), (22,), (20,), (23, 24), (19, 25)]
    assert causes.violations == []


def wrong(events: Sequence[e.Event]) -> list[Violation]:
    return audit_runs.derived(events, audit_runs.PLAN)[1].violations


@pytest.mark.parametrize(
    ("events", "index", "message"),
    [
        ([*BEGINNING, received(), done("store")], 4, "before thumbnails, which it needs"),
        ([*BEGINNING, received(), skipped("validate"), done("metadata")], 5, "before validate"),
        ([*BEGINNING, done("validate")], 3, "was not received"),
        ([*BEGINNING, received(), received()], 4, "a second time"),
        ([*BEGINNING, received(), done("validate"), done("validate")], 5, "which was over"),
        ([*BEGINNING, received(), done("sharpen")], 4, "which the plan has not"),
        ([*BEGINNING, e.GroupOpened(GROUP, "a")], 3, "opens group 1 a second time"),
        ([*WHOLE[:11], done("store")], 12, "which is settled"),
        ([*WHOLE[:10], *WHOLE[11:12]], 11, "whose images are not all settled"),
        ([*WHOLE[:11], *WHOLE[13:14]], 12, "whose gate had not opened"),
        ([*WHOLE[:10], *WHOLE[15:16]], 11, "whose images are not all settled"),
        ([*WHOLE, e.RunStarted("gallery", "0", "parallel", {})], 19, "begins the run a second"),
        ([received()], 1, "never opened"),
        ([*BEGINNING, *WHOLE[-1:], *WHOLE[-1:]], 4, "as 'finished'"),
        (
            [*BEGINNING, received(), e.ImageSettled(IMAGE, ImageState.PUBLISHED)],
            4,
            "as 'published'",
        ),
    ],
)
def test_what_cannot_have_happened_there_is_named(
    events: Sequence[e.Event], index: int, message: str
) -> None:
    found = wrong(events)
    assert found[0].index == index
    assert message in found[0].message


@pytest.mark.parametrize("chunk", range(4))
def test_whatever_a_scheduler_records_is_in_order(chunk: int) -> None:
    """Worlds with retries, failures, crashes and takeovers, under every model."""
    for seed in range(chunk * 100, chunk * 100 + 60):
        world = world_of(case_of(seed))
        to_its_end(world)
        logical = world.plan.logical
        plan = AuditPlan.of(logical.stages, primary=logical.images.primary is not None)
        parents, causes = audit_runs.derived(world.events, plan)
        assert causes.violations == [], seed
        for index, found in enumerate(parents, 1):
            assert all(0 < parent < index for parent in found), seed
            assert found or index == 1, seed


def test_a_stage_that_is_moved_before_what_it_needed_is_found() -> None:
    events = list(audit_runs.events(300))
    choose = Random(3)
    tried = 0
    while tried < 40:
        later = choose.randrange(len(events))
        event = events[later]
        if not isinstance(event, e.TaskSucceeded) or not event.subject.ordinal:
            continue
        needs = next(one.needs for one in audit_runs.STAGES if one.name == event.stage)
        needed = next(
            (
                place
                for place, one in enumerate(events)
                if isinstance(one, e.TaskSucceeded)
                and one.subject == event.subject
                and one.stage in needs
            ),
            None,
        )
        if needed is None:
            continue
        tried += 1
        moved = [*events[:needed], event, *events[needed:later], *events[later + 1 :]]
        found = wrong(moved)
        assert found
        assert found[0].index == needed + 1


def test_what_was_signed_by_an_earlier_version_stays_what_it_was() -> None:
    """The root over this run was signed once. Where it is another, checkpoints that people hold do
    not agree with their records any more: that takes a new version of leaves, beside the old."""
    causes = Causes(audit_runs.PLAN)
    frontier = Frontier()
    for index, event in enumerate(audit_runs.events(2_000), 1):
        kind, subject, stage = type_name(event), e.subject_of(event), e.stage_of(event)
        # Of payloads only what leaves say: they may get new fields.
        said = encode(event)
        kept = {key: said[key] for key in ("role", "state", "status", "error") if key in said}
        body = json.dumps(kept, separators=(",", ":"))
        at = 1_795_000_000.0 + index / 1024
        frontier.append(
            entry_of(
                Stored(audit_runs.RUN, index, at, 7, kind, subject, stage, body, bytes(32)), causes
            ).hash
        )
    assert (
        frontier.root().hex() == "194ba40a28610d549d02f4d3a63b794c611694693ff676b5cbfea37e9ae4b5e2"
    )
