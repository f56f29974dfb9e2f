"""Requests without a folder to lie in."""

from __future__ import annotations

from collections.abc import Sequence

from imagelane.model.decision import Request
from imagelane.model.ids import RunId
from imagelane.ports.requests import Ticket


class Desk:
    """Where requests lie."""

    def __init__(self) -> None:
        self._waiting: dict[Ticket, Request] = {}
        self._posted = 0

    def post(self, run: RunId, request: Request) -> Ticket:
        del run
        self._posted += 1
        ticket = Ticket(f"{self._posted:06}")
        self._waiting[ticket] = request
        return ticket

    def waiting(self, run: RunId) -> Sequence[tuple[Ticket, Request]]:
        del run
        return list(self._waiting.items())

    def done(self, run: RunId, ticket: Ticket) -> bool:
        del run
        return self._waiting.pop(ticket, None) is not None
