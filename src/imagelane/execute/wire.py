"""Frames and plain values of the wire: the shape of what comes, before its meaning.

A frame is a length in four bytes, most significant first, and then that many bytes of JSON.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from imagelane.execute.failures import one_line
from imagelane.model.ids import Digest

LARGEST = 8 << 20
"""Bytes of the largest message. Pixels never travel, so real ones have a few thousand."""

HEADER = 4

_DIGEST = re.compile(r"[0-9a-f]{64}")


class MessageError(Exception):
    """Bytes that are no message of this version: says what was found and what was expected."""


def frame(values: list[Any]) -> bytes:
    """JSON values as a frame.

    Raises:
        MessageError: it is larger than `LARGEST`, or a value in it is none of JSON's.
    """
    try:
        body = _json(values).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        raise MessageError(f"found a value that is none of JSON's: {error}") from error
    if len(body) > LARGEST:
        raise MessageError(f"found {len(body):,} bytes; a message may have {LARGEST:,}")
    return len(body).to_bytes(HEADER) + body


def values_of(body: bytes) -> list[Any]:
    """The inverse of `frame`, for a body.

    Raises:
        MessageError: it is no list, or a number in it is not finite.
        ValueError: it is not JSON.
    """
    return rows(_DECODER.decode(body.decode("ascii")))


class Frames:
    """Cuts a stream of bytes into the bodies of its frames."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take in bytes as they come, and give every body that is complete by now.

        Raises:
            MessageError: a frame says that it is larger than `LARGEST`.
        """
        held = self._held
        held += data
        at = 0
        try:
            while len(held) - at >= HEADER:
                size = int.from_bytes(held[at : at + HEADER])
                if size > LARGEST:
                    raise MessageError(f"found a frame of {size:,} bytes; at most {LARGEST:,}")
                if len(held) - at - HEADER < size:
                    break
                at += HEADER + size
                yield bytes(held[at - size : at])
        finally:
            del held[:at]


def _plain(value: Any) -> Any:
    """Frozen values hold mappings of any kind, JSON knows only dictionaries."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{one_line(repr(value), 80)} is a {type(value).__name__}")


def _refuse(name: str) -> NoReturn:
    raise MessageError(f"found the number {name}; expected a finite one")


_json = json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=_plain).encode
_DECODER = json.JSONDecoder(parse_constant=_refuse)


# What values must be. Each gives its argument back, so that it can stand where the value is used,
# and raises MessageError where it is something else.


def wrong(value: Any, expected: str) -> NoReturn:
    """Say what was found and what was expected."""
    raise MessageError(f"found {one_line(repr(value), 80)}; expected {expected}")


def whole(value: Any) -> int:
    """A whole number, 0 or more."""
    if type(value) is not int or value < 0:
        wrong(value, "a whole number from 0")
    return value


def number(value: Any) -> float:
    """A finite number, 0 or more."""
    if type(value) not in {int, float} or not math.isfinite(value) or value < 0:
        wrong(value, "a number from 0")
    return float(value)


def text(value: Any) -> str:
    """Text."""
    return value if type(value) is str else wrong(value, "text")


def flag(value: Any) -> bool:
    """True or false."""
    return value if type(value) is bool else wrong(value, "true or false")


def mapping(value: Any) -> dict[str, Any]:
    """A JSON object."""
    return value if type(value) is dict else wrong(value, "an object")


def rows(value: Any) -> list[Any]:
    """A list."""
    return value if type(value) is list else wrong(value, "a list")


def digest(value: Any) -> Digest:
    """A SHA-256 in lower-case hexadecimal digits."""
    if type(value) is not str or not _DIGEST.fullmatch(value):
        wrong(value, "a SHA-256")
    return Digest(value)
