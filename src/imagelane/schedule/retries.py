"""Retries: each waits for its time, then for its stage's budget. None holds a worker meanwhile."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Mapping

from imagelane.model.calls import Calls
from imagelane.model.ids import THE_RUN, StageName, Subject
from imagelane.model.plan import LogicalStage
from imagelane.model.run import RunState
from imagelane.model.work import Order
from imagelane.schedule.budget import RetryBudget
from imagelane.schedule.dispatching import Dispatcher


class Retries:
    """All retries of a run that are not dispatched. Times are monotonic seconds."""

    def __init__(
        self, stages: Mapping[StageName, LogicalStage], state: RunState, orders: Dispatcher
    ) -> None:
        self._state = state
        self._orders = orders
        self._budgets = {
            name: RetryBudget(share, state.calls.get(name, Calls()))
            for name, stage in stages.items()
            if (share := stage.spec.retry.budget) is not None
        }
        self._later: list[tuple[float, Subject, StageName]] = []
        self._put_off: dict[StageName, deque[Subject]] = {}

    def later(self, subject: Subject, stage: StageName, due: float) -> None:
        """Another attempt is to be made, no sooner than ``due``. Until then, and until it is paid
        for, the stage is left out of the subject's orders."""
        self._orders.wait(subject, stage, float("inf"))
        heapq.heappush(self._later, (due, subject, stage))

    def take_up(self) -> None:
        """What waited for its retry when the coordinator before went away waits again: for the
        budget, no longer for the time."""
        state = self._state
        in_order = sorted(state.images.items(), key=lambda entry: entry[1].sequence)
        groups = ((Subject(number), group) for number, group in state.groups.items())
        for subject, record in (*in_order, *groups, (THE_RUN, state.run)):
            for stage in record.attempts:
                if not record.resolved(stage):
                    self.later(subject, stage, 0.0)

    def began(self, order: Order, now: float) -> None:
        """An order is dispatched: the first attempts in it pay for the retries of others."""
        for stage in order.stages:
            if stage in self._budgets and not self._orders.waited(order.subject, stage):
                self._budgets[stage].first(now)

    def due(self, now: float) -> list[Subject]:
        """The subjects that may be tried again now, paid for. Those of which the stage is not
        wanted any more are forgotten."""
        while self._later and self._later[0][0] <= now:
            _, subject, stage = heapq.heappop(self._later)
            self._put_off.setdefault(stage, deque()).append(subject)
        going: list[Subject] = []
        for stage in list(self._put_off):
            waiting, budget = self._put_off[stage], self._budgets.get(stage)
            while waiting and self._open(stage, now):
                if self._over(waiting[0], stage):
                    waiting.popleft()
                elif budget is None or budget.take(now):
                    going.append(waiting.popleft())
                    self._orders.wait(going[-1], stage, now)
                else:
                    break
            if not waiting:
                del self._put_off[stage]
        return going

    def wake_at(self, now: float) -> float | None:
        """When `due` has something to give, if no attempt begins before. Of a stage whose breaker
        is open, the breaker knows."""
        moments = [
            self._budgets[stage].wake_at()
            for stage in self._put_off
            if stage in self._budgets and self._open(stage, now)
        ]
        if self._later:
            moments.append(self._later[0][0])
        return min(moments, default=None)

    def _open(self, stage: StageName, now: float) -> bool:
        """Whether attempts may begin at all. While none may, none is paid for: they would all go
        together as soon as the breaker closes."""
        return self._orders.breakers.allow((stage,), now)

    def _over(self, subject: Subject, stage: StageName) -> bool:
        try:
            return self._state.of(subject).resolved(stage)
        except KeyError:
            return True
