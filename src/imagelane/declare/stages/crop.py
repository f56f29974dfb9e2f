"""`crop`: a part of the picture, for the stages after it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import PlainValidator, WithJsonSchema, model_validator

from imagelane.declare.problems import Path
from imagelane.declare.stages.base import StageParameters
from imagelane.declare.values import Pixels, fraction, mistake, template_text
from imagelane.model.spec import Extent, StageTraits

_ASPECT = re.compile(r"[1-9][0-9]{0,4}:[1-9][0-9]{0,4}")


def _aspect(value: Any) -> str:
    if not isinstance(value, str) or not _ASPECT.fullmatch(value):
        raise mistake("", "width:height, such as 3:2")
    return value


def _focal(value: Any) -> tuple[float, float] | str:
    if isinstance(value, str):
        return template_text(value)
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise mistake("", "two shares [x, y] of width and height, or a template such as {focal}")
    return fraction(value[0]), fraction(value[1])


_SHARE = {"anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "string"}]}

Aspect = Annotated[
    str,
    PlainValidator(_aspect),
    WithJsonSchema({"type": "string", "pattern": f"^{_ASPECT.pattern}$", "examples": ["3:2"]}),
]
Focal = Annotated[
    Sequence[float | str] | str,
    PlainValidator(_focal),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "array", "items": _SHARE, "minItems": 2, "maxItems": 2},
                {"type": "string", "minLength": 1},
            ],
            "examples": [[0.5, 0.3], "{focal}"],
        }
    ),
]


class Crop(StageParameters):
    """Cut the picture that later stages see, to a size or to a shape."""

    KIND: ClassVar[str] = "crop"
    TRAITS: ClassVar[StageTraits] = StageTraits(makes_picture=True)

    width: Pixels | None = None
    """Width in pixels: the picture is shrunk to cover the size, then cut to it."""
    height: Pixels | None = None
    """Height in pixels."""
    aspect: Aspect | None = None
    """Or a shape: width to height, such as 3:2; as much of the picture as there is."""
    at: Literal["centre", "attention", "entropy"] = "centre"
    """What stays in the picture: its middle, what draws the eye, or where most is going on."""
    focal: Focal | None = None
    """The point that stays in the picture, as shares of width and height; wins over `at`."""

    def extent(self) -> Extent:
        return Extent() if self.aspect else Extent(self.width, self.height, "cover")

    def templates(self) -> Iterable[tuple[Path, str, frozenset[str]]]:
        if isinstance(self.focal, str):
            yield ("focal",), self.focal, frozenset()

    @model_validator(mode="after")
    def _shaped(self) -> Crop:
        sides = [self.width, self.height]
        if self.aspect and any(sides):
            raise mistake("aspect beside width or height", "a size or a shape", at="aspect")
        if not self.aspect and not all(sides):
            raise mistake("found no whole size", "width and height, or aspect")
        return self
