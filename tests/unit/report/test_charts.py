from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelane.model.ids import StageName
from imagelane.report.charts import SPAN, THINNEST, bars, strips, ticks
from imagelane.report.view import Entry, WorkerView

ONE, TWO = StageName("one"), StageName("two")
COLOURS = {ONE: 0, TWO: 1}


@given(st.floats(1e-3, 1e7))
def test_ticks_are_few_and_evenly_spaced(length: float) -> None:
    marks = ticks(length)
    assert 2 <= len(marks) <= 8
    shares = [mark.share for mark in marks]
    assert shares[0] == 0
    assert shares[-1] <= 100 + 1e-6
    gaps = [after - before for before, after in pairwise(shares)]
    assert max(gaps) == pytest.approx(min(gaps))
    assert len({mark.label for mark in marks}) == len(marks)


@pytest.mark.parametrize(
    ("length", "labels"),
    [
        (0, []),
        (0.5, ["0", "0.1 s", "0.2 s", "0.3 s", "0.4 s", "0.5 s"]),
        (10.7, ["0", "2 s", "4 s", "6 s", "8 s", "10 s"]),
        (100, ["0", "20 s", "40 s", "1:00", "1:20", "1:40"]),
        (4000, ["0", "15:00", "30:00", "45:00", "1:00:00"]),
    ],
)
def test_ticks_are_round(length: float, labels: list[str]) -> None:
    assert [mark.label for mark in ticks(length)] == labels


def entry(stage: StageName, began: float, seconds: float, ending: str = "done") -> Entry:
    return Entry(stage, ending, 0.0, 1, began, seconds)  # type: ignore[arg-type]


def test_tasks_side_by_side_do_not_hide_each_other() -> None:
    drawn, height = bars(
        [entry(ONE, 0, 1), entry(TWO, 0.5, 2), entry(ONE, 1, 1), entry(TWO, 9, 1)], 10, COLOURS
    )
    assert [(bar.x, bar.y, bar.width) for bar in drawn] == [
        (0, 0, 1000),
        (500, 1, 2000),
        (1000, 0, 1000),
        (9000, 0, 1000),
    ]
    assert height == 12


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), max_size=20), st.floats(0, 120))
def test_bars_stay_on_the_axis_and_are_seen(
    tasks: list[tuple[float, float]], length: float
) -> None:
    drawn, _ = bars([entry(ONE, *task) for task in tasks], length, COLOURS)
    assert len(drawn) == len(tasks)
    for bar in drawn:
        assert 0 <= bar.x <= SPAN - THINNEST
        assert THINNEST <= bar.width <= SPAN - bar.x


def test_what_was_skipped_takes_no_time() -> None:
    assert bars([entry(ONE, 0, 0, "skipped")], 10, COLOURS) == ((), 6)


def test_a_bar_says_what_it_is() -> None:
    (bar,), _ = bars([Entry(ONE, "retried", 0.0, 2, 1.0, 0.25, worker="cpu-1")], 10, COLOURS)
    assert bar.ending == "retried"
    assert bar.title == "one, attempt 2, None: 250 ms from 1.00 s, cpu-1"


def test_columns_are_stacked_and_never_higher_than_full() -> None:
    worker = WorkerView("cpu-1", 5.0, {ONE: (0.5, 0.5, 0.0, 1.2), TWO: (0.5, 0.5, 0.25, 1.0)})
    (strip,) = strips([worker], 1.0, COLOURS)
    assert dict(strip.paths) == {
        0: "M0 50h2v50h-2zM3 0h1v100h-1z",
        1: "M0 0h2v50h-2zM2 75h1v25h-1z",
    }
    assert re.fullmatch(r"5\.00 s", strip.busy)
