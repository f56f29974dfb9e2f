"""What people do to a run in a simulated world: send round again what failed, decide what waits."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence

from imagelane.model import events as e
from imagelane.model.decision import RESOLVES, TAKES, Decision, Verb
from imagelane.model.ids import RunId, Subject
from imagelane.model.plan import LogicalPlan
from imagelane.model.states import GroupState, ImageState
from imagelane.ports.journal import Journal
from imagelane.record.dead_letters import by_group, dead_letters
from imagelane.record.decisions import Decider, Reopened
from imagelane.testing.journals import MemoryJournal

RUN = RunId("run")
_WAITS = frozenset[ImageState]().union(*(TAKES[verb] for verb in RESOLVES))


def redriven(journal: Journal, run: RunId) -> Iterator[list[Decision]]:
    """Everything that failed for good is tried again, group by group."""
    for letters in by_group(dead_letters(journal, run)):
        subjects = sorted({one.subject for one in letters if one.subject.group})
        if subjects:
            yield [Decision(one, Verb.RETRY, "again", "somebody", "redrive") for one in subjects]


def decided(journal: Journal, run: RunId, draw: random.Random) -> list[Decision]:
    """What somebody decides on one to three subjects that have failed or wait, if there are any.
    Not all of it may be possible."""
    subjects = [row.subject for row in journal.images(run, states=_WAITS)]
    subjects += [
        Subject(row.group)
        for row in journal.groups(run)
        if row.state in {GroupState.HELD, GroupState.ABORTED, GroupState.PARTIAL}
    ]
    chosen = draw.sample(subjects, min(len(subjects), draw.randint(1, 3)))
    verbs = [*RESOLVES, Verb.RETRY, Verb.RETRY]
    return [Decision(one, draw.choice(verbs), "I say so", "somebody") for one in chosen]


def sent_round(events: Iterable[e.Event], plan: LogicalPlan) -> Sequence[Reopened]:
    """The events by which everything that failed, in a run that nobody executes, goes round
    again."""
    journal = MemoryJournal()
    journal.append(journal.create(RUN, {}, "somebody"), [(0.0, event) for event in events])
    decider = Decider(journal, RUN, plan)
    refused: list[str] = []
    return [
        event
        for group in list(decider.possible(redriven(journal, RUN), refused.append))
        for event in group.events() or ()
    ]
