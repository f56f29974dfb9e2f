"""No-op tasks on Ray, two places: `python on_ray.py fan|chain COUNT`."""

from __future__ import annotations

import logging
import sys

import ray

STAGES = 7


def nothing(number: int) -> int:
    return number


def main() -> None:
    how, count = sys.argv[1], int(sys.argv[2])
    ray.init(num_cpus=2, include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
    task = ray.remote(nothing)
    tasks = [task.remote(number) for number in range(count)]
    for _ in range(STAGES - 1 if how == "chain" else 0):
        tasks = [task.remote(before) for before in tasks]
    ray.get(tasks)
    ray.shutdown()


if __name__ == "__main__":
    main()
