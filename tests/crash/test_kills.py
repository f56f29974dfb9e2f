"""SIGKILL at every fault point and at random moments: after each death every guarantee is checked,
and the run is taken up until it is whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash.blows import COORDINATOR, WORKER
from tests.crash.conftest import rooted_environment

KILLS = 200


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_run_that_is_killed_two_hundred_times_keeps_every_promise(
    capsys: pytest.CaptureFixture[str],
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash.kills", "--kills", str(KILLS), "--seed", "3"],
        cwd=Path(__file__).parents[2],
        env=rooted_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    summary, *places = done.stdout.splitlines()
    with capsys.disabled():
        sys.stdout.write(f"\n{summary}\n")
    assert int(summary.split()[0]) >= KILLS
    struck = {place.split(maxsplit=1)[1] for place in places}
    points = {f"coordinator at {point!r}" for point in COORDINATOR}
    assert struck >= points | {f"worker at {point!r}" for point in WORKER}
