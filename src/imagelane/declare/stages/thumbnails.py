"""`thumbnails`: the picture in several widths."""

from __future__ import annotations

from typing import ClassVar

from pydantic import model_validator

from imagelane.declare.stages.base import StageParameters
from imagelane.declare.stages.coding import (
    Coded,
    Format,
    Linear,
    Widths,
    check_coding,
    check_sides,
    check_target,
)
from imagelane.declare.values import Colour
from imagelane.model.spec import Extent, StageTraits


class Thumbnails(StageParameters, Coded):
    """Make the picture in several widths, one file each. None is ever larger than the picture."""

    KIND: ClassVar[str] = "thumbnails"
    TRAITS: ClassVar[StageTraits] = StageTraits(makes_renditions=True)

    widths: Widths = (160, 480, 1080)
    """Widths in pixels; the height follows."""
    format: Format = "jpeg"
    """The format that is written."""
    linear: Linear = "auto"
    """Shrink in linear light: finer in small sizes, and half as fast. `auto` does so up to 320."""
    background: Colour = "#ffffff"
    """What shows through where a transparent picture becomes a JPEG."""

    def extent(self) -> Extent:
        return Extent(width=max(self.widths))

    @model_validator(mode="after")
    def _possible(self) -> Thumbnails:
        check_coding(self.format, self.quality, self.effort)
        check_target(self.target, [self.format], quality=self.quality is not None)
        check_sides([self.format], self.widths, "widths")
        return self
