"""No-op tasks in worker processes: `python processes.py fan|chain|chunks COUNT`. Nothing survives a
crash, and one task that kills its worker takes all others with it."""

from __future__ import annotations

import multiprocessing
import sys
import threading
from concurrent.futures import Future, ProcessPoolExecutor

STAGES = 7
CHUNK = 64


def nothing(number: int) -> int:
    return number


def fan(pool: ProcessPoolExecutor, count: int) -> None:
    for task in [pool.submit(nothing, number) for number in range(count)]:
        task.result()


def chunks(pool: ProcessPoolExecutor, count: int) -> None:
    """Many tasks a message: quick, and a chunk is done or lost as a whole."""
    for _ in pool.map(nothing, range(count), chunksize=CHUNK):
        pass


def chain(pool: ProcessPoolExecutor, count: int) -> None:
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
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        {"fan": fan, "chain": chain, "chunks": chunks}[how](pool, count)
