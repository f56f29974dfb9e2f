from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from imagelane.model import events as e
from imagelane.model.ids import StageName, Subject
from imagelane.model.plan import Lane
from imagelane.model.run import RunState, evolve
from imagelane.model.states import ErrorClass, GroupState, ImageState
from imagelane.ports.observer import Pulse
from imagelane.report import progress as rooms
from imagelane.report.progress import Progress, Snapshot, image_counts
from tests.unit.report.made_up import RUN, MadeUp, Recipe, plan
from tests.unit.report.playing import moments

TRUNCATED = ("validate", ErrorClass.INVALID, "the file ends after 81,920 bytes", 1)
RECIPE = Recipe(
    {"harbour": 12, "market day": 9, "old town": 8},
    failing={
        Subject(2, 4): TRUNCATED,
        Subject(3, 3): ("moderate", ErrorClass.TRANSIENT, "HTTP 503", 3),
    },
    rejected=frozenset({Subject(1, 11)}),
)


def snapshots(recipe: Recipe, progress: Progress) -> list[Snapshot]:
    taken = []
    for state, batch, pulse in moments(recipe):
        progress.recorded(batch)
        taken.append(progress.snapshot(state, pulse))
    return taken


def test_at_every_moment_the_counts_add_up() -> None:
    taken = snapshots(RECIPE, Progress(plan(), RUN))
    assert len(taken) > 20
    for now in taken:
        assert sum(now.images.values()) == now.received
        assert now.settled <= now.received <= now.images_expected == 29
        assert sum(now.groups.values()) <= now.groups_expected == 3
        for stage in now.stages:
            assert 0 <= stage.resolved <= stage.expected
            assert stage.done + stage.failed + stage.skipped <= stage.resolved


def test_it_ends_with_everything_resolved() -> None:
    now = snapshots(RECIPE, Progress(plan(), RUN))[-1]
    assert now.images == {ImageState.PUBLISHED: 26, ImageState.SKIPPED: 2, ImageState.REJECTED: 1}
    assert (now.live, now.failed, now.bottleneck, now.open_groups) == (3, 2, None, ())
    assert now.left == 0
    for stage in now.stages:
        assert stage.resolved == stage.expected


def test_the_time_left_is_about_right_from_the_middle_on() -> None:
    recipe = Recipe({f"g{n}": 20 for n in range(10)}, moderation=1.2)
    taken = snapshots(recipe, Progress(plan(), RUN))
    whole = taken[-1].elapsed
    assert taken[1].left is None
    for now in taken[len(taken) // 3 : -len(taken) // 5]:
        assert now.left is not None
        assert now.left == pytest.approx(whole - now.elapsed, rel=0.35)


def test_the_bottleneck_is_the_stage_whose_limit_lasts_longest() -> None:
    slow = snapshots(Recipe({"a": 40}, moderation=2.0), Progress(plan(), RUN))
    assert slow[len(slow) // 2].bottleneck == "moderate"
    quick = snapshots(Recipe({"a": 40}, moderation=0.05), Progress(plan(), RUN))
    assert quick[len(quick) // 2].bottleneck == "validate"


def test_in_a_lane_all_stages_are_one_after_the_other() -> None:
    lane = replace(plan(), lane=Lane("run"), limits={}, processes=1, model="sequential")
    bare = tuple(replace(segment, limits=()) for segment in lane.segments)
    taken = snapshots(Recipe({"a": 40}), Progress(replace(lane, segments=bare), RUN))
    assert taken[len(taken) // 2].bottleneck == "moderate"


def test_a_resumed_run_knows_what_was_done_before() -> None:
    """The coordinator that takes over has folded the journal, but saw none of its events."""
    events = [event for _, event in MadeUp(RECIPE).events()]
    half = next(n for n, one in enumerate(events) if isinstance(one, e.GroupSettled)) + 1
    state = RunState()
    for event in events[:half]:
        evolve(state, event)
    progress = Progress(plan(), RUN)
    now = progress.snapshot(state, Pulse(expected=(29, 3), elapsed=0.1))
    assert now.settled > 0
    validate = now.stages[0]
    assert validate.done == 0
    assert validate.resolved >= now.settled
    for event in events[half:]:
        evolve(state, event)
        progress.recorded([event])
    end = progress.snapshot(state, Pulse(expected=(29, 3), elapsed=9.0))
    assert sum(end.images.values()) == end.received == 29
    assert end.stages[0].resolved == 29


def test_losses_are_gathered_by_reason_with_the_first_image() -> None:
    failing = {Subject(1, number): TRUNCATED for number in (3, 5, 7)}
    progress = Progress(plan(), RUN)
    snapshots(Recipe({"harbour": 10}, failing=failing), progress)
    (loss,) = progress.losses()
    assert (loss.state, loss.stage, loss.count) == (ImageState.SKIPPED, "validate", 3)
    assert (loss.first, loss.first_name) == (Subject(1, 3), "IMG_1003.jpg")


def test_whole_images_of_an_aborted_group_are_losses_too() -> None:
    recipe = Recipe({"harbour": 6}, failing={Subject(1, 2): TRUNCATED}, policy=ImageState.DEAD)
    progress = Progress(plan(), RUN)
    snapshots(recipe, progress)
    assert {loss.state: loss.count for loss in progress.losses()} == {
        ImageState.SKIPPED: 5,
        ImageState.DEAD: 1,
    }


def test_news_of_groups_come_once() -> None:
    progress = Progress(plan(), RUN)
    snapshots(RECIPE, progress)
    news, more = progress.take_news()
    assert [(one.name, one.state) for one in news] == [
        ("harbour", GroupState.PARTIAL),
        ("market day", GroupState.PUBLISHED),
        ("old town", GroupState.PUBLISHED),
    ]
    assert news[1].images == Counter({ImageState.PUBLISHED: 8, ImageState.SKIPPED: 1})
    assert more == 0
    assert progress.take_news() == ((), 0)


def test_what_is_remembered_does_not_grow_with_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rooms, "NEWS", 5)
    monkeypatch.setattr(rooms, "REASONS", 7)
    failing = {
        Subject(group, 1): ("validate", ErrorClass.INVALID, f"reason {group}", 1)
        for group in range(1, 60)
    }
    progress = Progress(plan(), RUN)
    snapshots(Recipe({f"g{n}": 2 for n in range(60)}, failing=failing), progress)
    assert (progress._names, progress._groups, progress._members) == ({}, {}, {})
    assert len(progress.losses()) == 8
    assert sum(loss.count for loss in progress.losses()) == 59
    news, more = progress.take_news()
    assert (len(news), more) == (5, 55)
    assert len(progress._samples) <= 13


def test_images_of_open_groups_are_counted_as_they_settled() -> None:
    state = RunState()
    events: list[e.Event] = [
        e.RunStarted("p", "d", "parallel", {}),
        e.GroupOpened(Subject(1), "g"),
        *(e.ImageReceived(Subject(1, n), n, f"{n}.jpg", f"/{n}.jpg", 1, 1) for n in range(1, 5)),
        e.ImageSettled(Subject(1, 1), ImageState.PROCESSING),
        e.ImageSettled(Subject(1, 2), ImageState.HELD, StageName("moderate"), "review"),
        e.TaskSucceeded(Subject(1, 3), StageName("validate"), 1, (), {}, None, "cpu-1", 0.0, 1.0),
    ]
    for event in events:
        evolve(state, event)
    assert image_counts(state) == {
        ImageState.RECEIVED: 1,
        ImageState.PROCESSING: 2,
        ImageState.HELD: 1,
    }
