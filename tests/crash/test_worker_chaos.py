"""Workers are killed and stopped at random: every order still comes to its end, once."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from random import Random

import pytest

from imagelane.adapters.pools.process import ProcessPool
from imagelane.model.spec import Place
from imagelane.testing.pool_bench import Bench, Doing, children, descriptors, plan_of, png


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_orders_survive_workers_that_do_not(tmp_path: Path, seed: int) -> None:
    draw = Random(seed)
    before = descriptors(), children()
    source = tmp_path / "boat.png"
    source.write_bytes(png(16, 16))
    step = Doing("sleep", {"seconds": 0.005}, timeout=3.0)
    plan = plan_of(
        (Place.PROCESS, {"one": step, "two": step, "three": step}),
        (Place.THREAD, {"wait": Doing("sleep", {"seconds": 0.02}, timeout=3.0)}),
    )
    pool = ProcessPool(tmp_path, tmp_path, tmp_path)
    bench = Bench(pool, plan, source)
    numbers = [*bench.submit(0, count=120), *bench.submit(1, count=120)]
    next_blow = time.monotonic() + 0.5
    blows = 0
    while not bench.ledger.done.issuperset(numbers):
        bench.poll(0.02)
        # Those that have done something: one that is stopped while it starts is given a minute.
        ready = {int(name.rpartition("-")[2]) for name in bench.ledger.workers()}
        targets = sorted(ready.intersection(pool.pids))
        if time.monotonic() >= next_blow and blows < 10 and targets:
            blow = draw.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP])
            with contextlib.suppress(ProcessLookupError):
                os.kill(draw.choice(targets), blow)
                blows += 1
            next_blow = time.monotonic() + draw.uniform(0.02, 0.3)
    assert blows >= 3
    ledger = bench.ledger
    outcomes = {number: ledger.outcomes(number) for number in numbers}
    for number, found in outcomes.items():
        assert set(found[:-1]) <= {"success"}, f"something followed a failure of order {number}"
        if found[-1] == "success":
            assert len(found) == len(plan.segments[0 if number <= 120 else 1].stages)
        assert found[-1] in {"success", "worker_died", "timeout"}
    # A blow costs at most what the one worker that it hit had in hand.
    failed = [found for found in outcomes.values() if found[-1] != "success"]
    assert len(failed) <= blows + sum(found[-1] == "timeout" for found in failed)
    pool.close()
    assert (descriptors(), children()) == before
