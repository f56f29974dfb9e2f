"""The coordinator's own stages: groups and runs are made live here, one after the other."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from imagelane.engine.parts import Parts
from imagelane.model.obstacle import obstacle_of
from imagelane.model.outcome import Failure, Outcome
from imagelane.model.states import ErrorClass, Scope
from imagelane.model.work import Order, OrderDone, Report, StageReport
from imagelane.record.members import write_members


class Promotions:
    """Executes promotions beside the loop, which is woken when one is over."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._executor = parts.promoter or ThreadPoolExecutor(1, "promote")
        self._promotions: dict[Future[StageReport], int] = {}

    def begin(self, order: Order) -> None:
        """Have an order executed."""
        promotion = self._executor.submit(self._promote, order)
        self._promotions[promotion] = order.number
        promotion.add_done_callback(lambda _: self._parts.pool.wake())

    def reports(self) -> list[Report]:
        """Those that are over, each told once."""
        told: list[Report] = []
        for future in [one for one in self._promotions if one.done()]:
            number = self._promotions.pop(future)
            told += [future.result(), OrderDone(number)]
        return told

    def close(self, *, kill: bool) -> None:
        """Wait for those that were begun, unless ``kill``."""
        self._executor.shutdown(wait=not kill, cancel_futures=True)

    def _promote(self, order: Order) -> StageReport:
        started = time.monotonic()
        outcome: Outcome
        try:
            outcome = self._parts.promote(order)
            self._parts.fault("promote: unrecorded")
        except OSError as error:
            obstacle = obstacle_of(error, error.filename or self._parts.scratch)
            outcome = Failure(ErrorClass.TRANSIENT, f"cannot publish: {error}", obstacle=obstacle)
        return StageReport(
            order.number,
            order.stages[0],
            outcome,
            started,
            time.monotonic(),
            worker="coordinator",
        )


def with_members(order: Order, parts: Parts) -> Order:
    """The order of a group or the run with the file of its images.

    Raises:
        OSError: that cannot be written.
    """
    journal, run = parts.journal, parts.run
    groups = (
        [(order.subject.group, order.group_name)]
        if order.subject.scope is Scope.GROUP
        else ((row.group, row.name) for row in journal.groups(run))
    )
    target = parts.scratch / f"members-{order.subject}.jsonl"
    return replace(order, members=str(write_members(journal, run, groups, target, parts.fault)))
