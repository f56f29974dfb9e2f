"""A manifest as a source: a CSV, JSON-lines or JSON file with a row for each image.

Rows are read one at a time. A mistake in the file stops everything, with the line: a manifest says
exactly what is meant, so a part of it is never taken for the whole. A file that is named and is
not there is taken in, though: its group must know that it is missing.
"""

from __future__ import annotations

import csv
import json
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TextIO

from imagelane.adapters.sources.candidate import Candidate
from imagelane.ports.source import SourceError

Rows = Iterator[tuple[int, Mapping[str, str]]]

_LONGEST = 1 << 20
"""Characters of one row; more is a mistake."""
_PIECE = 1 << 16
_DELIMITERS = ",;\t"
_BETWEEN = re.compile(r"[\s,]*")
_UNDECODABLE = re.compile("[\ud800-\udfff]")


def is_manifest(path: str) -> bool:
    """Whether a file is a manifest, by its ending."""
    return Path(path).suffix.lower() in _READERS


def read(path: Path, path_column: str, needed: str | None) -> Iterator[Candidate]:
    """The images that a manifest names, in its order.

    ``path_column`` holds paths relative to the manifest; they may not lead out of its folder.
    ``needed`` is a column in which every row must say something.

    Raises:
        SourceError: it cannot be read, or has a mistake in it.
    """
    root = os.path.realpath(path.parent).rstrip("/")
    rows = missing = 0
    try:
        _refuse_utf16(path)
        # Paths may hold bytes that are no UTF-8; everything else is checked below.
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            for line, row in _READERS[path.suffix.lower()](file, path, path_column):
                candidate = _candidate(_Place(path, line), row, path_column, needed, root)
                rows += 1
                missing += candidate.mtime_ns == candidate.bytes == 0
                yield candidate
    except OSError as error:
        raise SourceError(
            f"the manifest {path} cannot be read ({error.strerror}): check the path under "
            "images: from and its permissions"
        ) from error
    if rows and missing == rows:
        raise SourceError(
            f"{path} names {rows} files and none of them is there: its paths are meant from {root}"
        )


@dataclass(frozen=True, slots=True)
class _Place:
    """A line of a manifest, at the beginning of what is said about it."""

    manifest: Path
    line: int

    def wrong(self, found: str) -> SourceError:
        return SourceError(f"{self.manifest}, line {self.line}: {found}")


def _candidate(
    place: _Place, row: Mapping[str, str], path_column: str, needed: str | None, root: str
) -> Candidate:
    columns = {name: value for name, value in row.items() if name != path_column}
    given = row.get(path_column, "").strip()
    if not given:
        raise place.wrong(f"no {path_column!r}: every row names the file of one image there")
    if needed is not None and not columns.get(needed, "").strip():
        known = ", ".join(map(repr, columns)) or "no other columns"
        raise place.wrong(f"no {needed!r}: every row names its group there; it has {known}")
    for name, value in columns.items():
        if _UNDECODABLE.search(name) or _UNDECODABLE.search(value):
            raise place.wrong(f"column {name!r} is not UTF-8: save the manifest as UTF-8")
    # An absolute path stays what it is.
    lexical = os.path.normpath(f"{root}/{given}" if given[0] != "/" else given)
    path = _real(place, lexical)
    inside = f"{root}/"
    if not path.startswith(inside):
        raise place.wrong(
            f"{given!r} leads out of the manifest's folder: move the manifest above its images, or "
            "the images below it"
        )
    size, mtime = _look(place, path, given)
    below = lexical if lexical.startswith(inside) else path
    return Candidate(below.removeprefix(inside), path, size, mtime, columns, place.line)


def _real(place: _Place, path: str) -> str:
    try:
        return os.path.realpath(path)
    except ValueError as error:
        raise place.wrong(f"{path!r} is no path: {error}") from error


