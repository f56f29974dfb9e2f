"""The kinds of value that a declaration is made of: sizes, durations, shares, colours, templates.

Each is a type for pydantic models. What it takes in may be text as people write it ("10s",
"200MB", "90%"); what it leaves in the model is one plain number or a normalised text. Every mistake
is a `mistake`, so that messages are the same everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainValidator,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError

from imagelane.declare.problems import shown
from imagelane.model.template import TemplateError, parse


class Strict(BaseModel):
    """Frozen; an unknown key is an error; nothing is converted silently."""

    model_config = ConfigDict(
        # A schema is built when its stage is first declared: most pipelines use a few of them.
        defer_build=True,
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        hide_input_in_errors=True,
    )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        from imagelane.declare.docstrings import describe  # noqa: PLC0415 - reads source code

        found = handler.resolve_ref_schema(handler(schema))
        describe(cls, found["properties"])
        return found


def mistake(found: str, expected: str = "", hint: str = "", at: str = "") -> PydanticCustomError:
    """What a validator raises. ``found`` is one line, empty where the value itself says it;
    ``at`` names the key below the one that is validated where the mistake stands."""
    facts = {"found": found, "expected": expected, "hint": hint, "at": at}
    return PydanticCustomError("mistake", "{found}, expected {expected}", facts)


MAX_PIXELS = 65_535
"""A side of a JPEG can be no longer."""

Pixels = Annotated[int, Field(ge=1, le=MAX_PIXELS)]
Text = Annotated[str, Field(min_length=1, max_length=10_000)]
Quality = Annotated[int, Field(ge=1, le=100)]
Count = Annotated[int, Field(ge=1, le=100_000)]

_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?(ms|s|m|h|d)")
_UNITS = (("ms", "0.001"), ("s", "1"), ("m", "60"), ("h", "3600"), ("d", "86400"))
_SECONDS = {unit: Decimal(s) for unit, s in _UNITS}
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?) ?([kKMGT]i?)?B")
_POWERS = {"k": 1, "K": 1, "M": 2, "G": 3, "T": 4}
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,9})?) ?%")
_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")

MAX_SECONDS = 366 * 86400
MAX_SIZE = 10**15


def seconds(value: Any) -> float:
    """``10s``, ``500ms``, ``10m``, ``1h``, ``2d`` or a number of seconds, as seconds."""
    amount: float | None = None
    if isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
        amount = float(Decimal(match.group(1)) * _SECONDS[match.group(2)])
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        amount = float(value)
    if amount is None or not 0 < amount <= MAX_SECONDS:
        raise mistake("", "a time of up to a year, such as 500ms, 10s, 10m or 1h")
    return amount


def byte_count(value: Any) -> int:
    """``200MB``, ``2GiB`` or a number of bytes, as bytes."""
    amount: int | None = None
    if isinstance(value, str) and (match := _SIZE.fullmatch(value.strip())):
        unit = match.group(2) or ""
        power = _POWERS[unit[0]] if unit else 0
        amount = int(Decimal(match.group(1)) * (1024 if unit.endswith("i") else 1000) ** power)
    elif isinstance(value, int) and not isinstance(value, bool):
        amount = value
    if amount is None or not 0 < amount <= MAX_SIZE:
        raise mistake("", "a size such as 200MB, 2GiB or a number of bytes")
    return amount


def fraction(value: Any) -> float:
    """``90%`` or a number from 0 to 1, as that number."""
    amount: float | None = None
    if isinstance(value, str) and (match := _PERCENT.fullmatch(value.strip())):
        amount = float(Decimal(match.group(1)) / 100)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        amount = float(value)
    if amount is None or not 0 <= amount <= 1:
        raise mistake("", "a share from 0 to 1, such as 0.9 or 90%")
    return amount


def hex_colour(value: Any) -> str:
    """``#fff`` or ``#ffffff``, as six lower-case digits."""
    if not isinstance(value, str) or not _COLOUR.fullmatch(value):
        hint = 'it needs quotes in YAML, where a bare # begins a comment: "#ffffff"'
        raise mistake("", "a colour such as #ffffff", "" if value else hint)
    digits = value[1:].lower()
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def template_text(value: Any) -> str:
    """Text whose ``{facts}`` can be read."""
    if not isinstance(value, str) or not 0 < len(value) <= 10_000:
        hint = 'braces need quotes in YAML: "{fact}"' if isinstance(value, Mapping) else ""
        raise mistake("", "text", hint)
    try:
        parse(value)
    except TemplateError as error:
        raise mistake(f"{shown(value)}: {error}", "text, with facts as {copyright}") from None
    return value


_NUMBER_OR = {"type": "number", "exclusiveMinimum": 0}

Duration = Annotated[
    float | str,
    PlainValidator(seconds),
    WithJsonSchema(
        {
            "anyOf": [
                {**_NUMBER_OR, "maximum": MAX_SECONDS},
                {"type": "string", "pattern": rf"^\s*{_DURATION.pattern}\s*$"},
            ],
            "examples": ["500ms", "10s", "10m", "1h"],
        }
    ),
]
"""Seconds, or text such as ``10s``."""

Size = Annotated[
    int | str,
    PlainValidator(byte_count),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": MAX_SIZE},
                {"type": "string", "pattern": rf"^\s*{_SIZE.pattern}\s*$"},
            ],
            "examples": ["200MB", "2GiB"],
        }
    ),
]
"""Bytes, or text such as ``200MB``."""

Share = Annotated[
    float | str,
    PlainValidator(fraction),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1},
                {"type": "string", "pattern": rf"^\s*{_PERCENT.pattern}\s*$"},
            ],
            "examples": [0.9, "90%"],
        }
    ),
]
"""A number from 0 to 1, or text such as ``90%``."""

Colour = Annotated[
    str,
    PlainValidator(hex_colour),
    WithJsonSchema(
        {"type": "string", "pattern": f"^(?:{_COLOUR.pattern})$", "examples": ["#ffffff"]}
    ),
]
"""Six hexadecimal digits after a #."""

TemplateText = Annotated[
    str,
    PlainValidator(template_text),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": 10_000}),
]
"""Text that may read facts: ``© {copyright|Gazette}``."""
