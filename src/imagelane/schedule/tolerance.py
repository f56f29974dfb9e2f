"""When more images are lost than is tolerated.

Both rules count only what is certain, against a whole that is known: an image that is lost stays
lost, so once the share is passed it stays passed, and in which order the images were worked on
changes nothing. A run comes to the same end under every execution model; what differs is only how
much of it was done before the end was certain.
"""

from __future__ import annotations

from imagelane.model.policy import Tolerance
from imagelane.model.run import GroupRecord, RunState, lost_with


def group_loss(tolerance: Tolerance, group: GroupRecord) -> str | None:
    """Why a group is not tolerated as it stands; None while it is, or while its size is not known.

    Skipped and dead members count, rejected ones do not: a verdict is no failure. The reason gives
    no count, which would depend on how many happened to fail together.
    """
    share, size = tolerance.group, group.size
    if share is None or size is None or lost_with(group, group.state) <= share * size:
        return None
    return f"more than {share:.0%} of its {size} images are lost, which is all that is tolerated"


def run_loss(tolerance: Tolerance, state: RunState, expected: int) -> str | None:
    """Why a run is not tolerated as it stands; None while it is.

    ``expected`` is how many images the source has; 0: not known before it is exhausted. The images
    of aborted groups count whole as soon as the group is over. A run that failed so and was taken
    up all the same is not asked again: whoever did that wants what is left of it.
    """
    share, total = tolerance.run, state.received if state.exhausted else expected
    if share is None or not total or state.losses_accepted:
        return None
    lost = state.lost + sum(lost_with(group, group.state) for group in state.groups.values())
    if lost <= share * total:
        return None
    return f"more than {share:.0%} of its {total} images are lost, which is all that is tolerated"
