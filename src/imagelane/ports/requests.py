"""What people ask of a run while its coordinator is at work."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NewType, Protocol

from imagelane.model.decision import Request
from imagelane.model.ids import RunId

Ticket = NewType("Ticket", str)
"""Names one request of a run; tickets sort in the order in which they were posted."""


class Requests(Protocol):
    """Letters to coordinators. They survive a crash of either side: what was not done is found
    again, so carrying a request out twice must be harmless."""

    def post(self, run: RunId, request: Request) -> Ticket:
        """Leave a request, durably."""

    def waiting(self, run: RunId) -> Sequence[tuple[Ticket, Request]]:
        """Those that are not done, oldest first."""

    def done(self, run: RunId, ticket: Ticket) -> bool:
        """Take a request away; whether it was still there."""
