"""What the SQLite files of several adapters share: text of any kind, SQL in files of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files

_NAMED = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


def stored(text: str) -> str | bytes:
    """Text as a column can hold it: text, or bytes where the text is not valid Unicode.

    Python shows a file name's undecodable bytes as lone surrogates, which SQLite's UTF-8 cannot
    say. Such text becomes a blob, so a column of names is readable to people and loses nothing.
    `restored` is the inverse for every ``str``.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode(errors="surrogatepass")
    return text


def restored(value: str | bytes) -> str:
    """The inverse of `stored`."""
    return value if isinstance(value, str) else value.decode(errors="surrogatepass")


def sql(package: str, name: str) -> str:
    """The text of an SQL file that is part of a package."""
    return files(package).joinpath(name).read_text(encoding="utf-8")


def named_queries(text: str) -> Mapping[str, str]:
    """The statements of an SQL file, by the name in the ``-- name:`` line before each."""
    _, *parts = _NAMED.split(text)
    return {
        name: body.strip().rstrip(";") for name, body in zip(parts[::2], parts[1::2], strict=True)
    }
