"""Workers that cannot be started, and a pool that is called away while it waits."""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest

from imagelane.adapters.pools.inline import InlinePool
from imagelane.adapters.pools.process import ProcessPool
from imagelane.ports.pool import PoolError
from imagelane.testing.pool_bench import PATIENCE, Bench, Doing, pixels, png


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[ProcessPool]:
    made = ProcessPool(tmp_path, tmp_path, tmp_path)
    yield made
    made.close(kill=True)


@pytest.fixture
def bench(pool: ProcessPool, tmp_path: Path) -> Bench:
    (tmp_path / "boat.png").write_bytes(png(16, 16))
    return Bench(pool, pixels(tiny=Doing("nothing")), tmp_path / "boat.png")


def test_says_why_no_worker_can_be_started(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    assert isinstance(bench.pool, ProcessPool)
    for pid in bench.pool.pids:
        os.kill(pid, signal.SIGKILL)
    bench.submit()
    with pytest.raises(PoolError, match=r"exited with code 1.*doctor"):
        bench.until(lambda: False)


def test_says_when_the_folder_is_gone(tmp_path: Path) -> None:
    (tmp_path / "boat.png").write_bytes(png(16, 16))
    folder = tmp_path / "pipeline"
    pool = ProcessPool(tmp_path, tmp_path, folder)
    bench = Bench(pool, pixels(tiny=Doing("nothing")), tmp_path / "boat.png")
    bench.submit()
    with pytest.raises(PoolError, match="pipeline"):
        bench.until(lambda: False)
    pool.close()


def test_a_worker_that_cannot_be_contained_as_it_was_told_gets_no_order(tmp_path: Path) -> None:
    (tmp_path / "boat.png").write_bytes(png(16, 16))
    (tmp_path / "scratch").write_text("no folder, so there can be none in it for a worker")
    pool = ProcessPool(tmp_path, tmp_path / "scratch", tmp_path, layers=["limits"])
    bench = Bench(pool, pixels(tiny=Doing("nothing")), tmp_path / "boat.png")
    bench.submit()
    with pytest.raises(PoolError, match=r"of the sandbox cannot be applied: .*doctor"):
        bench.until(lambda: False)
    assert not bench.ledger.stages
    pool.close()


def test_waits_for_descriptors_to_become_free(bench: Bench) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        (number,) = bench.submit()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert bench.finish(number).outcomes(number) == ["success"]


def test_a_signal_handler_calls_a_waiting_pool_away(bench: Bench, pool: ProcessPool) -> None:
    caught: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        caught.append(number)
        pool.wake()

    before = signal.signal(signal.SIGUSR1, handle)
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGUSR1))
    timer.start()
    began = time.monotonic()
    try:
        assert list(pool.poll(PATIENCE)) == []
    finally:
        signal.signal(signal.SIGUSR1, before)
        timer.join()
    assert caught == [signal.SIGUSR1]
    assert time.monotonic() - began < PATIENCE / 2
    bench.finish(*bench.submit())


def test_an_inline_pool_is_called_away_too(tmp_path: Path) -> None:
    pool = InlinePool(tmp_path, tmp_path, tmp_path)
    timer = threading.Timer(0.2, pool.wake)
    timer.start()
    began = time.monotonic()
    assert list(pool.poll(PATIENCE)) == []
    timer.join()
    assert time.monotonic() - began < PATIENCE / 2
