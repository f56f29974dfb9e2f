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
from functools import lru_cache
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
    reader = _Reader(path, path_column, needed)
    rows = missing = 0
    try:
        _refuse_utf16(path)
        # Paths may hold bytes that are no UTF-8; everything else is checked below.
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            for line, row in _READERS[path.suffix.lower()](file, path, path_column):
                rows += 1
                candidate = reader.candidate(rows, line, row)
                missing += candidate.mtime_ns == candidate.bytes == 0
                yield candidate
    except OSError as error:
        raise SourceError(
            f"the manifest {path} cannot be read ({error.strerror}): check the path under "
            "images: from and its permissions"
        ) from error
    if rows and missing == rows:
        raise SourceError(
            f"{path} names {rows} files and none of them is there: its paths are meant from "
            f"{reader.root}"
        )


class _Reader:
    """Makes candidates from rows, and says which line is wrong."""

    def __init__(self, manifest: Path, path_column: str, needed: str | None) -> None:
        self.root = os.path.realpath(manifest.parent).rstrip("/")
        self._manifest = manifest
        self._path_column = path_column
        self._needed = needed
        # Rows of one folder mostly follow each other.
        self._real_folder = lru_cache(maxsize=256)(os.path.realpath)

    def candidate(self, number: int, line: int, row: Mapping[str, str]) -> Candidate:
        given = row.get(self._path_column, "").strip()
        columns = {name: value for name, value in row.items() if name != self._path_column}
        try:
            self._check_texts(given, columns)
            relative, path, found = self._find(given)
        except _MistakeError as mistake:
            raise SourceError(f"{self._manifest}, line {line}: {mistake}") from mistake.__cause__
        size, mtime = (found.st_size, found.st_mtime_ns) if found else (0, 0)
        return Candidate(relative, path, size, mtime, columns, number, line)

    def _check_texts(self, given: str, columns: Mapping[str, str]) -> None:
        if not given:
            raise _MistakeError(
                f"no {self._path_column!r}: every row names the file of one image there"
            )
        if self._needed is not None and not columns.get(self._needed, "").strip():
            known = ", ".join(map(repr, columns)) or "no other columns"
            raise _MistakeError(
                f"no {self._needed!r}: every row names its group there; it has {known}"
            )
        for name, value in columns.items():
            if not (name.isascii() and value.isascii()) and _UNDECODABLE.search(name + value):
                raise _MistakeError(f"column {name!r} is not UTF-8: save the manifest as UTF-8")

    def _find(self, given: str) -> tuple[str, str, os.stat_result | None]:
        """The path below the manifest's folder, where it really leads, and what is there."""
        inside = f"{self.root}/"
        lexical = os.path.normpath(f"{inside}{given}" if given[0] != "/" else given)
        try:
            path, found = self._look(lexical)
        except ValueError as error:
            raise _MistakeError(f"{given!r} is no path: {error}") from error
        except OSError as error:
            raise _MistakeError(f"{given!r} cannot be looked at ({error.strerror})") from error
        if not path.startswith(inside):
            raise _MistakeError(
                f"{given!r} leads out of the manifest's folder: move the manifest above its "
                "images, or the images below it"
            )
        if found is None and "\\" in given:
            raise _MistakeError(f"there is no {given!r}: write paths with / between folders")
        if found is not None and not stat.S_ISREG(found.st_mode):
            kind = "a folder" if stat.S_ISDIR(found.st_mode) else "a FIFO, device or broken link"
            raise _MistakeError(f"{given!r} is {kind}: expected an image file")
        below = lexical if lexical.startswith(inside) else path
        return below.removeprefix(inside), path, found

    def _look(self, path: str) -> tuple[str, os.stat_result | None]:
        folder, _, name = path.rpartition("/")
        real = f"{self._real_folder(folder)}/{name}"
        try:
            found = os.lstat(real)
            if stat.S_ISLNK(found.st_mode):
                real = os.path.realpath(real)
                found = os.lstat(real)
        except (FileNotFoundError, NotADirectoryError):
            return real, None
        return real, found


class _MistakeError(Exception):
    """What is wrong with a row."""


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
