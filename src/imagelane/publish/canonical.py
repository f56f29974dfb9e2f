"""Canonical JSON: one value, one sequence of bytes, so that a digest names the value.

RFC 8785 (JCS) for the values that manifests are made of: objects, arrays, text, integers that every
JSON reader keeps exact, true, false and null. Fractions are refused: languages write them in
different ways.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

LARGEST = (1 << 53) - 1
"""Beyond it a JavaScript reader rounds."""


def canonical(value: Any) -> bytes:
    """The canonical form, in UTF-8.

    Raises:
        TypeError: a fraction, a key that is not text, or no JSON value at all.
        ValueError: an integer beyond `LARGEST`.
        UnicodeEncodeError: text with a lone surrogate.
    """
    return _form(value).encode()


def _form(value: Any) -> str:
    match value:
        case None | bool() | str():
            return json.dumps(value, ensure_ascii=False)
        case int():
            if abs(value) > LARGEST:
                raise ValueError(f"{value} is beyond the integers that every reader keeps exact")
            return str(value)
        case Mapping():
            # RFC 8785, 3.2.3: names are sorted by their UTF-16 code units.
            names = sorted(value, key=lambda name: name.encode("utf-16-be"))
            return "{" + ",".join(f"{_form(name)}:{_form(value[name])}" for name in names) + "}"
        case list() | tuple():
            return "[" + ",".join(map(_form, value)) + "]"
        case _:
            raise TypeError(
                f"a manifest holds text, whole numbers, lists and objects; found {value!r}"
            )
