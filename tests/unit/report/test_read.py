from __future__ import annotations

import tracemalloc
from collections import Counter
from dataclasses import replace
from pathlib import Path
from statistics import median

import pytest

from imagelane.model import events as e
from imagelane.model.ids import StageName, Subject
from imagelane.model.states import ErrorClass, GroupState, ImageState, RunStatus, Scope
from imagelane.report.outline import read_outline
from imagelane.report.read import EVERYTHING, Limits, read_run
from imagelane.testing.journals import MemoryJournal
from tests.unit.report.made_up import RUN, MadeUp, Recipe, record

TRUNCATED = ("validate", ErrorClass.INVALID, "the file ends after 81,920 bytes", 1)
BUSY = ("moderate", ErrorClass.TRANSIENT, "HTTP 503 from the service", 3)
RECIPE = Recipe(
    {"harbour": 12, "market day": 9, "old town": 8},
    failing={Subject(2, 4): TRUNCATED, Subject(3, 3): BUSY, Subject(3, 4): TRUNCATED},
    rejected=frozenset({Subject(1, 11)}),
)


def test_made_up_runs_are_such_as_could_be(tmp_path: Path) -> None:
    """Every event of the fixture can be folded, and the fold agrees with the journal."""
    from imagelane.model.run import RunState, evolve

    state = RunState()
    for _, event in MadeUp(RECIPE).events():
        evolve(state, event)
    journal, row = record(RECIPE, tmp_path)
    assert +state.image_counts == Counter(journal.image_counts(row.run))
    assert not state.images


def test_counts_add_up(tmp_path: Path) -> None:
    journal, row = record(RECIPE, tmp_path)
    view = read_run(journal, row)
    assert view.images == {
        ImageState.PUBLISHED: 25,
        ImageState.SKIPPED: 3,
        ImageState.REJECTED: 1,
    }
    assert sum(view.images.values()) == view.received == 29
    by_group = Counter[ImageState]()
    for group in view.group_rows:
        by_group.update(group.images)
    assert by_group == Counter(view.images)
    assert sum(loss.count for loss in view.losses) == 4
    assert view.expected == (29, 3)
    assert view.groups == {GroupState.PUBLISHED: 2, GroupState.PARTIAL: 1}
    assert view.settled == 29


def test_statistics_are_those_of_all_tasks(tmp_path: Path) -> None:
    journal, row = record(RECIPE, tmp_path)
    view = read_run(journal, row, Limits(histories=1, groups=1, pictures=0))
    events = [event for _, event in MadeUp(RECIPE).events()]
    for stage in view.stages:
        tried = [
            one
            for one in events
            if isinstance(one, e.TaskSucceeded | e.TaskFailed) and one.stage == stage.name
        ]
        taken = [one.finished - one.started for one in tried]
        assert stage.attempts == len(tried)
        assert stage.total == pytest.approx(sum(taken))
        assert stage.cpu == pytest.approx(sum(one.cpu for one in tried))
        assert stage.longest == pytest.approx(max(taken))
        assert stage.median == pytest.approx(median(taken), rel=0.2)
        assert stage.done == sum(isinstance(one, e.TaskSucceeded) for one in tried)
        assert stage.at_once == max(
            sum(other.started <= one.started < other.finished - 1e-6 for other in tried)
            for one in tried
        )
    stages = {stage.name: stage for stage in view.stages}
    assert list(stages)[:3] == ["validate", "metadata", "thumbnails"]
    assert (stages[StageName("validate")].failed, stages[StageName("moderate")].failed) == (2, 1)
    assert stages[StageName("moderate")].retried == 2
    assert stages[StageName("store")].skipped == 3
    assert stages[StageName("publish")].scope is Scope.GROUP
    assert view.tasks_failed == 3


def test_equal_failures_are_one_line_with_examples(tmp_path: Path) -> None:
    journal, row = record(RECIPE, tmp_path)
    first, second = read_run(journal, row).failures
    assert (first.stage, first.error, first.count) == ("validate", ErrorClass.INVALID, 2)
    assert first.examples == ((Subject(2, 4), "IMG_2004.jpg"), (Subject(3, 4), "IMG_3004.jpg"))
    assert (second.stage, second.attempts) == ("moderate", 3)


