"""Canonical JSON (RFC 8785): one value, one sequence of bytes, so that a digest names the value."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

LARGEST = (1 << 53) - 1
"""Beyond it a JavaScript reader rounds integers."""


def canonical(value: Any, *, fractions: bool = True) -> bytes:
    """The canonical form, in UTF-8.

    Without ``fractions`` they are refused: for what people compare by eye, or make by hand.

    Raises:
        TypeError: a key that is not text, no JSON value at all, or a fraction that is refused.
        ValueError: an integer beyond `LARGEST`, or a number that is not finite.
        UnicodeEncodeError: text with a lone surrogate.
    """
    return _form(value, fractions=fractions).encode()


def _form(value: Any, *, fractions: bool) -> str:
    match value:
        case None | bool() | str():
            return json.dumps(value, ensure_ascii=False)
        case int():
            if abs(value) > LARGEST:
                raise ValueError(f"{value} is beyond the integers that every reader keeps exact")
            return str(value)
        case float() if fractions:
            return number(value)
        case Mapping():
            # RFC 8785, 3.2.3: names are sorted by their UTF-16 code units.
            names = sorted(value, key=lambda name: name.encode("utf-16-be"))
            pairs = (
                f"{_form(one, fractions=False)}:{_form(value[one], fractions=fractions)}"
                for one in names
            )
            return "{" + ",".join(pairs) + "}"
        case list() | tuple():
            return "[" + ",".join(_form(one, fractions=fractions) for one in value) + "]"
        case _:
            wanted = "numbers" if fractions else "whole numbers"
            raise TypeError(f"expected text, {wanted}, lists and objects; found {value!r}")


def number(value: float) -> str:
    """A fraction as ECMAScript writes it (RFC 8785, 3.2.2.3): the shortest digits that read back
    as the same, with an exponent only where it is below -6 or above 20.

    Raises:
        ValueError: it is infinite or no number.
    """
    if not math.isfinite(value):
        raise ValueError(f"{value} has no form in JSON")
    text = repr(value)
    if "e" not in text:
        # From 1e-4 to 1e16 Python writes the same, but for the ".0" of whole numbers.
        return text.removesuffix(".0") if value else "0"
    sign, digit_values, exponent = Decimal(text).as_tuple()
    digits = "".join(map(str, digit_values)).rstrip("0")
    point = len(digit_values) + int(exponent)
    """Where the decimal point stands, counted from before the first digit."""
    if 0 < point <= 21:
        form = digits.ljust(point, "0")
        form = form[:point] + (f".{form[point:]}" if form[point:] else "")
    elif -6 < point <= 0:
        form = f"0.{'0' * -point}{digits}"
    else:
        form = digits[0] + (f".{digits[1:]}" if digits[1:] else "") + f"e{point - 1:+d}"
    return f"-{form}" if sign else form
