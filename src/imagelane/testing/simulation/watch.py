"""Who looks on: keeps the ledger and holds everything that happens against the promises."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from imagelane.model import events as e
from imagelane.model.ids import Subject
from imagelane.model.plan import LogicalPlan
from imagelane.model.run import RunState
from imagelane.model.work import Order
from imagelane.ports.source import SourceItem
from imagelane.testing.simulation.bounds import ON_TURNS
from imagelane.testing.simulation.broken import BrokenGuaranteeError
from imagelane.testing.simulation.calls import Calls
from imagelane.testing.simulation.ledger import Ledger
from imagelane.testing.simulation.promises import (
    ON_EVENTS,
    ON_EVERY_EVENT,
    ON_PROMOTIONS,
    Commit,
)
from imagelane.testing.simulation.starts import ON_ORDERS, Start
from imagelane.testing.simulation.workers import Crew

CALLS = "who_is_called_and_how_often"


class Watch:
    """Looks on at one run.

    Every method raises `BrokenGuaranteeError` with the name of the promise that does not hold.
    """

    def __init__(
        self, plan: LogicalPlan, items: Sequence[SourceItem], before: Sequence[e.Event] = ()
    ) -> None:
        self.known = Ledger(plan, items)
        self.calls = Calls(plan)
        self.followed(before)

    def followed(self, events: Sequence[e.Event]) -> None:
        """These events were recorded by nobody who is looked at."""
        for event in events:
            deque(self.calls.recorded(self.known, events, event, 0.0), maxlen=0)
            self.known.follow(event)

    def recorded(self, events: Sequence[e.Event], fence: int, wall: float, crew: Crew) -> None:
        """These events are durable."""
        commit = Commit(fence, wall, crew)
        for event in events:
            for check in (*ON_EVERY_EVENT, *ON_EVENTS.get(type(event), ())):
                _hold(check.__name__, check(self.known, event, commit))
            for wrong in self.calls.recorded(self.known, events, event, wall):
                _hold(CALLS, wrong)
            self.known.follow(event)
        self.known.fence = max(self.known.fence, fence)

    def begun(
        self, order: Order, state: RunState, crew: Crew, wall: float, *, stopping: bool
    ) -> None:
        """This order is handed to a worker."""
        start = Start(order, state, crew, stopping)
        for check in ON_ORDERS:
            _hold(check.__name__, check(self.known, start))
        for wrong in self.calls.begun(self.known, order, wall, state):
            _hold(CALLS, wrong)

    def promoted(self, subject: Subject, fence: int, manifest: str) -> None:
        """A group, or the list of groups, is visible."""
        for check in ON_PROMOTIONS:
            _hold(check.__name__, check(self.known, subject, fence, manifest))
        self.known.live[subject] = (fence, manifest)

    def manifest(self, subject: Subject) -> str:
        """What a manifest of the subject would say, if it were made now."""
        return self.known.manifest(subject)

    def turned(self, state: RunState, crew: Crew) -> None:
        """The coordinator that records has made a turn."""
        for check in ON_TURNS:
            _hold(check.__name__, check(self.known, state, crew))


class Blind(Watch):
    """Looks away, and remembers nothing: for what is too large to keep a ledger of."""

    def recorded(self, events: Sequence[e.Event], fence: int, wall: float, crew: Crew) -> None:
        del events, wall, crew
        self.known.fence = max(self.known.fence, fence)

    def begun(
        self, order: Order, state: RunState, crew: Crew, wall: float, *, stopping: bool
    ) -> None: ...

    def promoted(self, subject: Subject, fence: int, manifest: str) -> None: ...

    def turned(self, state: RunState, crew: Crew) -> None: ...

    def manifest(self, subject: Subject) -> str:
        return str(subject)


def _hold(promise: str, wrong: str | None) -> None:
    if wrong is not None:
        raise BrokenGuaranteeError(wrong, promise)
