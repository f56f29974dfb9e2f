"""Commands measured as processes, and what is made of their times."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.measure import BenchmarkError, Contender, Sample, alternate, rate, ratio, run
from benchmarks.processes import children


def sample(wall: float, cpu: float = 1.0) -> Sample:
    return Sample(wall, cpu, 0)


def test_start_up_is_taken_out_of_a_rate() -> None:
    """A second to start, then a hundred a second."""
    found = rate([sample(2.0, 1.5)], [sample(1.02, 0.52)], 100, 2)
    assert found.whole == [50.0]
    assert found.speed == pytest.approx(100.0)
    assert found.cpu == pytest.approx(0.01)
    assert found.startup == 1.02


def test_what_drowns_in_its_start_up_has_no_rate() -> None:
    found = rate([sample(1.05)], [sample(1.0, 0.9)], 100, 2)
    assert found.speed is None
    assert found.cpu is None
    assert found.whole == [100 / 1.05]


def test_ratios_are_taken_within_rounds() -> None:
    """The machine was twice as slow in the second round, for both."""
    assert ratio([100.0, 50.0, 100.0], [50.0, 25.0, 40.0]) == 2.0


def test_there_is_no_ratio_to_what_has_no_rate() -> None:
    assert ratio([100.0], []) is None


def test_contenders_take_turns(tmp_path: Path) -> None:
    log = tmp_path / "log"
    code = f"import sys; open({str(log)!r}, 'a').write(sys.argv[1])"
    contenders = [Contender(name, [sys.executable, "-c", code, name]) for name in "AB"]
    samples = alternate(contenders, 3)
    assert log.read_text() == "ABABAB"
    assert [len(taken) for taken in samples.values()] == [3, 3]


def test_what_a_command_starts_is_waited_for_and_counted() -> None:
    """Its orphan works on after it has ended, and nobody but the measuring process is left."""
    orphan = "import time; until = time.process_time() + 0.3\nwhile time.process_time() < until: 0"
    code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {orphan!r}])"
    before = children()
    found = run([sys.executable, "-c", code])
    assert found.cpu >= 0.3
    assert children() == before


def test_memory_is_that_of_the_first_process_and_of_the_largest_below_it() -> None:
    below = "import time; held = b'x' * 120_000_000; time.sleep(0.5)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {below!r}])"
    found = run([sys.executable, "-c", code])
    assert found.worker > 120_000_000
    assert found.peak < 100_000_000


def test_a_command_that_fails_is_no_measurement() -> None:
    with pytest.raises(BenchmarkError, match=r"ended with 3:\s+no such thing"):
        run([sys.executable, "-c", "print('no such thing'); raise SystemExit(3)"])
