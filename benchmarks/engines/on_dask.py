"""No-op tasks on Dask, two workers of one thread: `python on_dask.py fan|chain COUNT`."""

from __future__ import annotations

import logging
import sys

from dask.distributed import Client, LocalCluster, wait

STAGES = 7


def nothing(number: int) -> int:
    return number


def main() -> None:
    how, count = sys.argv[1], int(sys.argv[2])
    cluster = LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        dashboard_address=None,
        silence_logs=logging.ERROR,
    )
    with cluster, Client(cluster) as client:
        tasks = client.map(nothing, range(count), pure=False)
        for _ in range(STAGES - 1 if how == "chain" else 0):
            tasks = client.map(nothing, tasks, pure=False)
        wait(tasks)


if __name__ == "__main__":
    main()
