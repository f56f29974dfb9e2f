from __future__ import annotations

import pytest

from imagelane.execute.message import Opening, PlannedStage
from imagelane.execute.progress import Progress
from imagelane.execute.wire import MessageError
from imagelane.model.ids import StageName, Subject
from imagelane.model.outcome import Failure, Success
from imagelane.model.spec import Place
from imagelane.model.states import ErrorClass, Scope
from imagelane.model.work import Order, StageReport


def opening(**stages: tuple[tuple[str, ...], str | None]) -> Opening:
    """Stages by name, each with its needs and the stage whose picture it takes."""
    planned = [
        PlannedStage(
            name=StageName(name),
            uses="validate",
            scope=Scope.IMAGE,
            place=Place.PROCESS,
            parameters={},
            picture=None if picture is None else StageName(picture),
            reads_picture=True,
            materialise=False,
            timeout=None,
            needs=tuple(map(StageName, needs)),
        )
        for name, (needs, picture) in stages.items()
    ]
    return Opening({one.name: one for one in planned}, (), "/a", "/s", "/f")


def order(*names: str) -> Order:
    return Order(1, Subject(1, 1), 0, tuple(map(StageName, names)), (1,) * len(names))


def report(stage: str, *, failed: bool = False) -> StageReport:
    outcome = Failure(ErrorClass.INVALID, "broken") if failed else Success()
    return StageReport(1, StageName(stage), outcome, 1.0, 2.0)


def test_stages_run_one_after_the_other() -> None:
    progress = Progress(order("a", "b"), opening(a=((), None), b=(("a",), None)))
    running = [progress.stage]
    for name in ("a", "b"):
        progress.reported(report(name))
        running.append(progress.stage)
    assert running == ["a", "b", None]


def test_what_needs_a_failed_stage_is_passed_over() -> None:
    stages = opening(
        a=((), None),
        b=(("a",), None),
        c=(("b",), None),
        takes_picture=((), "a"),
        d=((), None),
    )
    progress = Progress(order("a", "b", "c", "takes_picture", "d"), stages)
    progress.reported(report("a", failed=True))
    assert progress.stage == "d"


def test_needs_outside_the_order_do_not_matter() -> None:
    progress = Progress(order("b"), opening(a=((), None), b=(("a",), None)))
    assert progress.stage == "b"


def test_an_order_without_stages_is_over() -> None:
    assert Progress(order(), opening()).stage is None


@pytest.mark.parametrize("reported", [["a", "a"], ["b", "a"], ["z"], ["a", "b", "b"]])
def test_a_report_out_of_turn_is_refused(reported: list[str]) -> None:
    progress = Progress(order("a", "b"), opening(a=((), None), b=((), None)))
    for name in reported[:-1]:
        progress.reported(report(name))
    with pytest.raises(MessageError, match=f"'{reported[-1]}' of order 1"):
        progress.reported(report(reported[-1]))


def test_an_order_ends_when_all_is_reported_or_a_failure_cut_it_short() -> None:
    progress = Progress(order("a", "b", "c"), opening(a=((), None), b=((), None), c=((), None)))
    may_end = [progress.may_end]
    for one in (report("a"), report("b", failed=True), report("c")):
        progress.reported(one)
        may_end.append(progress.may_end)
    assert may_end == [False, False, True, True]
