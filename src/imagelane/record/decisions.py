"""Decisions carried out against the journal: each group's events, made when they are needed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from imagelane.model import events as e
from imagelane.model.decision import Decision
from imagelane.model.ids import RunId
from imagelane.model.plan import LogicalPlan
from imagelane.ports.journal import Journal
from imagelane.record.recall import recall
from imagelane.record.reopen import DecisionError, Followers, NotNowError, reopenings

Reopened = e.GroupReopened | e.ImageReopened
Refused = Callable[[str], None]
"""Told why a decision cannot be carried out."""


@dataclass(frozen=True, slots=True)
class Reopening:
    """A group that is to be taken up again. ``events`` makes the events for that from the record as
    it stands when it is called: an empty sequence where it cannot be done, None where it can be in
    a while."""

    group: int
    events: Callable[[], Sequence[Reopened] | None]


class Decider:
    """Turns decisions on one run into the events that carry them out."""

    def __init__(self, journal: Journal, run: RunId, plan: LogicalPlan) -> None:
        self._journal = journal
        self._run = run
        self._followers = Followers.of(plan)

    def events(self, decisions: Iterable[Decision]) -> Iterator[Sequence[Reopened]]:
        """The events, group by group.

        Raises:
            DecisionError: a decision of the group whose turn it is cannot be carried out.
        """
        ordered = sorted(decisions, key=lambda one: one.subject)
        for number, of_group in groupby(ordered, key=lambda one: one.subject.group):
            recalled = recall(self._journal, self._run, number)
            if recalled is None:
                raise DecisionError(
                    f"run {self._run} has no group {number}; `imagelane status --all` lists them"
                )
            yield reopenings(recalled, list(of_group), self._followers, time.time())

    def possible(
        self, decisions: Iterable[Sequence[Decision]], refused: Refused
    ) -> Iterator[Reopening]:
        """What carries decisions out; each sequence of them, which are of one group, as a whole or
        not at all."""
        for together in decisions:
            yield Reopening(
                together[0].subject.group, partial(self._if_possible, together, refused)
            )

    def _if_possible(
        self, together: Sequence[Decision], refused: Refused
    ) -> Sequence[Reopened] | None:
        try:
            return [event for group in self.events(together) for event in group]
        except NotNowError:
            return None
        except DecisionError as error:
            refused(str(error))
            return ()
