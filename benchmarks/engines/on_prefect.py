"""No-op tasks on Prefect with a server of its own: `python on_prefect.py fan|chain COUNT`."""

from __future__ import annotations

import os
import sys
import tempfile

os.environ.setdefault("PREFECT_HOME", tempfile.mkdtemp(prefix="prefect-"))
os.environ.setdefault("PREFECT_LOGGING_LEVEL", "ERROR")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
os.environ.setdefault("DO_NOT_TRACK", "1")

from prefect import flow, task
from prefect.task_runners import ThreadPoolTaskRunner

STAGES = 7


def nothing(number: int) -> int:
    return number


def all_of_it(how: str, count: int) -> None:
    made = task(nothing)
    last = [made.submit(number) for number in range(count)]
    for _ in range(STAGES - 1 if how == "chain" else 0):
        last = [made.submit(before) for before in last]
    for one in last:
        one.result()


if __name__ == "__main__":
    run = flow(all_of_it, task_runner=ThreadPoolTaskRunner(max_workers=2))
    run(sys.argv[1], int(sys.argv[2]))
