"""One stage on one image of a run, tried anew on the side: nothing is recorded, nothing goes live.

What the stage needs is executed before it, in a scratch place. A stage that acts on the world
outside (`http`, `command`, one of the user's own) does so again.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from imagelane.config import machine
from imagelane.control import ControlError, spec_of
from imagelane.model.ids import StageName, Subject
from imagelane.model.outcome import Failure, Success
from imagelane.model.run import RunState, evolve
from imagelane.model.states import Scope
from imagelane.model.work import Order, OrderDone, StageReport
from imagelane.plan.logical import logical_plan
from imagelane.plan.physical import physical_plan
from imagelane.record.recall import recall
from imagelane.schedule.flight import compose
from imagelane.schedule.reported import failed, succeeded

if TYPE_CHECKING:
    from imagelane.model.plan import PhysicalPlan
    from imagelane.ports.journal import Journal, RunRow
    from imagelane.ports.pool import Pool


def reproduce(
    journal: Journal, row: RunRow, subject: Subject, stage: str, *, inline: bool = False
) -> Iterator[StageReport]:
    """The reports of the stages that the stage needs, and its own; ends with the first that failed.
    ``inline``: executed in this process, for a debugger.

    Raises:
        ControlError: there is no such image, or no such stage of an image.
    """
    spec = spec_of(row)
    plan = physical_plan(logical_plan(spec), spec.options, machine())
    wanted = _wanted(plan, stage)
    state = _begin(journal, row, subject)
    with tempfile.TemporaryDirectory(prefix="imagelane-") as place:
        pool = _pool(Path(place), Path(spec.folder), inline=inline)
        try:
            pool.open(plan)
            yield from _execute(plan, state, subject, wanted, pool)
        finally:
            pool.close(kill=True)


def _wanted(plan: PhysicalPlan, stage: str) -> frozenset[StageName]:
    of_images = {one.name: one for one in plan.logical.of_scope(Scope.IMAGE)}
    chosen = of_images.get(StageName(stage))
    if chosen is None:
        raise ControlError(
            f"the pipeline has no stage {stage!r} of images: expected one of {', '.join(of_images)}"
        )
    return frozenset({chosen.name, *chosen.ancestors})


def _begin(journal: Journal, row: RunRow, subject: Subject) -> RunState:
    """The image as it came in, and its group as it stands: a primary's facts are in it."""
    received = next(iter(journal.events(row.run, subject=subject)), None)
    group = recall(journal, row.run, subject.group)
    if received is None or group is None:
        raise ControlError(f"run {row.run} has no image {subject}; `imagelane status` says what is")
    state = RunState()
    state.groups[subject.group] = group.record
    evolve(state, received.event)
    return state


def _execute(
    plan: PhysicalPlan,
    state: RunState,
    subject: Subject,
    wanted: frozenset[StageName],
    pool: Pool,
) -> Iterator[StageReport]:
    stages = {one.name: one for one in plan.logical.stages}
    for number, segment in enumerate(plan.segments, 1):
        chosen = tuple(name for name in segment.stages if name in wanted)
        if not chosen or segment.scope is not Scope.IMAGE:
            continue
        order = compose(
            number,
            plan=plan,
            state=state,
            stages=stages,
            subject=subject,
            segment=segment,
            chosen=chosen,
        )
        # It is alone: whatever it decodes, nobody else waits for the memory.
        for report in _reports(pool, replace(order, reservation=plan.decoded_bytes)):
            yield report
            match report.outcome:
                case Success() as outcome:
                    evolve(state, succeeded(subject, 1, outcome, report))
                case Failure() as outcome:
                    evolve(state, failed(subject, 1, outcome, report, None))
        if state.images[subject].failed:
            return


def _reports(pool: Pool, order: Order) -> Iterator[StageReport]:
    pool.submit(order)
    while True:
        for report in pool.poll(1.0):
            if isinstance(report, OrderDone):
                return
            if isinstance(report, StageReport):
                yield report
            else:
                pool.grant(order.number)


def _pool(place: Path, folder: Path, *, inline: bool) -> Pool:
    artifacts, scratch = place / "artifacts", place / "scratch"
    artifacts.mkdir()
    scratch.mkdir()
    if inline:
        from imagelane.adapters.pools.inline import InlinePool  # noqa: PLC0415

        return InlinePool(artifacts, scratch, folder)
    from imagelane.adapters.pools.process import ProcessPool  # noqa: PLC0415

    return ProcessPool(artifacts, scratch, folder)
