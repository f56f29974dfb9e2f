"""What the record says of a stage's latest attempts: how hard it was tried, and whether what it
calls has answered."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from imagelane.model.states import ErrorClass

LOOKED_BACK = 1000
"""Attempts of a stage that are remembered: as many as a breaker looks at, at most."""

UNANSWERED = frozenset({ErrorClass.TRANSIENT, ErrorClass.TIMEOUT})
"""Bad input and bugs are answers: the service is there."""


def _line() -> deque[bool]:
    return deque(maxlen=LOOKED_BACK)


@dataclass(slots=True)
class Calls:
    """Of one stage, oldest first: whether each attempt was a retry, and, since its breaker was last
    closed, whether it remained unanswered. ``left_alone``: the breaker is open, and ``probes`` so
    many attempts have failed on probation since."""

    retries: deque[bool] = field(default_factory=_line)
    unanswered: deque[bool] = field(default_factory=_line)
    left_alone: bool = False
    probes: int = 0

    def succeeded(self, *, retry: bool) -> None:
        """An attempt did what it should."""
        self.retries.append(retry)
        if not self.left_alone:
            self.unanswered.append(False)

    def failed(self, error: ErrorClass, *, retry: bool, counted: bool) -> None:
        """An attempt failed; it is not ``counted`` if it was made on probation. While the breaker
        is open, what was in flight before says nothing about now; a worker's death never does."""
        self.retries.append(retry)
        if self.left_alone:
            self.probes += not counted
        elif error is not ErrorClass.WORKER_DIED:
            self.unanswered.append(error in UNANSWERED)

    def opened(self) -> None:
        """The stage is left alone from here on."""
        self.left_alone, self.probes = True, 0

    def closed(self) -> None:
        """What it calls has answered."""
        self.left_alone, self.probes = False, 0
        self.unanswered.clear()
