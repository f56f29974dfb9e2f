"""What people ask of a run while it goes on, and what is to go round again."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from imagelane.engine.parts import PULSE, Parts
from imagelane.model.events import ImageReopened
from imagelane.model.states import RunStatus
from imagelane.ports.requests import Ticket
from imagelane.record.decisions import Reopened, Reopening
from imagelane.schedule.scheduler import Scheduler


@dataclass(slots=True)
class _Line:
    """What is to be taken up again, one group after the other. ``needs`` is how many images come
    with the first, once that was found out in vain; ``not_before`` is when to look at it again."""

    rest: Iterator[Reopening]
    ticket: Ticket | None = None
    first: Reopening | None = None
    needs: int = 0
    not_before: float = 0.0

    def over(self) -> bool:
        if self.first is None:
            self.first, self.needs = next(self.rest, None), 0
        return self.first is None


class Asked:
    """Listens for requests, and has settled subjects taken up again when there is room for them:
    what a person decided before what goes round again with many others."""

    def __init__(self, parts: Parts, scheduler: Scheduler) -> None:
        self._parts = parts
        self._scheduler = scheduler
        self._decided: deque[_Line] = deque()
        self._again = None if parts.reopening is None else _Line(parts.reopening)
        scheduler.more_to_come = parts.reopening is not None
        self._known: set[Ticket] = set()
        self._done: list[Ticket] = []
        self._listened = -math.inf
        self._reopens_at = 0.0

    def listen(self, now: float) -> None:
        """Hear what people ask for, and stop at once if it is that."""
        requests = self._parts.requests
        if requests is None or now - self._listened < PULSE:
            return
        self._listened = now
        for ticket, request in requests.waiting(self._parts.run):
            if ticket in self._known:
                continue
            self._known.add(ticket)
            match request.kind:
                case "pause":
                    self._scheduler.stop(RunStatus.PAUSED, request.reason)
                    self._done.append(ticket)
                case "cancel":
                    self._scheduler.stop(RunStatus.CANCELLED, request.reason)
                    self._done.append(ticket)
                case _:
                    lines = self._parts.carry_out(request.decisions)
                    self._decided.append(_Line(iter(lines), ticket))
                    self._scheduler.more_to_come = True

    def done(self) -> Sequence[Ticket]:
        """What was asked for and done since the last call; to be answered once it is durable."""
        done, self._done = self._done, []
        return done

    def answer(self, done: Sequence[Ticket]) -> None:
        """What was asked for is recorded."""
        for ticket in done:
            self._known.discard(ticket)
            if self._parts.requests is not None:
                self._parts.requests.done(self._parts.run, ticket)

    def next(self, now: float) -> Reopening | None:
        """What is to be taken up next, if there may be room for it and the rate allows it."""
        line = self._line(now)
        self._scheduler.makes_room = False
        if line is None or now < line.not_before:
            return None
        if self._scheduler.reopens(line.needs):
            return line.first
        self._scheduler.makes_room = True
        return None

    def take_up(self, now: float, events: Sequence[Reopened] | None) -> bool:
        """Take up what came next, by events that were made from the record as it stands; False if
        it has to wait: for room, or because its group is being published."""
        line = self._line(now)
        if line is not None and events is None:
            line.not_before = now + PULSE
            return False
        events = events or ()
        images = sum(isinstance(event, ImageReopened) for event in events)
        if line is None or (events and not self._scheduler.reopens(images)):
            if line is not None:
                line.needs = images
                self._scheduler.makes_room = True
            return False
        line.first = None
        if events:
            self._scheduler.reopen(events)
        if line is self._again and self._parts.rate is not None:
            self._reopens_at = max(now, self._reopens_at) + images / self._parts.rate
        return True

    def patience(self, now: float) -> float:
        """Seconds until the rate lets the next subject in."""
        waits = self._again is not None and self._reopens_at > now
        return self._reopens_at - now if waits else math.inf

    def _line(self, now: float) -> _Line | None:
        """Whose turn it is."""
        while self._decided and self._decided[0].over():
            ticket = self._decided.popleft().ticket
            self._done += [] if ticket is None else [ticket]
        if self._again is not None and self._again.over():
            self._again = None
        self._scheduler.more_to_come = bool(self._decided) or self._again is not None
        if self._decided:
            return self._decided[0]
        return self._again if now >= self._reopens_at else None
