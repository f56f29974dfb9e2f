"""`encode`: the picture in the formats, and widths, that devices want."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import PlainValidator, WithJsonSchema, model_validator

from imagelane.declare.problems import nearest, one_of, shown
from imagelane.declare.stages.base import StageParameters
from imagelane.declare.stages.coding import (
    Formats,
    Keep,
    Linear,
    Preset,
    Target,
    Widths,
    check_coding,
    check_sides,
    check_target,
)
from imagelane.declare.values import Colour, mistake
from imagelane.model.spec import Extent, StageTraits

_FORMATS = ("jpeg", "webp", "avif", "png")


def _by_format(least: int, most: int) -> Any:
    """A whole number for all formats, or a mapping of format to number."""
    expected = f"a whole number from {least} to {most}, or one for each format: {{avif: {least}}}"

    def check(value: Any) -> int | dict[str, int]:
        numbers = value if isinstance(value, Mapping) else {"": value}
        for form, number in numbers.items():
            if form not in {"", *_FORMATS}:
                raise mistake(f"found {shown(form)}", one_of(_FORMATS), nearest(form, _FORMATS))
            if isinstance(number, bool) or not isinstance(number, int):
                raise mistake("", expected)
            if not least <= number <= most:
                raise mistake(f"found {shown(number)}", expected)
        return dict(value) if isinstance(value, Mapping) else int(value)

    number = {"type": "integer", "minimum": least, "maximum": most}
    each = {
        "type": "object",
        "properties": dict.fromkeys(_FORMATS, number),
        "additionalProperties": False,
    }
    return [PlainValidator(check), WithJsonSchema({"anyOf": [number, each]})]


Qualities = Annotated[int | Mapping[str, int], *_by_format(1, 100)]
Efforts = Annotated[int | Mapping[str, int], *_by_format(0, 9)]


class Encode(StageParameters):
    """Write the picture in several formats and widths, for a page's srcset."""

    KIND: ClassVar[str] = "encode"
    TRAITS: ClassVar[StageTraits] = StageTraits(makes_renditions=True)

    formats: Formats = ("avif", "webp", "jpeg")
    """The formats that are written."""
    widths: Widths | None = None
    """Widths in pixels; null writes the picture in its own."""
    preset: Preset | None = None
    """How much time a smaller file is worth: `fast`, `balanced` or `small`. Where nothing is said:
    JPEG fast, the others balanced."""
    target: Target | None = None
    """Find the quality for each file: `{ssimulacra2: 75}` says how good it must look,
    `{max_bytes: 120kB}` how large it may be; or both. What was found is recorded."""
    quality: Qualities | None = None
    """From 1 to 100, for all formats or for each. Where nothing is said: JPEG 80, WebP 80,
    AVIF 50."""
    effort: Efforts | None = None
    """How hard the encoder tries, for all formats or for each, instead of what `preset` says: WebP
    up to 6, AVIF up to 9."""
    linear: Linear = "auto"
    """Shrink in linear light: finer in small sizes, and half as fast. `auto` does so up to 320."""
    keep: Keep = ("icc", "copyright")
    """What is kept of the metadata; where the picture was taken never is."""
    background: Colour = "#ffffff"
    """What shows through where a transparent picture becomes a JPEG."""

    def extent(self) -> Extent:
        return Extent(width=max(self.widths)) if self.widths else Extent()

    @model_validator(mode="after")
    def _possible(self) -> Encode:
        # A number for all formats is meant for those that have such a setting.
        for form, number in self.quality.items() if isinstance(self.quality, Mapping) else ():
            check_coding(form, number, None)
        for form, number in self.effort.items() if isinstance(self.effort, Mapping) else ():
            check_coding(form, None, number)
        if isinstance(self.effort, int) and self.effort > 6 and "webp" in self.formats:
            raise mistake(f"found {self.effort}", "at most 6 for webp", at="effort")
        check_target(self.target, self.formats, quality=self.quality is not None)
        check_sides(self.formats, self.widths or (), "widths")
        return self
