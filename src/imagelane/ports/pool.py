"""The pool: where orders are executed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from imagelane.model.plan import PhysicalPlan
from imagelane.model.work import Order, Report


class PoolError(Exception):
    """Nothing can be executed here: one line that says what was found and what to do next."""


class Pool(Protocol):
    """Takes orders, enforces timeouts, gives back reports.

    Of every order that is submitted, each of its stages is reported exactly once and then
    `OrderDone`, whatever happens to the worker: a stage under which a worker died or was killed is
    reported as a failure (`worker_died`, `timeout`), and those after it as transient failures are
    not reported at all (the order is simply done).
    """

    def open(self, plan: PhysicalPlan) -> None:
        """Start what is needed to execute the plan's stages."""

    def submit(self, order: Order) -> None:
        """Hand over an order. Never blocks; limits are the scheduler's to keep."""

    def grant(self, order: int) -> None:
        """Let the worker that claimed memory for this order go on."""

    def poll(self, timeout: float) -> Sequence[Report]:
        """Reports that have come in; waits up to ``timeout`` seconds for the first one.

        Raises:
            PoolError: no worker can be started.
        """

    def wake(self) -> None:
        """Let `poll` return now, or at once when it is next called. Safe in a signal handler and
        from any thread."""

    def shed(self) -> None:
        """Memory is short: let go of what is held for orders that have not come yet."""

    def close(self, *, kill: bool = False) -> None:
        """Stop the workers: at once, or after what they are doing."""
