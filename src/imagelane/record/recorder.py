"""Group commit: what is decided while the disk writes becomes durable in its next transaction."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from imagelane.model.events import Event, subject_of
from imagelane.model.ids import Subject
from imagelane.ports.clock import Clock
from imagelane.ports.faults import Fault, no_fault
from imagelane.ports.journal import Claimed, Journal, JournalFullError
from imagelane.ports.observer import Observer

Follows = TypeVar("Follows")
"""What is done because of events, once they are durable."""

AGAIN = 0.5
"""Seconds between two tries while the journal's disk is full."""


@dataclass(frozen=True, slots=True)
class Decided(Generic[Follows]):
    """Events that belong together, when they were decided (wall clock), and what follows."""

    at: float
    events: tuple[Event, ...]
    follows: Follows


class Recorder(Generic[Follows]):
    """Appends to one run, in order, one transaction at a time, beside the one who decides.

    Of what `durable` gives the events survive whatever happens, and observers know them.

    Args:
        writer: executes the transactions.
        wake: called, from any thread, when `durable` has something to give.
    """

    def __init__(
        self,
        journal: Journal,
        claimed: Claimed,
        clock: Clock,
        observers: Sequence[Observer],
        writer: Executor,
        wake: Callable[[], None],
        fault: Fault = no_fault,
    ) -> None:
        self._journal = journal
        self._claimed = claimed
        self._clock = clock
        self._observers = observers
        self._writer = writer
        self._wake = wake
        self._fault = fault
        self._waiting: deque[Decided[Follows]] = deque()
        self._writing: deque[Decided[Follows]] = deque()
        self._write: Future[None] | None = None
        self._undurable: Counter[Subject] = Counter()
        self._again_at = 0.0
        self.full: JournalFullError | None = None
        """Why nothing can be recorded for the time being; it is tried again now and then."""

    @property
    def idle(self) -> bool:
        """Whether everything that was decided is durable, and was given out."""
        return self._write is None and not self._waiting

    def touches(self, subject: Subject) -> bool:
        """Whether something that was decided of the subject is not durable yet."""
        return subject in self._undurable

    def touches_group(self, number: int) -> bool:
        """Whether something of the group or one of its members is not durable yet."""
        return any(subject.group == number for subject in self._undurable)

    def decide(self, events: Sequence[Event], follows: Follows) -> None:
        """Have events made durable, all or none, after all that were decided before; no events:
        what follows waits for those."""
        self._waiting.append(Decided(self._clock.now(), tuple(events), follows))
        self._undurable.update(map(subject_of, events))

    def durable(self) -> Iterator[Decided[Follows]]:
        """What has become durable since the last call, in order; the next transaction begins.

        Raises:
            StaleFenceError: another coordinator owns the run now.
            JournalError: the journal cannot be written; nothing of this transaction was recorded.
        """
        while self._advance():
            while self._writing:
                decided = self._writing.popleft()
                for event in decided.events:
                    self._forget(subject_of(event))
                if decided.events:
                    for observer in self._observers:
                        observer.recorded(decided.events)
                yield decided

    def patience(self, now: float, longest: float) -> float:
        """Seconds until `durable` must be asked though nobody has called ``wake``: while the disk
        is full there is nobody to call it."""
        return longest if self.full is None else min(longest, max(0.0, self._again_at - now))

    def _advance(self) -> bool:
        """Whether a transaction is over, so that ``_writing`` holds what is durable."""
        if self._write is None:
            if not self._begin():
                return False
            if self._write is None:
                return True
        if not self._write.done():
            return False
        write, self._write = self._write, None
        try:
            write.result()
        except JournalFullError as error:
            self.full = error
            self._again_at = self._clock.monotonic() + AGAIN
            self._waiting.extendleft(reversed(self._writing))
            self._writing.clear()
            return False
        self.full = None
        return True

    def _begin(self) -> bool:
        if not self._waiting or (self.full and self._clock.monotonic() < self._again_at):
            return False
        self._writing, self._waiting = self._waiting, deque()
        rows = [(decided.at, event) for decided in self._writing for event in decided.events]
        if rows:
            self._write = self._writer.submit(self._append, rows)
            self._write.add_done_callback(lambda _: self._wake())
        return True

    def _append(self, rows: Sequence[tuple[float, Event]]) -> None:
        self._fault("record: before")
        self._journal.append(self._claimed, rows)
        self._fault("record: after")

    def _forget(self, subject: Subject) -> None:
        self._undurable[subject] -= 1
        if not self._undurable[subject]:
            del self._undurable[subject]
