"""Names that people see: of galleries and of files, made safe from names that anybody gave."""

from __future__ import annotations

import re
import unicodedata
from typing import Protocol

MOST_BYTES = 100
"""Of a name before its ending, in UTF-8: with an ending and a number it stays far below the 255
bytes that file systems allow."""

RESERVED = frozenset({"index.json", "galleries.db", "galleries.db-journal"})
"""Names in a target folder that are not for galleries."""

_HOSTILE = frozenset('/\\<>:"|?*')
# ZWNJ and ZWJ are invisible too, but Persian words and joined emoji are misspelt without them.
_JOINERS = frozenset("\u200c\u200d")
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)
_SURROGATES = re.compile("[\ud800-\udfff]")


class Numbers(Protocol):
    """A mapping of folded names to the next number to try; a ``dict``, or one on disk."""

    def __contains__(self, name: str, /) -> bool: ...
    def __getitem__(self, name: str, /) -> int: ...
    def __setitem__(self, name: str, number: int, /) -> None: ...


def shown(text: str) -> str:
    """Text as UTF-8 can say it: undecodable bytes of a file name become U+FFFD."""
    return _SURROGATES.sub("\ufffd", text)


def folded(name: str) -> str:
    """The same for names that some file system or reader would take for one: case and Unicode
    form do not count."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def safe(text: str, instead: str, most: int = MOST_BYTES) -> str:
    """A file name, without its ending, that every file system, shell and page takes as it is.

    NFC; no separators, no control or direction characters, no names that Windows keeps for
    devices, no leading dots or dashes, no trailing dots or blanks; at most ``most`` bytes.
    ``instead`` stands where nothing is left.
    """
    kept = "".join(map(_kept, unicodedata.normalize("NFC", text)))
    # Again, since what stood between a letter and its accent may be gone.
    text = unicodedata.normalize("NFC", " ".join(kept.split())).lstrip(" .-~")
    if _DEVICE.match(text):
        text = f"_{text}"
    return _cut(text, most).rstrip(" .") or instead


def stem(file_name: str) -> str:
    """What a file is called, without its ending, made safe."""
    name, dot, _ = file_name.rpartition(".")
    return safe(name if dot and name.strip(".") else file_name, "image")


def slug(name: str) -> str:
    """A group's name as its folder in the target and its place in a URL: `safe`, without blanks,
    and none of those that are `RESERVED`.

    Two groups can have one slug; `distinct` tells them apart.
    """
    text = re.sub(r"-{2,}", "-", re.sub(r"\s", "-", safe(name, "group")))
    return f"_{text}" if folded(text) in RESERVED else text


def distinct(name: str, used: Numbers) -> str:
    """The name, with ``-2``, ``-3`` … behind it if another of the same kind was there before.

    ``used`` holds each `folded` name that was given out, and is brought up to date; a mapping on
    disk makes this work for any number of names.
    """
    key = folded(name)
    if key not in used:
        used[key] = 2
        return name
    number = used[key]
    while (candidate := folded(numbered(name, number))) in used:
        number += 1
    used[key] = number + 1
    used[candidate] = 2
    return numbered(name, number)


def numbered(name: str, number: int) -> str:
    """``name-number``, within `MOST_BYTES`."""
    ending = f"-{number}"
    return _cut(name, MOST_BYTES - len(ending)).rstrip(" .") + ending


def _kept(character: str) -> str:
    if character in _HOSTILE:
        return "-"
    if character.isspace():
        return " "
    if character in _JOINERS:
        return character
    match unicodedata.category(character):
        case "Cs":
            return "_"
        case "Cc" | "Cf" | "Zl" | "Zp":
            return ""
    return character


def _cut(text: str, most: int) -> str:
    """The longest beginning of the text that has at most so many bytes in UTF-8."""
    data = text.encode()
    return text if len(data) <= most else data[:most].decode(errors="ignore")
