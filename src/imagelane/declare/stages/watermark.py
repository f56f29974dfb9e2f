"""`watermark`: whose picture it is, written on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import model_validator

from imagelane.declare.problems import Path
from imagelane.declare.stages.base import StageParameters
from imagelane.declare.stages.coding import Coded, check_coding, check_sides, check_target
from imagelane.declare.values import Colour, Pixels, Share, TemplateText, Text, mistake
from imagelane.model.spec import Extent, StageTraits

Position = Literal[
    "top-left",
    "top",
    "top-right",
    "left",
    "centre",
    "right",
    "bottom-left",
    "bottom",
    "bottom-right",
    "tiled",
]


class Watermark(StageParameters, Coded):
    """Put a text or a logo on the picture. It is put on the master, never on a picture that has
    one already."""

    KIND: ClassVar[str] = "watermark"
    TRAITS: ClassVar[StageTraits] = StageTraits(makes_picture=True, makes_renditions=True)

    text: TemplateText | None = None
    """The text; it may read facts, as in "© {copyright|Gazette}"."""
    logo: Text | None = None
    """Or a picture file, relative to the pipeline's folder."""
    width: Pixels | None = None
    """The width of what comes out, in pixels; the picture's own where nothing is said."""
    position: Position = "bottom-right"
    """Where it stands; `tiled` covers the picture."""
    opacity: Share = 0.7
    """From 0, not to be seen, to 1."""
    size: Share = 0.03
    """The text's height, or the logo's width, as a share of the picture's width."""
    margin: Share = 0.02
    """The distance from the edges, as a share of the picture's width."""
    color: Colour = "#ffffff"
    """The text's colour."""
    shadow: bool = True
    """Put a soft shadow under the text, so that it can be read on a light picture."""
    font: Text | None = None
    """The font by name, such as "DejaVu Sans Bold"."""
    format: Literal["jpeg", "webp", "avif", "png", "none"] = "jpeg"
    """The format that is written; `none` writes nothing and only changes the picture for the
    stages after it."""
    background: Colour = "#ffffff"
    """What shows through where a transparent picture becomes a JPEG."""

    def traits(self) -> StageTraits:
        return replace(self.TRAITS, makes_renditions=self.format != "none")

    def extent(self) -> Extent:
        return Extent(width=self.width)

    def templates(self) -> Iterable[tuple[Path, str, frozenset[str]]]:
        if self.text is not None:
            yield ("text",), self.text, frozenset()

    def files(self) -> Iterable[tuple[Path, str]]:
        if self.logo is not None:
            yield ("logo",), self.logo

    @model_validator(mode="after")
    def _possible(self) -> Watermark:
        if (self.text is None) == (self.logo is None):
            found = "found both text and logo" if self.text else "found neither text nor logo"
            raise mistake(found, "one of them")
        if not self.size:
            raise mistake("found 0", "a share above 0", at="size")
        if self.format != "none":
            check_coding(self.format, self.quality, self.effort)
            check_target(self.target, [self.format], quality=self.quality is not None)
            check_sides([self.format], [self.width], "width")
        return self
