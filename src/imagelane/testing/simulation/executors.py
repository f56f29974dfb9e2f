"""Executors without threads, so that there is no order but that of the seed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from typing import Any


class AtOnce(Executor):
    """Executes what is submitted before it returns."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = Future[Any]()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 -- the future's to raise, as every executor does
            future.set_exception(error)
        return future


class Later(Executor):
    """Executes what was submitted when the world has moved on: a disk that takes its time."""

    def __init__(self) -> None:
        self._submitted: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = Future[Any]()
        self._submitted.append((future, partial(fn, *args, **kwargs)))
        return future

    def catch_up(self) -> None:
        """Execute everything that waits."""
        waiting, self._submitted = self._submitted, []
        for future, call in waiting:
            try:
                future.set_result(call())
            except Exception as error:  # noqa: BLE001 -- the future's to raise
                future.set_exception(error)