def test_a_reason_that_names_its_own_file_is_one_reason(tmp_path: Path) -> None:
    failing = {
        Subject(1, number): (
            "validate",
            ErrorClass.INVALID,
            f"/photos/1/IMG_100{number}.jpg is empty",
            1,
        )
        for number in (1, 2, 3)
    }
    journal, row = record(Recipe({"harbour": 5}, failing=failing), tmp_path)
    (failure,) = read_run(journal, row).failures
    assert (failure.count, failure.message) == (3, "[file] is empty")


def test_endless_reasons_are_bounded_and_still_counted(tmp_path: Path) -> None:
    failing = {
        Subject(1, number): ("validate", ErrorClass.INVALID, f"reason {number}", 1)
        for number in range(1, 101)
    }
    journal, row = record(Recipe({"harbour": 100}, failing=failing), tmp_path)
    view = read_run(journal, row, Limits(reasons=10, examples=3))
    assert len(view.failures) == 11
    assert sum(failure.count for failure in view.failures) == 100
    assert view.failures[0].message == "other reasons"
    assert len(view.failures[0].examples) == 3
    assert sum(loss.count for loss in view.losses) == 100


def test_an_empty_run(tmp_path: Path) -> None:
    journal, row = record(Recipe({}), tmp_path)
    view = read_run(journal, row)
    assert (view.received, view.images, view.stages, view.bottleneck) == (0, {}, (), None)


def test_a_run_of_which_nothing_is_recorded_yet() -> None:
    journal = MemoryJournal(clock=lambda: 7.0)
    journal.create(RUN, {}, "tests")
    view = read_run(journal, journal.runs()[0])
    assert (view.received, view.elapsed, view.started) == (0, 0.0, 7.0)


def test_a_run_with_everything_failed(tmp_path: Path) -> None:
    failing = {Subject(1, number): TRUNCATED for number in range(1, 31)}
    journal, row = record(Recipe({"harbour": 30}, failing=failing), tmp_path)
    view = read_run(journal, row)
    assert view.images == {ImageState.SKIPPED: 30}
    (loss,) = view.losses
    assert (loss.count, len(loss.examples)) == (30, 25)
    assert len(read_run(journal, row, EVERYTHING).losses[0].examples) == 30


def test_images_of_an_aborted_group_say_why(tmp_path: Path) -> None:
    recipe = Recipe({"harbour": 6}, failing={Subject(1, 2): TRUNCATED}, policy=ImageState.DEAD)
    journal, row = record(recipe, tmp_path)
    view = read_run(journal, row)
    assert view.images == {ImageState.SKIPPED: 5, ImageState.DEAD: 1}
    reasons = {loss.reason: loss.count for loss in view.losses}
    assert reasons["its group was aborted: 1 of its images failed for good"] == 5
    assert view.group_rows[0].cards == ()


def test_a_run_that_is_still_going_on(tmp_path: Path) -> None:
    journal, row = record(replace(RECIPE, finish=False), tmp_path)
    assert row.status is RunStatus.RUNNING
    assert read_run(journal, row).received == 29


def test_a_task_that_was_taken_up_again_counts_as_it_stands_now() -> None:
    """As after a redrive: failed for good first, done later."""
    journal = MemoryJournal()
    claimed = journal.create(RUN, {}, "tests")
    subject, one, two = Subject(1, 1), StageName("one"), StageName("two")
    journal.append(
        claimed,
        [
            (1.0, e.RunStarted("p", "d", "parallel", {})),
            (1.0, e.GroupOpened(Subject(1), "g")),
            (1.0, e.ImageReceived(subject, 0, "a.jpg", "/a.jpg", 1, 1)),
            (2.0, e.TaskFailed(subject, one, 1, ErrorClass.BUG, "no", "", None, "w", 0.0, 1.0)),
            (2.0, e.TaskSkipped(subject, two, "one is missing")),
            (3.0, e.RunResumed("parallel")),
            (4.0, e.TaskSucceeded(subject, one, 2, (), {}, None, "w", 2.0, 3.0)),
            (5.0, e.TaskSucceeded(subject, two, 1, (), {}, None, "w", 3.0, 4.0)),
            (5.0, e.ImageSettled(subject, ImageState.PROCESSING)),
        ],
    )
    view = read_run(journal, journal.runs()[0])
    assert [(stage.done, stage.failed, stage.skipped) for stage in view.stages] == [
        (1, 0, 0),
        (1, 0, 0),
    ]
    assert view.failures == ()
    assert view.stages[0].attempts == 2


