"""Taking a run up again: the fold of its journal is where it stands."""

from __future__ import annotations

from imagelane.model.ids import RunId
from imagelane.model.run import RunState, evolve
from imagelane.ports.journal import Journal


def recover(journal: Journal, run: RunId) -> RunState:
    """The state at the end of the run's journal. Attempts that were in flight left no event, so
    they are dispatched anew."""
    state = RunState()
    for recorded in journal.events(run):
        evolve(state, recorded.event)
    return state
