"""No-op tasks in threads: `python threads.py fan|chain COUNT`. Nothing survives a crash."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor

STAGES = 7


def nothing(number: int) -> int:
    return number


def fan(pool: ThreadPoolExecutor, count: int) -> None:
    for task in [pool.submit(nothing, number) for number in range(count)]:
        task.result()


def chain(pool: ThreadPoolExecutor, count: int) -> None:
    """Each stage of an item is submitted when the one before it is over."""
    ended = threading.Semaphore(0)

    def submit(number: int, stage: int) -> None:
        def go_on(task: Future[int]) -> None:
            if stage == STAGES:
                ended.release()
            else:
                submit(task.result(), stage + 1)

        pool.submit(nothing, number).add_done_callback(go_on)

    for number in range(count):
        submit(number, 1)
    for _ in range(count):
        ended.acquire()


if __name__ == "__main__":
    how, count = sys.argv[1], int(sys.argv[2])
    with ThreadPoolExecutor(2) as pool:
        (fan if how == "fan" else chain)(pool, count)
