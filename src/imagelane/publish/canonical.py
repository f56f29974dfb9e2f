"""Canonical JSON as manifests are made of it: without fractions, which languages write in different
ways."""

from __future__ import annotations

from typing import Any

from imagelane.model import canonical as rfc8785
from imagelane.model.canonical import LARGEST

__all__ = ["LARGEST", "canonical"]


def canonical(value: Any) -> bytes:
    """The canonical form of RFC 8785, in UTF-8.

    Raises:
        TypeError: a fraction, a key that is not text, or no JSON value at all.
        ValueError: an integer beyond `LARGEST`.
        UnicodeEncodeError: text with a lone surrogate.
    """
    return rfc8785.canonical(value, fractions=False)
