"""`resize`: the picture in another size, for the stages after it."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import model_validator

from imagelane.declare.stages.base import StageParameters
from imagelane.declare.values import Pixels, mistake
from imagelane.model.spec import Extent, StageTraits


class Resize(StageParameters):
    """Make the picture that later stages see smaller (or larger, where that is allowed)."""

    KIND: ClassVar[str] = "resize"
    TRAITS: ClassVar[StageTraits] = StageTraits(makes_picture=True)

    width: Pixels | None = None
    """The box's width in pixels."""
    height: Pixels | None = None
    """The box's height in pixels."""
    fit: Literal["inside", "cover", "fill"] = "inside"
    """`inside`: as large as fits. `cover`: as small as covers the box. `fill`: stretched to it."""
    upscale: bool = False
    """Let a picture that is too small be enlarged."""

    def extent(self) -> Extent:
        return Extent(self.width, self.height, "inside" if self.fit == "inside" else "cover")

    @model_validator(mode="after")
    def _sized(self) -> Resize:
        if self.width is None and self.height is None:
            raise mistake("found neither width nor height", "one of them, or both")
        if self.fit != "inside" and (self.width is None or self.height is None):
            missing = "height" if self.height is None else "width"
            raise mistake(f"{self.fit!r} without a {missing}", "width and height", at="fit")
        return self
