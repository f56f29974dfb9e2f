"""What is kept back from the scheduler, and when it is tried again."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from imagelane.model.ids import Digest, StageName
from imagelane.model.obstacle import Obstacle, ObstacleKind
from imagelane.model.outcome import Failure, Outcome, Rendition, Success
from imagelane.model.states import ErrorClass
from imagelane.model.work import OrderDone, Report, StageReport
from imagelane.schedule.obstacles import (
    FIRST_PATIENCE,
    MOST_REMAKES,
    SPARE,
    GiveBack,
    Obstacles,
    Remake,
)

FULL = Obstacle(ObstacleKind.FULL, "/photos", 1000)
DAMAGED = Obstacle(ObstacleKind.DAMAGED, "d1g357")
Free = Callable[[str], int]


def plenty(_: str) -> int:
    return 1000 + SPARE


def too_little(_: str) -> int:
    return 999 + SPARE


def failed(obstacle: Obstacle | None, order: int = 1) -> StageReport:
    failure = Failure(ErrorClass.TRANSIENT, "it failed", obstacle=obstacle)
    return report(failure, order)


def report(outcome: Outcome, order: int = 1) -> StageReport:
    return StageReport(order, StageName("store"), outcome, 0.0, 1.0)


def made(order: int, digest: str = DAMAGED.where) -> StageReport:
    return report(Success((Rendition("40", Digest(digest), 1, "jpeg"),)), order)


def take(obstacles: Obstacles, *reports: Report, now: float = 0.0) -> list[object]:
    return [said for one in reports for said in obstacles.take(one, now)]


def test_what_met_nothing_is_passed_on() -> None:
    obstacles = Obstacles()
    reports: list[Report] = [failed(None), report(Success()), OrderDone(1)]
    assert take(obstacles, *reports) == reports
    assert obstacles.full() == []


def test_an_order_that_met_a_full_disk_comes_back_without_a_failure() -> None:
    obstacles = Obstacles()
    other = report(Success())
    assert take(obstacles, failed(FULL), other, OrderDone(1)) == [other, GiveBack(1)]
    assert obstacles.full() == [FULL]
    assert take(obstacles, OrderDone(1)) == [OrderDone(1)], "once it came back it is forgotten"


@pytest.mark.parametrize(("free", "left"), [(plenty, []), (too_little, [FULL])])
def test_it_goes_on_when_there_is_room_for_what_is_needed(free: Free, left: list[Obstacle]) -> None:
    obstacles = Obstacles()
    obstacles.met(FULL, 0.0)
    obstacles.look(0.1, plenty)
    assert obstacles.full() == [FULL], "the disk is not looked at all the time"
    obstacles.look(1.0, free)
    assert obstacles.full() == left


def test_the_largest_need_of_a_disk_counts() -> None:
    obstacles = Obstacles()
    larger = Obstacle(ObstacleKind.FULL, FULL.where, 2000)
    for one in (FULL, larger, FULL):
        obstacles.met(one, 0.0)
    assert obstacles.full() == [larger]


def test_a_quota_that_the_disk_knows_nothing_of_is_tried_ever_more_seldom() -> None:
    obstacles = Obstacles()
    now = 0.0
    tries: list[float] = []
    obstacles.met(FULL, now)
    while len(tries) < 6:
        now += 0.5
        obstacles.look(now, too_little if not tries else plenty)
        if not obstacles.full():
            tries.append(now)
            obstacles.met(FULL, now)
    waits = [later - before for before, later in pairwise(tries)]
    assert tries[0] == FIRST_PATIENCE
    assert waits == [10.0, 20.0, 40.0, 60.0, 60.0]


def test_what_was_damaged_is_made_again_before_the_order_comes_back() -> None:
    obstacles = Obstacles()
    (remake,) = take(obstacles, failed(DAMAGED), OrderDone(1))
    assert isinstance(remake, Remake)
    assert (remake.digest, remake.wanted_by) == (DAMAGED.where, 1)
    assert take(obstacles, made(remake.order), OrderDone(remake.order)) == [GiveBack(1)]


def test_what_cannot_be_made_again_fails_in_the_end() -> None:
    obstacles = Obstacles()
    failure = failed(DAMAGED)
    for attempt in range(1, MOST_REMAKES + 1):
        (remake,) = take(obstacles, failure, OrderDone(1))
        assert isinstance(remake, Remake)
        said = take(obstacles, made(remake.order, "0th3r"), OrderDone(remake.order))
        last = attempt == MOST_REMAKES
        assert said == ([failure, OrderDone(1)] if last else [GiveBack(1)])
    assert take(obstacles, failure, OrderDone(1)) == [failure, OrderDone(1)]


def test_what_is_damaged_again_whenever_it_is_made_fails_in_the_end() -> None:
    obstacles = Obstacles()
    failure = failed(DAMAGED)
    for _ in range(MOST_REMAKES):
        (remake,) = take(obstacles, failure, OrderDone(1))
        assert isinstance(remake, Remake)
        assert take(obstacles, made(remake.order), OrderDone(remake.order)) == [GiveBack(1)]
    assert take(obstacles, failure, OrderDone(1)) == [failure, OrderDone(1)]


def test_what_nobody_made_fails_at_once() -> None:
    obstacles = Obstacles()
    failure = failed(DAMAGED)
    (remake,) = take(obstacles, failure, OrderDone(1))
    assert isinstance(remake, Remake)
    assert list(obstacles.hopeless(remake)) == [failure, OrderDone(1)]


def test_what_it_is_made_from_is_made_again_first() -> None:
    obstacles = Obstacles()
    deeper = Obstacle(ObstacleKind.DAMAGED, "d33p3r")
    (first,) = take(obstacles, failed(DAMAGED), OrderDone(1))
    assert isinstance(first, Remake)
    (second,) = take(obstacles, failed(deeper, first.order), OrderDone(first.order))
    assert isinstance(second, Remake)
    assert second.digest == deeper.where
    done = take(obstacles, made(second.order, deeper.where), OrderDone(second.order))
    assert done == [GiveBack(1)]


def test_a_disk_that_is_full_meanwhile_is_no_failure_of_making_it_again() -> None:
    obstacles = Obstacles()
    for _ in range(2 * MOST_REMAKES):
        (remake,) = take(obstacles, failed(DAMAGED), OrderDone(1))
        assert isinstance(remake, Remake)
        said = take(obstacles, failed(FULL, remake.order), OrderDone(remake.order))
        assert said == [GiveBack(1)]
        assert obstacles.full() == [FULL]
