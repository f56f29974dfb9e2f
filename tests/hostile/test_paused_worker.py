"""A worker that is stopped beyond its time, and goes on when nobody waits for it any more.

`Ledger` refuses whatever is reported of an order twice, or after its end.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from imagelane.adapters.pools.process import ProcessPool
from imagelane.model.plan import PhysicalPlan
from imagelane.model.spec import Place
from imagelane.testing.pool_bench import Bench, Doing, alive, pixels, plan_of, png, waits

TIMEOUT = 1.0
MakeBench = Callable[[PhysicalPlan], Bench]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[MakeBench]:
    source = tmp_path / "boat.png"
    source.write_bytes(png(16, 16))
    with contextlib.ExitStack() as stack:

        def make(plan: PhysicalPlan) -> Bench:
            pool = ProcessPool(tmp_path, tmp_path, tmp_path)
            stack.callback(pool.close, kill=True)
            return Bench(pool, plan, source)

        yield make


def stop(at: Bench) -> list[int]:
    """Stop every worker of the pool."""
    assert isinstance(at.pool, ProcessPool)
    stopped = list(at.pool.pids)
    for process in stopped:
        os.kill(process, signal.SIGSTOP)
    return stopped


def go_on(processes: list[int]) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGCONT)


def test_a_stopped_worker_is_ended_when_its_time_is_over_and_its_order_goes_to_another(
    bench: MakeBench,
) -> None:
    at = bench(pixels(step=Doing("sleep", {"seconds": 0.3}, timeout=TIMEOUT)))
    at.finish(*at.submit())
    (late,) = at.submit()
    at.poll(0.1)
    stopped = stop(at)
    ledger = at.finish(late)
    assert ledger.outcomes(late) == ["timeout"]
    assert "the attempt was ended" in ledger.failure(late).message
    go_on(stopped)
    (again,) = at.submit()
    ledger = at.finish(again)
    assert ledger.outcomes(again) == ["success"]
    hit = ledger.stages[late][0].worker
    assert ledger.stages[again][0].worker != hit
    assert not alive(hit)
    assert int(hit.rpartition("-")[2]) in stopped


def test_what_a_paused_host_says_when_it_goes_on_is_not_heard(bench: MakeBench) -> None:
    """Two calls wait in one process. One's time passes while it is stopped; then it goes on, and
    says both of them. Only the one that is still waited for counts."""
    at = bench(
        waits(
            short=Doing("sleep", {"seconds": 0.5}, timeout=TIMEOUT),
            long=Doing("sleep", {"seconds": 0.5}, timeout=60.0),
        )
    )
    at.finish(*at.submit(0), *at.submit(1))
    (late,), (patient,) = at.submit(0), at.submit(1)
    at.poll(0.1)
    stopped = stop(at)
    ledger = at.finish(late)
    assert ledger.outcomes(late) == ["timeout"]
    assert patient not in ledger.done
    go_on(stopped)
    ledger = at.finish(patient)
    assert ledger.outcomes(patient) == ["success"]
    # Time for the late answer to come in, were anybody to take it.
    at.poll(0.5)
    assert ledger.outcomes(late) == ["timeout"]


def test_workers_that_are_stopped_only_for_a_while_lose_nothing(bench: MakeBench) -> None:
    step = Doing("sleep", {"seconds": 0.05}, timeout=30.0)
    at = bench(plan_of((Place.PROCESS, {"step": step}), (Place.THREAD, {"wait": step})))
    at.finish(*at.submit(0, count=2), *at.submit(1, count=2))
    numbers = [*at.submit(0, count=6), *at.submit(1, count=6)]
    stopped = stop(at)
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        at.poll(0.05)
    go_on(stopped)
    ledger = at.finish(*numbers)
    assert all(ledger.outcomes(number) == ["success"] for number in numbers)