def test_the_bottleneck_is_the_limit_that_was_always_taken(tmp_path: Path) -> None:
    journal, row = record(Recipe({"a": 60}, moderation=1.5, moderators=3), tmp_path)
    found = read_run(journal, row).bottleneck
    assert found is not None
    assert (found.stage, found.places) == ("moderate", 3)
    assert found.share > 0.85


def test_the_bottleneck_is_the_largest_stage_of_workers_that_were_never_idle(
    tmp_path: Path,
) -> None:
    recipe = Recipe({"a": 60}, moderation=0.05, moderators=5, workers=1)
    journal, row = record(recipe, tmp_path)
    found = read_run(journal, row).bottleneck
    assert found is not None
    assert (found.stage, found.places, found.alone) == ("validate", 1, False)
    assert 0.3 < found.part < 0.6
    assert found.share > 0.85


@pytest.mark.slow
def test_five_thousand_images_are_read_in_bounded_memory(tmp_path: Path) -> None:
    def peak(images: int, folder: Path) -> int:
        folder.mkdir()
        journal, row = record(Recipe({f"g{n}": 50 for n in range(images // 50)}), folder)
        tracemalloc.start()
        view = read_run(journal, row)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert sum(view.images.values()) == images
        assert sum(stage.done for stage in view.stages[:6]) == 6 * images
        assert len([one for one in view.histories if one.subject.ordinal]) <= 200
        assert view.every == -(-images // 200)
        return most

    assert peak(5000, tmp_path / "many") < 1.6 * peak(1000, tmp_path / "few")


@pytest.mark.parametrize("recipe", [RECIPE, replace(RECIPE, policy=ImageState.DEAD)])
def test_an_outline_says_the_same_without_reading_events(recipe: Recipe, tmp_path: Path) -> None:
    journal, row = record(recipe, tmp_path)
    whole, outline = read_run(journal, row), read_outline(journal, row, Limits())
    assert outline.images == whole.images
    assert outline.groups == whole.groups
    assert outline.losses == whole.losses
    assert outline.elapsed == whole.elapsed
    assert [(one.name, dict(one.images)) for one in outline.group_rows] == [
        (one.name, dict(one.images)) for one in whole.group_rows
    ]
    assert (outline.stages, outline.failures) == ((), ())


def test_an_outline_lists_no_more_groups_than_it_should(tmp_path: Path) -> None:
    recipe = Recipe(
        {f"g{n}": 1 for n in range(40)},
        failing={Subject(39, 1): TRUNCATED},
        policy=ImageState.DEAD,
    )
    journal, row = record(recipe, tmp_path)
    outline = read_outline(journal, row, Limits(groups=5))
    assert [group.group for group in outline.group_rows] == [1, 2, 3, 4, 5, 39]
    assert outline.groups_left == 34
    assert sum(outline.groups.values()) == 40


def test_groups_in_trouble_are_listed_however_late_they_come(tmp_path: Path) -> None:
    recipe = Recipe(
        {f"g{n}": 1 for n in range(40)},
        failing={Subject(39, 1): TRUNCATED},
        policy=ImageState.DEAD,
    )
    journal, row = record(recipe, tmp_path)
    view = read_run(journal, row, Limits(groups=5))
    assert [group.group for group in view.group_rows] == [1, 2, 3, 4, 5, 39]
    assert view.groups_left == 34
