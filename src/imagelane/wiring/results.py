"""How a run stands when it stands still."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from imagelane.model.ids import RunId
from imagelane.model.run import RunState
from imagelane.model.states import TAKEN_AWAY, GroupState, ImageState, RunStatus


@dataclass(frozen=True, slots=True)
class RunResult:
    """How a run stands when it stands still. Counts are of the whole run, over all resumptions."""

    run: RunId
    status: RunStatus
    reason: str
    images: Mapping[ImageState, int]
    groups: Mapping[GroupState, int]
    workspace: Path
    new: bool = True
    """False: there was nothing to do, and it is the earlier run that did it."""

    @property
    def whole(self) -> bool:
        """Whether it finished and everything in it is live."""
        return (
            self.status is RunStatus.FINISHED
            and set(self.images) <= {ImageState.PUBLISHED, *TAKEN_AWAY}
            and set(self.groups) <= {GroupState.PUBLISHED, GroupState.WITHDRAWN}
        )


def result(state: RunState, number: RunId, workspace: Path) -> RunResult:
    """A run's result from its state. Images of groups that wait are counted as they settled."""
    images = dict(state.image_counts)
    groups = dict(state.group_counts)
    for group in state.groups.values():
        groups[group.state] = groups.get(group.state, 0) + 1
        for settled, count in group.settled.items():
            images[settled] = images.get(settled, 0) + count
    if state.images:
        images[ImageState.PROCESSING] = images.get(ImageState.PROCESSING, 0) + len(state.images)
    return RunResult(number, state.status, state.reason, images, groups, workspace)
