"""Bursts and arrivals beyond what can be done: taken in as there is room, and no sooner."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import pytest

from imagelane.model.ids import StageName, Subject
from imagelane.model.outcome import Failure
from imagelane.model.policy import ExecutionModel, RetryPolicy, RunOptions
from imagelane.model.run import RunState
from imagelane.model.states import ErrorClass, ImageState, RunStatus
from imagelane.ports.source import SourceItem
from imagelane.testing.simulation import Does, World
from tests.simulation.pipelines import planned, reduces, stage, waits

A_GROUP = 100
MODELS = {
    "parallel": RunOptions(),
    "hybrid": RunOptions(model=ExecutionModel.HYBRID, batch_size=5, parallel_batches=2),
    "sequential": RunOptions(model=ExecutionModel.SEQUENTIAL),
}
STAGES = [stage("thumbnails"), waits("store", ["thumbnails"]), reduces("publish", ["store"])]


@dataclass(eq=False)
class Burst(Sequence[SourceItem]):
    """So many images, all there at once; each is made when it is asked for. ``ahead`` is by how
    many the reader was ever ahead of what is settled."""

    images: int
    state: RunState
    ahead: int = 0

    def __len__(self) -> int:
        return self.images

    @overload
    def __getitem__(self, place: int) -> SourceItem: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[SourceItem]: ...
    def __getitem__(self, place: int | slice) -> SourceItem | Sequence[SourceItem]:
        assert isinstance(place, int)
        settled = self.state.received - len(self.state.images)
        self.ahead = max(self.ahead, place + 1 - settled)
        group, ordinal = divmod(place, A_GROUP)
        size = min(A_GROUP, self.images - group * A_GROUP)
        return SourceItem(
            sequence=place,
            group=group + 1,
            ordinal=ordinal + 1,
            group_name=f"group-{group + 1}",
            group_size=size,
            name=f"{place}.jpg",
            path=f"/photos/{place}.jpg",
            bytes=1,
            mtime_ns=0,
            last=ordinal + 1 == size,
        )


def flood(count: int, options: RunOptions) -> tuple[World, Burst]:
    state = RunState()
    burst = Burst(count, state)
    return World(
        planned(STAGES, options), burst, lambda *_: Does(0.01), state=state, blind=True
    ), burst


@pytest.mark.parametrize("name", MODELS)
def test_no_more_is_taken_in_than_the_window_holds(name: str) -> None:
    """All arrive at once, and each takes its time: the source is read as images are settled."""
    world, burst = flood(1_000, MODELS[name])
    state = world.run()
    assert state.image_counts == {ImageState.PUBLISHED: 1_000}
    assert burst.ahead <= world.plan.window


@pytest.mark.slow
def test_a_burst_of_a_hundred_thousand_leaves_memory_flat() -> None:
    """What a journal keeps is thrown away here; what is left is what a coordinator holds."""
    looks: list[int] = []
    tasks = 0

    def behaviour(*_: object) -> Does:
        nonlocal tasks
        tasks += 1
        if tasks % 20_000 == 0:
            world.events.clear()
            world.executed.clear()
            gc.collect()
            looks.append(sys.getallocatedblocks())
        return Does(0.01)

    state = RunState()
    burst = Burst(100_000, state)
    stages = [waits("check"), reduces("publish", ["check"])]
    world = World(planned(stages), burst, behaviour, state=state, blind=True)
    world.run()
    assert state.status is RunStatus.FINISHED
    assert state.image_counts == {ImageState.PUBLISHED: 100_000}
    assert state.group_counts.total() == 1_000
    assert burst.ahead <= world.plan.window
    assert len(looks) >= 8
    # Objects of the interpreter: one for every twenty images that went by would be too many.
    assert looks[-1] - looks[1] < 4_000


@pytest.mark.parametrize("name", MODELS)
def test_a_dependency_that_fails_always_is_asked_no_more_than_its_attempts_allow(
    name: str,
) -> None:
    stages = [
        waits("check", workers=4, retry=RetryPolicy(attempts=3, initial=0.5, max=4.0)),
        reduces("publish", ["check"]),
    ]
    asked = 0

    def behaviour(stage: StageName, subject: Subject, attempt: int) -> Does:
        nonlocal asked
        del subject, attempt
        asked += stage == "check"
        return Does(0.1, Failure(ErrorClass.TRANSIENT, "503"))

    state = RunState()
    world = World(
        planned(stages, MODELS[name]), Burst(500, state), behaviour, state=state, blind=True
    )
    world.run()
    assert state.status is RunStatus.FINISHED
    assert state.image_counts == {ImageState.SKIPPED: 500}
    assert world.most_in_flight <= 5
    # Orders are looked at twice: when they are begun, and when they are executed.
    assert asked <= 2 * 3 * 500
