"""Circuit breakers: a stage whose service does not answer is left alone for a while."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from enum import Enum
from math import inf

from imagelane.model.calls import UNANSWERED, Calls
from imagelane.model.ids import StageName
from imagelane.model.outcome import Failure, Outcome
from imagelane.model.plan import LogicalStage
from imagelane.model.policy import BreakerPolicy
from imagelane.model.states import ErrorClass

PATIENCE = 100
"""Attempts on probation that fail in a row without being counted: with pauses of up to five minutes
an outage of eight hours costs no image an attempt. Beyond that they count, so that a run whose
service never comes back ends all the same."""


class Heard(Enum):
    """What an attempt meant for a breaker."""

    NOTHING = "nothing"
    OPENED = "opened"
    """The breaker was closed, and opens because of it."""
    CLOSED = "closed"
    """The breaker was open, and closes because of it."""
    SPARED = "spared"
    """It was made on probation and failed: it is not counted among its image's attempts."""


class Breaker:
    """The breaker of one stage: closed, open, or half open with one attempt on probation.

    Closed, it counts over the last attempts (M. Nygard, "Release It!", and resilience4j's count
    based sliding window). Open, it lets nothing begin, so no attempts are used up; after the pause
    a single one is let through. An answer closes it, no answer doubles the pause. What was in
    flight when it opened says nothing about now, and is passed over.

    With a coordinator that takes over it stands as the record has it in ``calls``. Only how long
    the pause has been going on is not known, so where it is open the first attempt is let through.
    """

    def __init__(self, policy: BreakerPolicy, calls: Calls) -> None:
        self._policy = policy
        self._unanswered: deque[bool] = deque(calls.unanswered, policy.of)
        self._until: float | None = -inf if calls.left_alone else None
        self._probe: int | None = None
        self._probes = calls.probes
        self._pause = policy.pause
        for _ in range(min(self._probes, PATIENCE)):
            self._pause = min(policy.max, 2 * self._pause)

    def allows(self, now: float) -> bool:
        """Whether an attempt may begin now (monotonic seconds)."""
        return self._until is None or (self._probe is None and now >= self._until)

    def began(self, order: int) -> None:
        """An attempt begins, which `allows` has allowed."""
        if self._until is not None:
            self._probe = order

    def heard(self, order: int, outcome: Outcome, now: float) -> Heard:
        """What came of an attempt."""
        error = outcome.error if isinstance(outcome, Failure) else None
        if error is ErrorClass.WORKER_DIED:
            return Heard.NOTHING  # of the service it says nothing
        unanswered = error in UNANSWERED
        if self._until is not None:
            on_probation = order == self._probe
            return self._probed(now, unanswered=unanswered) if on_probation else Heard.NOTHING
        self._unanswered.append(unanswered)
        if sum(self._unanswered) < self._policy.failures:
            return Heard.NOTHING
        self._until = now + self._pause
        return Heard.OPENED

    def ended(self, order: int) -> None:
        """The order is over, whether or not anything was heard of it."""
        if order == self._probe:
            self._probe = None

    def wake_at(self, now: float) -> float | None:
        """When the next attempt is let through, if that is a matter of time."""
        waits = self._until is not None and self._probe is None and self._until > now
        return self._until if waits else None

    def _probed(self, now: float, *, unanswered: bool) -> Heard:
        self._probe = None
        if unanswered:
            self._probes += 1
            self._pause = min(self._policy.max, 2 * self._pause)
            self._until = now + self._pause
            return Heard.SPARED if self._probes <= PATIENCE else Heard.NOTHING
        self._unanswered.clear()
        self._probes = 0
        self._pause = self._policy.pause
        self._until = None
        return Heard.CLOSED


class Breakers:
    """The breakers of all stages that have one."""

    def __init__(
        self, stages: Mapping[StageName, LogicalStage], calls: Mapping[StageName, Calls]
    ) -> None:
        self._of = {
            name: Breaker(stage.spec.breaker, calls.get(name, Calls()))
            for name, stage in stages.items()
            if stage.spec.breaker is not None
        }

    def allow(self, stages: Iterable[StageName], now: float) -> bool:
        return all(self._of[name].allows(now) for name in stages if name in self._of)

    def began(self, stages: Iterable[StageName], order: int) -> None:
        for name in stages:
            if name in self._of:
                self._of[name].began(order)

    def heard(self, stage: StageName, order: int, outcome: Outcome, now: float) -> Heard:
        """What came of an attempt at a stage."""
        breaker = self._of.get(stage)
        return Heard.NOTHING if breaker is None else breaker.heard(order, outcome, now)

    def ended(self, stages: Iterable[StageName], order: int) -> None:
        for name in stages:
            if name in self._of:
                self._of[name].ended(order)

    def wake_at(self, now: float) -> float | None:
        moments = (breaker.wake_at(now) for breaker in self._of.values())
        return min((moment for moment in moments if moment is not None), default=None)
