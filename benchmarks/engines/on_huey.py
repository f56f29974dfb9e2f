"""No-op tasks on Huey with its queue in SQLite, synced: `python on_huey.py fan|chain COUNT`.

A consumer with two worker processes takes them; every result is read.
"""

from __future__ import annotations

import multiprocessing
import sys
import tempfile
from pathlib import Path
from typing import Any

from huey import SqliteHuey

STAGES = 7

huey = SqliteHuey(filename=str(Path(tempfile.mkdtemp(prefix="huey-")) / "queue.db"), fsync=True)


def nothing(number: int) -> int:
    return number


task = huey.task()(nothing)


def consume() -> None:
    huey.create_consumer(
        workers=2, worker_type="process", periodic=False, initial_delay=0.01, max_delay=0.05
    ).run()


def main() -> None:
    how, count = sys.argv[1], int(sys.argv[2])
    # Forked, so that both name a task alike; nothing has been opened yet.
    consumer = multiprocessing.get_context("fork").Process(target=consume)
    consumer.start()
    try:
        for result in fan(count) if how == "fan" else chain(count):
            result.get(blocking=True, backoff=1.1, max_delay=0.05)
    finally:
        consumer.terminate()
        consumer.join()


def fan(count: int) -> list[Any]:
    return [task(number) for number in range(count)]


def chain(count: int) -> list[Any]:
    results = []
    for number in range(count):
        line = task.s(number)
        for _ in range(STAGES - 1):
            line = line.then(task)
        results.append(huey.enqueue(line))
    return results


if __name__ == "__main__":
    main()
