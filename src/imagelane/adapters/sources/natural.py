"""Sort keys in which ``img2`` stands before ``img10``: bytes that compare as people would.

Free of any locale: numbers by value, letters by code point without regard to case or Unicode form.
Names that are equal so are told apart by their own bytes, which the caller adds.
"""

from __future__ import annotations

import re
import unicodedata

_DIGITS = re.compile(r"([0-9]+)")


def by_number(text: str) -> bytes:
    """A key for one piece of text."""
    if text.isascii():
        folded = text.lower()
    else:
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    parts = _DIGITS.split(folded)
    key = parts[0].encode(errors="surrogatepass")
    for digits, rest in zip(parts[1::2], parts[2::2], strict=True):
        key += _number(digits) + rest.encode(errors="surrogatepass")
    return key


def by_name(name: str) -> bytes:
    """A key for a file name: by its stem, then by its ending, so that ``a.jpg`` stands before
    ``a-2.jpg``."""
    stem, _, ending = name.rpartition(".")
    return by_number(stem or name) + b"\0" + by_number(ending if stem else "")


def by_folder(path: str) -> bytes:
    """A key for a folder's path: folder by folder, each before what is in it."""
    return b"\0".join(map(by_number, path.split("/")))


def _number(digits: str) -> bytes:
    value = digits.lstrip("0") or "0"
    # Among text it stands where digits stand; among numbers the one with fewer digits is less.
    return b"0" + min(len(value), 0xFFFF).to_bytes(2) + value.encode()
