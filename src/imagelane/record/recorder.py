"""Group commit: all events of one turn of the engine become durable in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from imagelane.model.events import Event
from imagelane.ports.clock import Clock
from imagelane.ports.faults import Fault, no_fault
from imagelane.ports.journal import Claimed, Journal
from imagelane.ports.observer import Observer


class Recorder:
    """Appends to one run. On return of `record` the events are durable, and observers know them."""

    def __init__(
        self,
        journal: Journal,
        claimed: Claimed,
        clock: Clock,
        observers: Sequence[Observer],
        fault: Fault = no_fault,
    ) -> None:
        self._journal = journal
        self._claimed = claimed
        self._clock = clock
        self._observers = observers
        self._fault = fault

    def record(self, events: Sequence[Event]) -> None:
        """Make events durable, all or none.

        Raises:
            StaleFenceError: another coordinator owns the run now.
            JournalError: the journal cannot be written; nothing of this call was recorded.
        """
        if not events:
            return
        at = self._clock.now()
        self._fault("record: before")
        self._journal.append(self._claimed, [(at, event) for event in events])
        self._fault("record: after")
        for observer in self._observers:
            observer.recorded(events)
