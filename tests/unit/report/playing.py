"""Plays a made-up run to an observer, as an engine would: fold, tell, pulse."""

from __future__ import annotations

from collections.abc import Iterator

from imagelane.model.events import Event
from imagelane.model.ids import StageName
from imagelane.model.run import RunState, evolve
from imagelane.ports.observer import Observer, Pulse
from tests.unit.report.made_up import NEEDS, RUN, WALL, MadeUp, Recipe, plan

STEP = 0.125


def moments(recipe: Recipe) -> Iterator[tuple[RunState, list[Event], Pulse]]:
    """The state after each step of time, what was recorded in it, and the pulse."""
    state, waiting = RunState(), MadeUp(recipe).events()
    expected = (sum(recipe.groups.values()), len(recipe.groups))
    elapsed, place = 0.0, 0
    while place < len(waiting):
        elapsed += STEP
        batch = []
        while place < len(waiting) and waiting[place][0] - WALL <= elapsed:
            batch.append(waiting[place][1])
            place += 1
        for event in batch:
            evolve(state, event)
        running: dict[StageName, int] = {}
        for image in state.images.values():
            for stage in list(NEEDS)[:6]:
                if not image.resolved(StageName(stage)):
                    running[StageName(stage)] = running.get(StageName(stage), 0) + 1
                    break
        yield state, batch, Pulse({}, running, expected, elapsed)


def play(recipe: Recipe, observer: Observer) -> RunState:
    """The whole run, from `opened` to `closed`."""
    expected = (sum(recipe.groups.values()), len(recipe.groups))
    observer.opened(plan(recipe.moderators), RUN, expected)
    state = RunState()
    for state, batch, pulse in moments(recipe):
        if batch:
            observer.recorded(batch)
        observer.pulse(state, pulse)
    observer.closed(state)
    return state
