"""Decisions carried out against the journal: each group's events, made when they are needed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from imagelane.model import events as e
from imagelane.model.decision import Decision
from imagelane.model.ids import RunId
from imagelane.model.plan import LogicalPlan
from imagelane.ports.journal import Journal
from imagelane.record.recall import recall
from imagelane.record.reopen import DecisionError, Followers, reopenings

Reopened = e.GroupReopened | e.ImageReopened
Refused = Callable[[str], None]
"""Told why a decision cannot be carried out."""


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
    ) -> Iterator[Sequence[Reopened]]:
        """The events of those decisions that can be carried out; each sequence of them as a whole
        or not at all."""
        for together in decisions:
            try:
                yield from list(self.events(together))
            except DecisionError as error:
                refused(str(error))
