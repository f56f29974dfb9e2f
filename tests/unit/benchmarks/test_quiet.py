"""How busy the machine is with what is not ours."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from benchmarks import quiet

STAT = "cpu  100 20 30 4000 500 6 7 80 0 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n"


def test_all_but_idleness_and_waiting_for_disks_is_work() -> None:
    ticks = 100 + 20 + 30 + 6 + 7 + 80
    assert quiet.busy(STAT) == pytest.approx(ticks / os.sysconf("SC_CLK_TCK"))


def test_what_is_ours_does_not_disturb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet, "cores", lambda: 2)
    assert quiet.others(3.0, 2.0, 1.0) == pytest.approx(0.5)
    assert quiet.others(1.9, 2.0, 1.0) == 0.0


def readings(*loads: float) -> Iterator[float]:
    """Readings of processor time, two for each second of a load."""
    for load in loads:
        yield 0.0
        yield load


def test_it_waits_until_the_machine_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet, "cores", lambda: 2)
    found = readings(2.0, 1.0, 0.02, 2.0)
    share = quiet.wait_until_quiet(60, reading=lambda: next(found), sleep=lambda _: None)
    assert share == pytest.approx(0.01)
    assert next(found) == 0.0, "it looked on after the machine was quiet"


def test_it_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet, "cores", lambda: 2)
    found = readings(2.0, 2.0, 2.0, 0.0)
    share = quiet.wait_until_quiet(3, reading=lambda: next(found), sleep=lambda _: None)
    assert share == 1.0


def test_the_results_say_whether_it_was_quiet() -> None:
    assert quiet.described([0.01, 0.02, 0.03]).endswith("(median; at most 3%): quiet")
    assert "disturbed" in quiet.described([0.01, 0.02, 0.6])
