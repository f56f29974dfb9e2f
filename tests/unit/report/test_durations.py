from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelane.report import durations
from imagelane.report.durations import Durations, Overlaps


@given(st.lists(st.floats(0, 1e5), min_size=1), st.floats(0.01, 1))
def test_few_durations_have_exact_quantiles(values: list[float], share: float) -> None:
    taken = Durations()
    for value in values:
        taken.add(value)
    found = taken.quantile(share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) - 1e-9
    assert sum(value < found for value in values) < share * len(values) + 1e-9
    assert taken.largest == max(values)


def test_no_durations_have_none() -> None:
    assert Durations().quantile(0.5) == 0


def test_many_durations_are_within_one_per_cent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durations, "KEPT", 1000)
    chance = random.Random(4)
    values = [chance.lognormvariate(-2, 1.5) for _ in range(20_000)]
    taken = Durations()
    for value in values:
        taken.add(value)
    assert not taken._kept
    assert len(taken._histogram) < 2000
    assert taken.count == len(values)
    assert taken.total == pytest.approx(sum(values))
    for share in (0.5, 0.95, 0.999):
        exact = sorted(values)[round(share * len(values)) - 1]
        assert taken.quantile(share) == pytest.approx(exact, rel=0.011)
    assert taken.quantile(1) == pytest.approx(max(values), rel=0.011)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), max_size=40))
def test_what_ran_at_once_is_counted_exactly(tasks: list[tuple[int, int]]) -> None:
    overlaps = Overlaps()
    for began, length in tasks:
        overlaps.add(float(began), float(began + length))
    together = [
        sum(began <= moment < began + length for began, length in tasks) for moment in range(80)
    ]
    assert overlaps.most() == max(together, default=0)


def test_one_after_the_other_is_not_at_once() -> None:
    overlaps = Overlaps()
    ends = 0.1
    for _ in range(1000):
        overlaps.add(ends, ends + 0.3 + 1e-9)
        ends += 0.3
    assert overlaps.most() == 1


def test_beyond_the_limit_the_first_ones_speak_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durations, "KEPT", 10)
    overlaps = Overlaps()
    for number in range(100):
        overlaps.add(number / 2, number / 2 + 1)
    assert overlaps.most() == 2
    assert len(overlaps._begun) == 10
