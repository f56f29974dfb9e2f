"""What a watch sees of real processes: amounts, never how long something took."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from imagelane.adapters.processes import Watch, crowding, speed
from imagelane.model.spec import Place

BUSY = """
import sys, time
held = bytearray(48 << 20)
while time.process_time() < 0.6:
    sum(range(1000))
print("done", flush=True)
sys.stdin.read()
"""


def child() -> subprocess.Popen[bytes]:
    """Computes for 0.6 s with 48 MiB in hand, as a worker process of its kind is called."""
    return subprocess.Popen(
        [sys.executable, "-c", BUSY, "process"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def test_what_a_process_below_computes_and_holds_is_seen() -> None:
    with Watch() as watch:
        one = child()
        assert one.stdout is not None
        one.stdout.readline()
        time.sleep(0.4)
        one.communicate()
    usage = watch.usage(5)
    assert 0.5 < usage.workers[str(one.pid)] < 1.5
    assert usage.memory is not None
    assert usage.memory.worker > 48 << 20
    assert usage.memory.decoded == 5
    assert usage.together >= usage.memory.worker
    assert usage.lacked[Place.PROCESS] >= 0


def test_only_what_the_coordinator_computes_counts_as_its_own() -> None:
    with Watch() as watch:
        sum(range(3_000_000))
        began = time.thread_time()
        with watch.coordinating():
            sum(range(3_000_000))
        took = time.thread_time() - began
    assert 0 < watch.usage(0).coordinator <= took


def test_another_process_can_be_watched() -> None:
    one = child()
    assert one.stdout is not None
    with Watch(one.pid) as watch:
        one.stdout.readline()
        time.sleep(0.4)
        one.communicate()
    usage = watch.usage(0)
    assert str(os.getpid()) not in usage.workers
    assert usage.together > 48 << 20


def test_what_the_kernel_does_not_tell_is_not_made_up(tmp_path: Path) -> None:
    with Watch(processes=tmp_path) as watch:
        time.sleep(0.2)
    usage = watch.usage(0)
    assert usage.memory is None
    assert usage.lacked == {}


def test_speed_and_crowding_are_ratios_of_computing() -> None:
    assert speed(0.02) > 1
    assert crowding(0.02) >= 1
