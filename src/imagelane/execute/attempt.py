"""What a stage has in hand while it tries, and what it hands back."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from imagelane.execute.errors import InvalidError
from imagelane.execute.facts import Facts
from imagelane.execute.message import PlannedStage
from imagelane.execute.sniff import FORMATS
from imagelane.model.ids import StageName
from imagelane.model.outcome import Rendition, Verdict
from imagelane.model.spec import Resampler

if TYPE_CHECKING:
    from imagelane.execute.picture import Picture
    from imagelane.execute.workpiece import Workpiece


@dataclass(frozen=True, slots=True)
class Result:
    """What a stage made. ``picture`` is what stages that need it will see."""

    renditions: tuple[Rendition, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    verdict: Verdict | None = None
    picture: Picture | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of one stage at one workpiece.

    ``number`` counts from 1. ``deadline`` is in seconds of the monotonic clock; a supervisor
    enforces it for worker processes, a stage that waits on a thread must keep it itself.
    """

    stage: PlannedStage
    piece: Workpiece
    number: int = 1
    deadline: float | None = None

    def picture(self) -> Picture:
        """The picture that the plan gives this stage, upright and in sRGB unless normalised."""
        return self.piece.picture(self.stage.picture)

    def save(self, name: str, format_: str, data: bytes, picture: Picture) -> Rendition:
        """Store a finished picture file in the artifact store, inspected and durable.

        Raises:
            BugError: it is not what it should be, or tells more than it may.
        """
        from imagelane.execute.inspection import inspect  # noqa: PLC0415 - loads libvips

        inspect(data, format_, picture.width, picture.height)
        return self.piece.shelf.put(name, format_, data, picture.width, picture.height)

    def collect(self, name: str, format_: str, data: bytes) -> Rendition:
        """Store a file that somebody else's code made; a picture must be one, without a position.

        Raises:
            BugError: it is not what its format says, or tells where it was taken.
        """
        from imagelane.execute.inspection import examine  # noqa: PLC0415 - loads libvips

        width, height = examine(data, format_) if format_ in FORMATS else (0, 0)
        return self.piece.shelf.put(name, format_, data, width, height)

    def largest_of(self, stage: StageName) -> Rendition:
        """The largest file that an earlier stage made.

        Raises:
            InvalidError: it made none.
        """
        files = [one for one in self.piece.order.inputs.get(stage, ()) if one.format != "raw"]
        if not files:
            raise InvalidError(f"stage {stage!r} has made no file of this image")
        return max(files, key=lambda one: (one.width * one.height, one.bytes, one.digest))

    @property
    def resampler(self) -> Resampler:
        """What the plan says that makes pictures smaller or larger."""
        return self.piece.opening.resampler

    def facts(self) -> Facts:
        """What this stage's templates may read."""
        return Facts(self.stage, self.piece.opening, self.piece.order, self.piece.facts)

    def seconds_left(self, otherwise: float) -> float:
        """Until the deadline, never less than a moment; ``otherwise`` where there is none."""
        if self.deadline is None:
            return otherwise
        return max(0.05, self.deadline - time.monotonic())
