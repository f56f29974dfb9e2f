"""`normalize`: into which colours the picture is converted."""

from __future__ import annotations

from typing import ClassVar, Literal

from imagelane.declare.stages.base import StageParameters
from imagelane.declare.values import Colour
from imagelane.model.spec import Extent, StageTraits


class Normalize(StageParameters):
    """Turn the picture upright and convert its colours. Every picture is made upright sRGB with 8
    bits anyway; this stage is for those who want it otherwise, or on record."""

    KIND: ClassVar[str] = "normalize"
    TRAITS: ClassVar[StageTraits] = StageTraits(makes_picture=True, keeps_size=True)

    space: Literal["srgb", "display-p3", "keep"] = "srgb"
    """The colour space: `keep` leaves the picture in the one that its profile says."""
    background: Colour | None = "#ffffff"
    """What shows through where the picture is transparent; null keeps it transparent."""

    def extent(self) -> Extent:
        return Extent()
