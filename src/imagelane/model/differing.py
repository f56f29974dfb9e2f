"""What a run would do again, compared with an earlier one, and why."""

from __future__ import annotations

from dataclasses import dataclass

from imagelane.model.ids import StageName
from imagelane.model.states import Scope


@dataclass(frozen=True, slots=True)
class StageDifference:
    """``reasons`` say what of the stage itself is other than it was; ``follows`` names the stages
    that it takes something from and that are other, or follow others. Neither: it is as it was.
    ``tasks`` is how many of its ``of_all`` tasks would be executed at most."""

    name: StageName
    scope: Scope
    reasons: tuple[str, ...] = ()
    follows: tuple[StageName, ...] = ()
    always: bool = False
    """It may act on the world outside, so it is executed each time."""
    publishes: bool = False
    """It makes live what differs from what is; of the others it takes none."""
    tasks: int = 0
    of_all: int = 0

    @property
    def other(self) -> bool:
        return bool(self.reasons or self.follows)


@dataclass(frozen=True, slots=True)
class SourceDifference:
    """Counts of images by what their sizes, times and numbers on the disk tell. ``doubtful`` are
    those, new or changed, that are as large as a file that was read before: they may only have been
    touched, renamed or copied, so their bytes are looked at. ``groups`` is how many groups there
    are, ``groups_touched`` how many have another image, or another order of them."""

    same: int = 0
    changed: int = 0
    new: int = 0
    gone: int = 0
    doubtful: int = 0
    groups: int = 0
    groups_touched: int = 0
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanDifference:
    """``source`` is None where the list of that run's images is gone. ``gone`` are stages that are
    no more."""

    run: str
    at: float
    stages: tuple[StageDifference, ...]
    source: SourceDifference | None
    gone: tuple[StageName, ...] = ()
