"""Profiles from recorded events of known times."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from imagelane.advise.observe import RunObserved, observe
from imagelane.advise.profiling import profile_of
from imagelane.model import events as e
from imagelane.model.ids import StageName, Subject
from imagelane.model.plan import LogicalPlan
from imagelane.model.profile import MemoryUse, Profile, Usage
from imagelane.model.spec import Place
from imagelane.model.states import ErrorClass
from imagelane.ports.journal import Recorded
from tests.unit.advise.made import computes, logical, waits

WALL = 1_800_000_000.0
WAIT = StageName("wait")
PLAN = logical(waits("wait"))


def usage(*, lacked: float = 0.0, speed: float = 1000.0) -> Usage:
    return Usage(
        coordinator=0.1,
        workers={"7": 3.0},
        lacked={Place.PROCESS: lacked, Place.THREAD: lacked},
        memory=MemoryUse(40 << 20, 20 << 20, 30 << 20, 80 << 20, 16 << 20),
        together=140 << 20,
        speed=speed,
    )


def history(
    at_once: int,
    seconds: float,
    *,
    images: int = 24,
    cpu: float = 0.0,
    stage: StageName = WAIT,
    worker: str = "t1-7",
    failing: int = 0,
) -> Iterator[Recorded]:
    """So many at once, in rounds; recorded 2 ms after they are over, and going on 3 ms later."""
    index = 0

    def recorded(at: float, event: e.Event) -> Recorded:
        nonlocal index
        index += 1
        return Recorded(index, WALL + at, event)

    yield recorded(0.0, e.GroupOpened(Subject(1), "g"))
    for number in range(images):
        name = f"{number}.jpg"
        received = e.ImageReceived(
            Subject(1, number + 1), number, name, f"/p/{name}", 1_000_000 + number, 0
        )
        yield recorded(0.0, received)
    yield recorded(0.0, e.GroupClosed(Subject(1), images, WALL))
    now = 0.003
    for first in range(0, images, at_once):
        for number in range(first, min(images, first + at_once)):
            subject, common = Subject(1, number + 1), (worker, now, now + seconds, cpu, 1000)
            if number < failing:
                failed = e.TaskFailed(
                    subject, stage, 1, ErrorClass.TRANSIENT, "no", "", 1.0, *common
                )
                yield recorded(now + seconds + 0.002, failed)
            done = e.TaskSucceeded(subject, stage, 1, (), {}, None, *common)
            yield recorded(now + seconds + 0.002, done)
        now += seconds + 0.005
    yield recorded(now, e.SourceExhausted(1, images))


def measured(*runs: RunObserved, plan: LogicalPlan = PLAN) -> Profile:
    return profile_of(list(runs), plan, cores=2, taken=WALL, origin="a sample")


def test_what_waits_is_told_from_what_computes() -> None:
    found = measured(observe(history(1, 0.1, cpu=0.03), PLAN, 1, usage()))
    stage = found.stage("wait")
    assert stage.alone == pytest.approx(0.1)
    assert stage.cpu == pytest.approx(0.03)
    assert stage.waits == pytest.approx(0.07)
    assert stage.attempts == 24
    assert len(found.images) == 24
    assert {one.size for one in found.images} == {1_000_000.0 + n for n in range(24)}


def test_want_of_a_core_is_no_waiting() -> None:
    found = measured(observe(history(1, 0.1, cpu=0.04), PLAN, 1, usage(lacked=0.5)))
    assert found.stage("wait").waits == pytest.approx(0.04)
    assert found.stage("wait").lacked == pytest.approx(0.2)


def test_a_stage_that_takes_the_same_in_company_does_not_contend() -> None:
    runs = [observe(history(n, 0.1), PLAN, n, usage()) for n in (1, 2, 4)]
    scaling = measured(*runs).stage("wait").scaling
    assert scaling.slowdown(16) == 1
    assert scaling.measured_to == pytest.approx(4, rel=0.01)


def test_a_stage_behind_a_lock_is_found() -> None:
    runs = [observe(history(n, 0.1 * n), PLAN, n, usage()) for n in (1, 2, 4)]
    scaling = measured(*runs).stage("wait").scaling
    assert scaling.contention == pytest.approx(1.0, abs=0.02)
    assert measured(*runs).stage("wait").alone == pytest.approx(0.1)


def test_a_machine_that_became_slower_is_no_contention() -> None:
    """Computing is told at one speed, whatever the machine's was at that moment."""
    plan = logical(computes("shrink"))
    shrink = StageName("shrink")
    fast = observe(history(1, 0.1, cpu=0.1, stage=shrink, worker="p1-7"), plan, 1, usage())
    slow = observe(history(2, 0.2, cpu=0.2, stage=shrink, worker="p1-7"), plan, 2, usage(speed=500))
    found = measured(fast, slow, plan=plan)
    assert found.busy.slowdown(2) == 1
    assert found.drift > 0.3


def test_cores_that_slow_each_other_down_are_found() -> None:
    plan = logical(computes("shrink"))
    shrink = StageName("shrink")
    runs = [
        observe(
            history(n, 0.1 * slower, cpu=0.1 * slower, stage=shrink, worker="p1-7"),
            plan,
            n,
            usage(),
        )
        for n, slower in ((1, 1.0), (2, 1.4))
    ]
    assert measured(*runs, plan=plan).busy.slowdown(2) == pytest.approx(1.4, abs=0.05)


def test_failures_are_counted_and_kept() -> None:
    found = measured(observe(history(1, 0.1, failing=6), PLAN, 1, usage()))
    assert found.stage("wait").failure_rate == pytest.approx(6 / 30)
    tries = [one.efforts[WAIT] for one in found.images]
    assert sum(len(one) == 2 and one[0].error is ErrorClass.TRANSIENT for one in tries) == 6


def test_what_the_disk_takes_is_found_between_the_end_and_the_next_start() -> None:
    found = measured(observe(history(1, 0.1), PLAN, 1, usage()))
    assert found.costs.commit == pytest.approx(0.005, abs=0.0005)


def test_a_journal_alone_says_what_it_lacks() -> None:
    found = measured(observe(history(4, 0.1), PLAN))
    assert found.memory is None
    assert "memory was not measured" in found.doubts
    assert any("nothing was measured alone" in doubt for doubt in found.doubts)
    assert found.stage("wait").alone == pytest.approx(0.1)


def test_a_run_without_attempts_is_no_profile() -> None:
    with pytest.raises(ValueError, match="no attempt"):
        measured(observe([], PLAN))
