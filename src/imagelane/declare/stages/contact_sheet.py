"""`contact-sheet`: all pictures of a group on one page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from imagelane.declare.problems import Path
from imagelane.declare.stages.base import StageParameters
from imagelane.declare.stages.coding import Format, Preset, check_coding
from imagelane.declare.values import Colour, Quality, TemplateText, Text
from imagelane.model.spec import Reads, StageTraits
from imagelane.model.states import Scope


class ContactSheet(StageParameters):
    """Lay all pictures of a group, or of the run, out on one sheet, in their order. What is missing
    has a marked place."""

    KIND: ClassVar[str] = "contact-sheet"
    TRAITS: ClassVar[StageTraits] = StageTraits(
        scopes=frozenset({Scope.GROUP, Scope.RUN}),
        reads=Reads.RENDITIONS,
        makes_renditions=True,
        gathers=True,
    )

    of: Text | None = None
    """The stage whose files are shown; the one that is needed, where there is but one."""
    cell: Annotated[int, Field(ge=16, le=2000)] = 240
    """The side of a picture's place, in pixels."""
    columns: Annotated[int, Field(ge=1, le=100)] | None = None
    """How many stand side by side; nearly square where nothing is said."""
    labels: bool = True
    """Write the file's name below each picture."""
    title: TemplateText | None = None
    """A line above; it may read {group} and facts of the {primary.…}."""
    format: Format = "jpeg"
    """The format that is written."""
    preset: Preset | None = None
    """How much time a smaller file is worth: `fast`, `balanced` or `small`. Where nothing is said:
    JPEG fast, the others balanced."""
    quality: Quality | None = None
    """From 1 to 100. Where nothing is said: JPEG 80, WebP 80, AVIF 50. PNG is lossless."""
    background: Colour = "#ffffff"
    """The sheet's colour."""

    def templates(self) -> Iterable[tuple[Path, str, frozenset[str]]]:
        if self.title is not None:
            yield ("title",), self.title, frozenset()

    def inputs(self) -> Iterable[tuple[Path, str]]:
        if self.of is not None:
            yield ("of",), self.of

    @model_validator(mode="after")
    def _possible(self) -> ContactSheet:
        check_coding(self.format, self.quality, None)
        return self
