"""No worker outlives its coordinator, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagelane.testing.pool_bench import alive, png

COORDINATOR = """
import sys
from pathlib import Path
from imagelane.adapters.pools.process import ProcessPool
from imagelane.model.spec import Place
from imagelane.testing.pool_bench import Bench, Doing, plan_of

folder = Path(sys.argv[1])
plan = plan_of(
    (Place.PROCESS, {"short": Doing("nothing"), "long": Doing("sleep", {"seconds": 60})}),
    (Place.THREAD, {"wait": Doing("sleep", {"seconds": 60})}),
)
pool = ProcessPool(folder, folder, folder)
bench = Bench(pool, plan, folder / "boat.png")
numbers = [*bench.submit(0, count=2), *bench.submit(1)]
bench.until(lambda: len(bench.ledger.stages) == 2 and len(pool.pids) == 3)
print(*pool.pids, flush=True)
END
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "boat.png").write_bytes(png(16, 16))
    return tmp_path


@pytest.fixture(params=["bench.until(lambda: False)", "raise SystemExit(0)", "1 / 0"])
def end(request: pytest.FixtureRequest) -> str:
    """The last line of a coordinator: it waits to be killed, or leaves without closing the pool."""
    return str(request.param)


@pytest.fixture
def coordinator(folder: Path, end: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", COORDINATOR.replace("END", end), str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with process:
        yield process
        process.kill()


def workers_of(coordinator: subprocess.Popen[str]) -> list[str]:
    assert coordinator.stdout is not None
    workers = [f"worker-{number}" for number in coordinator.stdout.readline().split()]
    assert len(workers) == 3
    return workers


def wait_until_gone(workers: list[str], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(map(alive, workers)):
        assert time.monotonic() < deadline, "workers outlived their coordinator"
        time.sleep(0.01)


@pytest.mark.parametrize("end", ["bench.until(lambda: False)"], indirect=True)
@pytest.mark.parametrize("stopped", [False, True])
def test_a_killed_coordinator_takes_its_workers_along(
    coordinator: subprocess.Popen[str], *, stopped: bool
) -> None:
    workers = workers_of(coordinator)
    assert all(map(alive, workers))
    if stopped:
        for worker in workers:
            os.kill(int(worker.rpartition("-")[2]), signal.SIGSTOP)
    coordinator.kill()
    wait_until_gone(workers, 1.0)


@pytest.mark.parametrize("end", ["raise SystemExit(0)", "1 / 0"], indirect=True)
def test_a_coordinator_that_forgets_to_close_takes_its_workers_along(
    coordinator: subprocess.Popen[str],
) -> None:
    workers = workers_of(coordinator)
    coordinator.wait(20)
    wait_until_gone(workers, 1.0)
