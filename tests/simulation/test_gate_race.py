"""The last members of a group finish together, fail, or are killed: its gate opens once."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from imagelane.model import events as e
from imagelane.model.ids import StageName, Subject
from imagelane.model.outcome import Failure
from imagelane.model.states import ErrorClass, ImageState, RunStatus
from imagelane.testing.simulation import Behaviour, Does
from tests.simulation.test_engine import RUN, Rig

RACES = 1000
PARTS = 8
"""The races are run in as many parts, so that several processors share them."""


def racing(draw: Random) -> Behaviour:
    """Everybody takes the same time or nearly, so that many finish in one turn; now and then a
    worker dies with one of the last in its hands, once or for good."""
    ties = draw.choice([1.0, 0.5, 0.1])
    dying = draw.choice([0.0, 0.1, 0.6])
    fates: dict[tuple[StageName, Subject, int], Does] = {}

    def behave(stage: StageName, subject: Subject, attempt: int) -> Does:
        key = (stage, subject, attempt)
        if key not in fates:
            seconds = 1.0 if draw.random() < ties else draw.uniform(0.9, 1.1)
            dies = subject.ordinal and stage == "store" and draw.random() < dying
            died = Failure(ErrorClass.WORKER_DIED, "killed")
            fates[key] = Does(seconds, died) if dies else Does(seconds)
        return fates[key]

    return behave


@pytest.mark.parametrize("part", range(PARTS))
def test_a_gate_opens_once_whoever_comes_last(tmp_path: Path, part: int) -> None:
    for seed in range(part, RACES, PARTS):
        draw = Random(seed)
        groups = [draw.randint(1, 3) for _ in range(draw.randint(1, 3))]
        rig = Rig(tmp_path, groups=groups, behaviour=racing(draw))
        state = rig.engine().execute()
        assert state.status is RunStatus.FINISHED, seed
        opened = Counter(
            one.event.subject
            for one in rig.journal.events(RUN)
            if isinstance(one.event, e.GateOpened) and one.event.stage == "publish"
        )
        promoted = Counter(order.subject for order, _ in rig.promoted)
        left = {
            row.subject.of_group
            for row in rig.journal.images(RUN)
            if row.state is ImageState.PUBLISHED
        }
        assert set(opened) == left, f"seed {seed}: a gate opens for whoever is left"
        assert set(opened.values()) <= {1}, seed
        assert promoted == opened, seed
        counts = rig.journal.image_counts(RUN)
        assert sum(counts.values()) == sum(groups), seed
        assert set(counts) <= {ImageState.PUBLISHED, ImageState.SKIPPED}, seed
