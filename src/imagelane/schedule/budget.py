"""How many retries a stage may make, measured by its first attempts."""

from __future__ import annotations

from imagelane.model.calls import LOOKED_BACK, Calls

FLOOR = 5.0
"""Retries that a stage may make before its first attempts have earned any."""
SAVED = 50.0
"""Retries that can be saved up, so that a long quiet time does not pay for a storm."""
QUIET = 1.0
"""Seconds without an attempt after which a retry goes whatever the budget says."""

_ROUNDING = 1e-9
"""Shares such as 0.2 are no exact floats: five of them shall earn one retry."""


class RetryBudget:
    """Retries of one stage: at most `FLOOR` and a ``share`` of its first attempts.

    When a service fails, retries multiply the load that made it fail. So each first attempt earns
    a share of a retry and each retry spends a whole one, as in the token bucket of Finagle's
    ``RetryBudget`` (20 % by default) and the per-client retry budget of Google's Site Reliability
    Engineering (chapter "Handling Overload": 10 %).

    A retry that the budget does not cover is put off, not dropped. First attempts that come later
    pay for it. Where none come, since every image waits for the stage, nothing else could ever pay;
    so after `QUIET` seconds in which the stage began no attempt at all, one retry goes without, as
    Finagle's ``minRetriesPerSec`` lets it. This adds no more than one call a second to a service
    that is otherwise left alone, and the attempts of each image are bounded, so every run ends.

    A coordinator that takes a run over comes to the same balance by the attempts that are recorded,
    ``calls``; where there were more than are remembered, at most to that.
    """

    def __init__(self, share: float, calls: Calls) -> None:
        self._share = share
        self._last = float("-inf")
        self._balance = FLOOR if len(calls.retries) < LOOKED_BACK else 0.0
        for retry in calls.retries:
            if not retry:
                self.first(self._last)
            elif self._balance + _ROUNDING >= 1:
                self._balance -= 1

    def first(self, now: float) -> None:
        """A first attempt begins."""
        self._balance = min(SAVED, self._balance + self._share)
        self._last = now

    def take(self, now: float) -> bool:
        """Whether a retry may begin now; if so, it is paid for."""
        covered = self._balance + _ROUNDING >= 1
        if not covered and now < self.wake_at():
            return False
        if covered:
            self._balance -= 1
        self._last = now
        return True

    def wake_at(self) -> float:
        """When a retry may go in any case, if no attempt begins before (monotonic seconds)."""
        return self._last + QUIET
