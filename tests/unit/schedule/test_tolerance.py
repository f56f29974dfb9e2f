"""How much loss is tolerated."""

from __future__ import annotations

import pytest

from imagelane.model import events as e
from imagelane.model.policy import Tolerance
from imagelane.model.run import GroupRecord, RunState, evolve
from imagelane.model.states import ImageState, RunStatus
from imagelane.schedule.tolerance import group_loss, run_loss


def group(size: int | None, **settled: int) -> GroupRecord:
    record = GroupRecord(name="g", received=size or 5, size=size)
    record.settled.update({ImageState(state): count for state, count in settled.items()})
    return record


@pytest.mark.parametrize(
    ("settled", "tolerated"),
    [
        ({"skipped": 1}, True),
        ({"skipped": 2}, True),
        ({"skipped": 3}, False),
        ({"skipped": 2, "dead": 1}, False),
        ({"rejected": 9}, True),
        ({"partial": 9, "held": 1}, True),
    ],
)
def test_a_group_past_its_share_is_not_tolerated(settled: dict[str, int], tolerated: bool) -> None:
    loss = group_loss(Tolerance(group=0.1), group(20, **settled))
    assert (loss is None) == tolerated
    assert loss is None or loss.startswith("more than 10% of its 20 images")


def test_nothing_is_decided_before_the_whole_is_known() -> None:
    assert group_loss(Tolerance(group=0.0), group(None, skipped=5)) is None
    state = RunState(received=5, groups={1: group(None, skipped=5)})
    assert run_loss(Tolerance(run=0.0), state, 0) is None
    assert run_loss(Tolerance(run=0.0), state, 10) is not None


def test_a_run_counts_groups_that_are_over_and_under_way() -> None:
    state = RunState(lost=2, groups={7: group(4, skipped=1), 8: group(4)})
    assert run_loss(Tolerance(run=0.05), state, 60) is None
    assert run_loss(Tolerance(run=0.05), state, 59) is not None


def test_who_takes_up_a_run_that_failed_accepts_its_losses() -> None:
    state = RunState(received=10, lost=5, exhausted=True)
    evolve(state, e.RunSettled(RunStatus.FAILED, "too much is lost"))
    evolve(state, e.RunResumed("parallel"))
    assert run_loss(Tolerance(run=0.1), state, 10) is None
    crashed = RunState(received=10, lost=5, exhausted=True)
    evolve(crashed, e.RunResumed("parallel"))
    assert run_loss(Tolerance(run=0.1), crashed, 10) is not None


def test_without_a_tolerance_everything_may_be_lost() -> None:
    assert group_loss(Tolerance(), group(4, skipped=4)) is None
    assert run_loss(Tolerance(), RunState(lost=100), 100) is None
