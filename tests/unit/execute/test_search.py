"""The search for a quality: where it ends, and after how many tries."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelane.execute.search import HIGHEST, LOWEST, bounded, of_score, of_size, search


def counted(curve: Callable[[int], float]) -> tuple[Callable[[int], float], list[int]]:
    asked: list[int] = []

    def measure(quality: int) -> float:
        asked.append(quality)
        return curve(quality)

    return measure, asked


@given(
    steps=st.lists(st.floats(0, 9), min_size=HIGHEST, max_size=HIGHEST),
    wanted=st.floats(1, 100),
    begin=st.integers(LOWEST, HIGHEST),
)
def test_any_rising_curve_is_searched_to_its_end(
    steps: list[float], wanted: float, begin: int
) -> None:
    def curve(quality: int) -> float:
        return sum(steps[:quality]) - 100

    measure, asked = counted(curve)
    low, high = search(measure, of_score(wanted), begin)
    assert len(set(asked)) == len(asked)
    if low == high:
        assert wanted <= curve(low) < wanted + 1
        return
    assert high - low == 1
    assert low < LOWEST or curve(low) < wanted
    assert high > HIGHEST or curve(high) >= wanted


@pytest.mark.parametrize("wanted", [60, 65, 70, 75, 82, 90])
@pytest.mark.parametrize("lift", [-15, -5, 0, 5])
def test_a_curve_as_photographs_have_it_takes_few_tries(wanted: float, lift: float) -> None:
    measure, asked = counted(lambda q: lift + 30 + 7 * math.sqrt(q) * (1 + (q / 140) ** 3))
    search(measure, of_score(wanted), bounded(75 + (wanted - 76) / 0.6))
    assert len(asked) <= 6


@pytest.mark.parametrize("most", [15_000, 30_000, 60_000, 100_000])
@pytest.mark.parametrize("scale", [5_000, 9_000, 14_000])
def test_a_size_takes_few_tries(most: int, scale: int) -> None:
    def size(quality: int) -> float:
        return math.log(scale * math.exp(0.01 * quality + (quality / 80) ** 4 / 2))

    measure, asked = counted(size)
    low, high = search(measure, of_size(most), 80)
    assert len(asked) <= 7
    assert math.exp(size(low)) <= most
    assert low == high or high > HIGHEST or math.exp(size(high)) > most


def test_what_is_known_is_not_asked_again() -> None:
    measure, asked = counted(float)
    known = {60: 60.0, 90: 90.0}
    assert search(measure, of_score(75.2), 60, known) == (76, 76)
    assert asked == [76]
    assert search(measure, of_score(60), 80, known) == (60, 60)
    assert asked == [76]


def test_what_cannot_be_reached_is_said_after_the_end_was_tried() -> None:
    measure, asked = counted(lambda _: 10.0)
    assert search(measure, of_score(75), 75) == (HIGHEST, HIGHEST + 1)
    assert HIGHEST in asked
    measure, asked = counted(lambda _: 99.0)
    assert search(measure, of_score(75), 75) == (LOWEST - 1, LOWEST)
    assert LOWEST in asked
