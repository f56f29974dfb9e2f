"""What was measured, held beside what was to be reached."""

from __future__ import annotations

import pytest

from benchmarks.targets import UNCLEAR, Target


@pytest.mark.parametrize(
    ("measured", "said"),
    [
        (1.31, "1.31 ×, met"),
        (1.25, "1.25 ×, met"),
        (1.0, "1.00 ×, falls short by 20 %"),
    ],
)
def test_a_least_is_met_or_falls_short(measured: float, said: str) -> None:
    assert Target("as fast", "at least", 1.25, "×").verdict(measured) == said


@pytest.mark.parametrize(
    ("measured", "said"),
    [(200.0, "200 µs, met"), (250.0, "250 µs, met"), (300.0, "300 µs, exceeded by 20 %")],
)
def test_a_most_is_met_or_exceeded(measured: float, said: str) -> None:
    assert Target("a task", "at most", 250, "µs").verdict(measured) == said


def test_what_cannot_be_told_is_neither_met_nor_missed() -> None:
    assert Target("as fast", "at least", 1.25, "×").verdict(None) == UNCLEAR


def test_a_target_says_its_bound() -> None:
    assert Target("tasks", "at least", 5000, "a second").text == "at least 5,000 a second"
