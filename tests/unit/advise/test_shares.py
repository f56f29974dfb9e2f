from __future__ import annotations

import math

import pytest

from imagelane.advise.shares import Shared


def two_cores(count: int) -> float:
    return min(1.0, 2 / count)


def test_as_many_as_there_are_cores_do_not_slow_each_other_down() -> None:
    cores: Shared[str] = Shared(two_cores)
    cores.add(0.0, 1.0, "a")
    cores.add(0.0, 2.0, "b")
    assert cores.due() == 1.0
    assert cores.pop(1.0) == "a"
    assert cores.due() == 2.0


def test_more_share_them_evenly() -> None:
    cores: Shared[str] = Shared(two_cores)
    for name in "abcd":
        cores.add(0.0, 1.0, name)
    assert cores.due() == pytest.approx(2.0)


def test_who_comes_later_slows_down_what_is_left() -> None:
    one: Shared[str] = Shared(lambda count: 1 / count)
    one.add(0.0, 2.0, "a")
    one.add(1.0, 0.5, "b")
    assert one.due() == pytest.approx(2.0)
    assert one.pop(2.0) == "b"
    assert one.due() == pytest.approx(2.5)
    assert one.pop(2.5) == "a"
    assert one.due() == math.inf


def test_work_is_conserved() -> None:
    cores: Shared[int] = Shared(two_cores)
    demands = [0.3, 1.2, 0.7, 2.0, 0.1, 0.9]
    ended: list[float] = []

    def pass_to(moment: float) -> None:
        while (due := cores.due()) <= moment:
            cores.pop(due)
            ended.append(due)

    for number, demand in enumerate(demands):
        pass_to(number * 0.2)
        cores.add(number * 0.2, demand, number)
    pass_to(100.0)
    assert cores.work == pytest.approx(sum(demands))
    assert ended == sorted(ended)
    assert ended[-1] >= sum(demands) / 2
