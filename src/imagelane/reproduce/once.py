"""One stage on one image of a run, tried anew on the side.

What the stage needs is executed before it. A stage that acts on the world outside (`http`,
`command`, one of the user's own) does so again.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from imagelane.config import machine
from imagelane.control import spec_of
from imagelane.model.ids import Subject
from imagelane.model.states import Scope
from imagelane.model.work import StageReport
from imagelane.plan.logical import logical_plan
from imagelane.plan.physical import physical_plan
from imagelane.reproduce.trial import trial, wanted

if TYPE_CHECKING:
    from imagelane.ports.journal import Journal, RunRow


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
    needed = wanted(plan, stage)
    with trial(journal, row, subject, plan, Path(spec.folder), inline=inline) as at:
        for segment in plan.segments:
            chosen = tuple(name for name in segment.stages if name in needed)
            if not chosen or segment.scope is not Scope.IMAGE:
                continue
            yield from at.execute(chosen)
            if at.state.images[subject].failed:
                return
