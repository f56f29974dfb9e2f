"""What people ask of a run while it goes on, and what is to go round again."""

from __future__ import annotations

import math
from collections.abc import Sequence

from imagelane.engine.parts import PULSE, Parts
from imagelane.model.events import ImageReopened
from imagelane.model.states import RunStatus
from imagelane.ports.requests import Ticket
from imagelane.schedule.scheduler import Scheduler


class Asked:
    """Listens for requests, and has settled subjects taken up again when there is room for them."""

    def __init__(self, parts: Parts, scheduler: Scheduler) -> None:
        self._parts = parts
        self._scheduler = scheduler
        self._reopening = parts.reopening
        scheduler.more_to_come = parts.reopening is not None
        self._listened = 0.0
        self._reopens_at = 0.0

    def listen(self, now: float) -> list[Ticket]:
        """Do what people ask for; gives the tickets, for `answer` once what was done is durable."""
        requests = self._parts.requests
        if requests is None or now - self._listened < PULSE:
            return []
        self._listened = now
        heard = []
        for ticket, request in requests.waiting(self._parts.run):
            heard.append(ticket)
            match request.kind:
                case "pause":
                    self._scheduler.stop(RunStatus.PAUSED, request.reason)
                case "cancel":
                    self._scheduler.stop(RunStatus.CANCELLED, request.reason)
                case _:
                    for events in self._parts.carry_out(request.decisions):
                        self._scheduler.reopen(events)
        return heard

    def answer(self, heard: Sequence[Ticket]) -> None:
        """What was asked for is recorded."""
        for ticket in heard:
            if self._parts.requests is not None:
                self._parts.requests.done(self._parts.run, ticket)

    def take_up(self, now: float) -> None:
        """Reopen what is to go round again, as far as the window and the rate allow."""
        while self._reopening is not None and now >= self._reopens_at and self._scheduler.reopens():
            events = next(self._reopening, None)
            if events is None:
                self._reopening = None
                self._scheduler.more_to_come = False
                return
            self._scheduler.reopen(events)
            if self._parts.rate is not None:
                images = sum(isinstance(event, ImageReopened) for event in events)
                self._reopens_at = max(now, self._reopens_at) + images / self._parts.rate

    def patience(self, now: float) -> float:
        """Seconds until the rate lets the next subject in."""
        waits = self._reopening is not None and self._reopens_at > now
        return self._reopens_at - now if waits else math.inf
