"""How pictures are encoded: the parameters that several stages share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema, model_validator

from imagelane.declare.problems import shown
from imagelane.declare.values import MAX_PIXELS, Pixels, Quality, Size, Strict, mistake

Format = Literal["jpeg", "webp", "avif", "png"]
Preset = Literal["fast", "balanced", "small"]

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


class Target(Strict):
    """What a file must be, where its quality is to be found for each picture."""

    ssimulacra2: Annotated[float, Field(ge=1, le=100)] | None = None
    """How good it must look beside the picture that it was made from, by SSIMULACRA 2: 90 and more
    can hardly be told from it, 70 is good, 50 is middling. The lowest quality that is good enough
    is taken; 100, where none is."""
    max_bytes: Size | None = None
    """How large the file may be, such as `120kB`: the quality is lowered until it fits, whatever
    `ssimulacra2` asks for. A picture that fits at no quality fails."""

    @model_validator(mode="after")
    def _something(self) -> Target:
        if self.ssimulacra2 is None and self.max_bytes is None:
            raise mistake("found neither", "ssimulacra2, max_bytes or both")
        return self


class Coded(Strict):
    """What a stage that writes pictures may say of how they are written."""

    preset: Preset | None = None
    """How much time a smaller file is worth: `fast`, `balanced` or `small`. Where nothing is said:
    JPEG fast, the others balanced."""
    target: Target | None = None
    """Find the quality for each picture: `{ssimulacra2: 75}` says how good it must look,
    `{max_bytes: 120kB}` how large it may be; or both. What was found is recorded."""
    quality: Quality | None = None
    """From 1 to 100. Where nothing is said: JPEG 80, WebP 80, AVIF 50. PNG is lossless."""
    effort: Effort | None = None
    """How hard the encoder tries, from 0, instead of what `preset` says: WebP up to 6, AVIF and
    PNG up to 9."""
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


def check_target(target: Target | None, forms: Iterable[str], *, quality: bool) -> None:
    """Refuses a target that cannot be kept, or that says again what ``quality`` says.

    Raises:
        PydanticCustomError: a `mistake` at ``target``.
    """
    if target is None:
        return
    if quality and target.ssimulacra2 is not None:
        raise mistake("found both quality and target.ssimulacra2", "one of them", at="target")
    lossless = [form for form in forms if form in _LOSSLESS]
    if lossless and (target.max_bytes is not None or lossless == [*forms]):
        found = f"{lossless[0]} is lossless and has no quality that could be found"
        raise mistake(found, "no target", at="target")


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
