from __future__ import annotations

import os
import threading

import pytest

from imagelane.adapters.pools.switchboard import Switchboard


def test_who_rings_while_another_lets_go_of_the_bell_is_heard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    board: Switchboard[str] = Switchboard()
    write = os.eventfd_write
    heard: list[list[str | None]] = []

    def interrupted(bell: int, value: int) -> None:
        """The listener hears the first ring before its thread has let go of the bell, and just then
        another thread rings."""
        write(bell, value)
        if not heard:
            heard.append(list(board.listen(0.0)))
            board.ring()

    monkeypatch.setattr(os, "eventfd_write", interrupted)
    board.ring()
    assert heard == [[None]]
    assert list(board.listen(0.0)) == [None], "the second one must not have to wait"
    board.close(0.0)


def test_ringing_after_the_end_is_harmless() -> None:
    board: Switchboard[str] = Switchboard()
    board.close(0.0)
    board.ring()


def test_no_ring_of_many_threads_is_lost() -> None:
    board: Switchboard[str] = Switchboard()
    rung = threading.Semaphore(0)

    def many() -> None:
        for _ in range(2_000):
            rung.release()
            board.ring()

    threads = [threading.Thread(target=many) for _ in range(3)]
    for thread in threads:
        thread.start()
    told = 0
    while told < 6_000:
        # One that was lost would keep everybody waiting until this time is over.
        assert list(board.listen(30.0)) == [None]
        while rung.acquire(blocking=False):
            told += 1
    for thread in threads:
        thread.join()
    board.close(0.0)
