"""How pictures are encoded: the parameters that several stages share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from imagelane.declare.problems import shown
from imagelane.declare.values import MAX_PIXELS, Pixels, Quality, Strict, mistake

Format = Literal["jpeg", "webp", "avif", "png"]

# libvips: webpsave effort 0-6, heifsave effort 0-9, pngsave compression 0-9.
_MAX_EFFORT: Mapping[str, int] = {"webp": 6, "avif": 9, "png": 9}
_LOSSLESS = frozenset({"png"})
# The bitstreams have no room for more.
_MAX_SIDE: Mapping[str, int] = {"webp": 16_383, "avif": 16_384}


def unique(values: Sequence[Any]) -> tuple[Any, ...]:
    """Refuses a list that says something twice."""
    for index, value in enumerate(values):
        if value in values[:index]:
            raise mistake(f"{shown(value)} stands twice in the list", "each once")
    return tuple(values)


_UNIQUE = Field(min_length=1, max_length=32, json_schema_extra={"uniqueItems": True})

Widths = Annotated[Sequence[Pixels], _UNIQUE, AfterValidator(unique)]
Formats = Annotated[Sequence[Format], _UNIQUE, AfterValidator(unique)]
Keep = Annotated[
    Sequence[Literal["icc", "copyright"]],
    Field(json_schema_extra={"uniqueItems": True}),
    AfterValidator(unique),
]
Effort = Annotated[int, Field(ge=0, le=9)]


def _linear(value: Any) -> str | bool:
    if isinstance(value, bool):
        return value
    if value == "auto":
        return "auto"
    raise mistake("", "auto, true or false")


Linear = Annotated[
    Literal["auto"] | bool,
    PlainValidator(_linear),
    WithJsonSchema({"enum": ["auto", True, False]}),
]


class Coded(Strict):
    """What a stage that writes pictures may say of how they are written."""

    quality: Quality | None = None
    """From 1 to 100. Where nothing is said: JPEG 80, WebP 80, AVIF 50. PNG is lossless."""
    effort: Effort | None = None
    """How hard the encoder tries, from 0: WebP up to 6, AVIF and PNG up to 9."""
    keep: Keep = ("icc", "copyright")
    """What is kept of the metadata: `icc` the colour profile where the picture is not sRGB,
    `copyright` whose it is. Where it was taken is never kept."""


def check_coding(form: str, quality: int | None, effort: int | None) -> None:
    """Refuses what a format has not got.

    Raises:
        PydanticCustomError: a `mistake` at ``quality`` or ``effort``.
    """
    if quality is not None and form in _LOSSLESS:
        raise mistake(f"{form} is lossless and has no quality", "no quality", at="quality")
    most = _MAX_EFFORT.get(form)
    if effort is not None and most is None:
        raise mistake(f"{form} has no effort", "no effort", at="effort")
    if effort is not None and most is not None and effort > most:
        raise mistake(f"found {effort}", f"at most {most} for {form}", at="effort")


def check_sides(forms: Iterable[str], sides: Iterable[int | None], at: str) -> None:
    """Refuses sides that a format cannot have.

    Raises:
        PydanticCustomError: a `mistake` at the key that is named.
    """
    longest = max((side for side in sides if side), default=0)
    for form in forms:
        most = _MAX_SIDE.get(form, MAX_PIXELS)
        if longest > most:
            raise mistake(f"found {longest}", f"at most {most} pixels for {form}", at=at)