def _look(place: _Place, path: str, given: str) -> tuple[int, int]:
    """Size and time of a file; zeros where there is none."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        if "\\" in given:
            raise place.wrong(
                f"there is no {given!r}: write paths with / between folders"
            ) from None
        return 0, 0
    except OSError as error:
        raise place.wrong(f"{given!r} cannot be looked at ({error.strerror})") from error
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "a FIFO, device or broken link"
        raise place.wrong(f"{given!r} is {kind}: expected an image file")
    return found.st_size, found.st_mtime_ns


def _refuse_utf16(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(2) in {b"\xff\xfe", b"\xfe\xff"}:
            raise SourceError(f"{path} is UTF-16: save it as UTF-8 (in Excel: CSV UTF-8)")


def _csv(file: TextIO, manifest: Path, path_column: str) -> Rows:
    head = file.readline(_LONGEST)
    delimiter = next(
        (one for one in _DELIMITERS if path_column in next(csv.reader([head], delimiter=one), [])),
        ",",
    )
    lines = chain([head], iter(lambda: file.readline(_LONGEST), ""))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(manifest, header, path_column)
        for row in reader:
            if not row:
                continue
            if len(row) != len(header):
                raise SourceError(
                    f"{manifest}, line {reader.line_num}: found {len(row)} fields, expected "
                    f"{len(header)} as in its first line; put texts with a {delimiter!r} in quotes"
                )
            yield reader.line_num, dict(zip(header, row, strict=True))
    except csv.Error as error:
        raise SourceError(f"{manifest}, line {reader.line_num}: {error}") from error


def _check_header(manifest: Path, header: list[str], path_column: str) -> None:
    if path_column not in header:
        raise SourceError(
            f"{manifest} has no column {path_column!r}: its first line names "
            f"{', '.join(map(repr, header)) or 'nothing'}; rename the column, or say which one "
            "holds the paths under images: path_column"
        )
    twice = {name for name in header if header.count(name) > 1}
    if twice:
        raise SourceError(
            f"{manifest} names the column {min(twice)!r} twice: give each one a name of its own"
        )


def _json_lines(file: TextIO, manifest: Path, _: str) -> Rows:
    number = 0
    while line := file.readline(_LONGEST):
        number += 1
        if line.strip():
            try:
                value = _decoder.decode(line.strip())
            except ValueError as error:
                raise SourceError(f"{manifest}, line {number}: no JSON: {error}") from error
            yield number, _row(manifest, number, value)


def _json_array(file: TextIO, manifest: Path, path_column: str) -> Rows:
    text = file.read(_PIECE)
    at = len(text) - len(text.lstrip())
    if not text.startswith("[", at):
        raise SourceError(
            f"{manifest} is no JSON array: expected [{{{json.dumps(path_column)}: …}}, …]; for an "
            "object on each line name it .jsonl"
        )
    line = 1 + text.count("\n", 0, at)
    at += 1
    while True:
        begin = _BETWEEN.match(text, at).end()  # type: ignore[union-attr] # matches nothing, too
        line += text.count("\n", at, begin)
        at = begin
        if text.startswith("]", at):
            return
        try:
            value, end = _decoder.raw_decode(text, at)
        except ValueError as error:
            piece = file.read(_PIECE)
            if not piece or len(text) - at > _LONGEST:
                raise SourceError(f"{manifest}, line {line}: no JSON: {error}") from error
            text, at = text[at:] + piece, 0
            continue
        yield line, _row(manifest, line, value)
        line += text.count("\n", at, end)
        at = end


def _row(manifest: Path, line: int, value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise SourceError(f"{manifest}, line {line}: expected an object, found {value!r:.60}")
    row: dict[str, str] = {}
    for name, found in value.items():
        if isinstance(found, dict | list):
            raise SourceError(
                f"{manifest}, line {line}: {name!r} is a list or an object: expected text, a "
                "number, true, false or null"
            )
        match found:
            case None:
                row[name] = ""
            case bool():
                row[name] = "true" if found else "false"
            case _:
                row[name] = found
    return row


# Numbers stay as they are written: 007 is no number, but 1.50 is a price.
_decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)

_READERS: Mapping[str, Callable[[TextIO, Path, str], Rows]] = {
    ".csv": _csv,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".json": _json_array,
}
