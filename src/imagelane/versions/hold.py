"""Legal holds: what is under one is neither erased nor cleared away."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from imagelane.adapters.owner import this_process
from imagelane.control import ControlError, quieted
from imagelane.model import events as e
from imagelane.model.ids import RunId, Subject
from imagelane.ports.journal import Journal, Mark, MarkKind, RunRow
from imagelane.versions.things import Thing, marks_on, thing_of
from imagelane.versions.withdraw import Why


def add_hold(
    journal: Journal,
    workspace: Path,
    row: RunRow,
    subjects: Sequence[Subject],
    why: Why,
    patience: float,
) -> list[RunId]:
    """Put images, or a group with all of its images, under a legal hold; it stands for the same in
    all runs. Gives the runs that were paused for it.

    Raises:
        ControlError: a run is at work for too long.
    """
    events = []
    for subject in subjects:
        of = thing_of(journal, row.run, subject)
        thing = (of.group, of.path, of.bytes, of.digest)
        events.append(e.HoldAdded(subject, *thing, why.reason, why.actor))
    return _record(journal, workspace, row, events, why, patience)


def remove_hold(
    journal: Journal,
    workspace: Path,
    row: RunRow,
    subjects: Sequence[Subject],
    why: Why,
    patience: float,
) -> list[RunId]:
    """Let the holds on images, or on a group, be over. One on the group of an image stays.

    Raises:
        ControlError: there is none, or a run is at work for too long.
    """
    events = []
    for subject in subjects:
        of = thing_of(journal, row.run, subject)
        own = [mark for mark in holds_on(journal, of) if mark.path or not of.path]
        if not own:
            where = f"; its group {of.group!r} is" if holds_on(journal, of) else ""
            raise ControlError(f"{subject} is under no legal hold of its own{where}")
        events.append(e.HoldRemoved(subject, of.group, of.path, of.digest, why.reason, why.actor))
    return _record(journal, workspace, row, events, why, patience)


def holds_on(journal: Journal, thing: Thing) -> list[Mark]:
    """The holds that an image or a group is under: its own, and that of its group."""
    return marks_on(journal, MarkKind.HOLD, thing)


def _record(
    journal: Journal,
    workspace: Path,
    row: RunRow,
    events: Sequence[e.Event],
    why: Why,
    patience: float,
) -> list[RunId]:
    paused = quieted(journal, workspace, [row], why.reason, why.actor, patience)
    claimed = journal.claim(row.run, this_process())
    now = time.time()
    journal.append(claimed, [(now, event) for event in events])
    return paused
