"""What a person means by a word on the command line: a run, an image, a group."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import PurePath

from imagelane.model.ids import Subject
from imagelane.ports.journal import GroupRow, ImageRow, Journal, RunRow
from imagelane.report.clean import visible

LISTED = 20
"""Candidates that are named."""
LOOKED_AT = 20_000
"""Names among which the nearest are looked for."""


class NothingFoundError(Exception):
    """Nothing has that name: what was asked for, and the nearest there is."""


@dataclass(frozen=True, slots=True)
class Found:
    """``subjects`` are those that are meant, in published order, each with its name; of ``count``
    in all, no more than were asked for are named. ``pattern``: several were asked for."""

    subjects: tuple[tuple[Subject, str], ...]
    count: int
    pattern: bool = False


def find_run(rows: Sequence[RunRow], word: str | None) -> RunRow:
    """The newest run; or the one whose name is, begins or ends with the word.

    Raises:
        NothingFoundError: no run, none of that name, or more than one.
    """
    if not rows:
        raise NothingFoundError("nothing was run here yet: `imagelane run PIPELINE` runs something")
    if word is None:
        return rows[0]
    exact = [row for row in rows if row.run == word]
    near = exact or [row for row in rows if row.run.startswith(word) or row.run.endswith(word)]
    if len(near) == 1:
        return near[0]
    if near:
        listed = ", ".join(row.run for row in near[:LISTED])
        raise NothingFoundError(f"{visible(word)!r} can be any of {listed}: write more of it")
    others = get_close_matches(word, [row.run for row in rows], 3) or [r.run for r in rows[:3]]
    raise NothingFoundError(f"there is no run {visible(word)!r}; there is {', '.join(others)}")


def find(journal: Journal, run: RunRow, word: str, *, most: int = LISTED) -> Found:
    """The image or group that is meant.

    Numbers come first (``3.12``, ``3``, ``run``); then, each tried only where the one before found
    nothing: a path; a name or, with ``*``, ``?`` or ``[``, a pattern of names and paths; a name
    without its ending, or without regard to case; a group's name as it stands in an address.

    Raises:
        NothingFoundError: with the nearest names.
    """
    by_number = _by_number(journal, run, word)
    if by_number is not None:
        return Found((by_number,), 1)
    matches = _Matches(word, most)
    for group in journal.groups(run.run):
        matches.group(group)
    for image in journal.images(run.run):
        matches.image(image)
    found = matches.best()
    if found is not None:
        return found
    raise NothingFoundError(
        f"run {run.run} has no image and no group {visible(word)!r}{_nearest(word, matches.names)}"
    )


def _by_number(journal: Journal, run: RunRow, word: str) -> tuple[Subject, str] | None:
    try:
        subject = Subject.parse(word)
    except ValueError:
        return None
    if not subject.group:
        return subject, "the run"
    if subject.ordinal:
        rows = journal.images(run.run, group=subject.group)
        return next(((row.subject, row.name) for row in rows if row.subject == subject), None)
    groups = journal.groups(run.run)
    return next(((subject, row.name) for row in groups if row.group == subject.group), None)


class _Matches:
    """Candidates by how well they match; every image is looked at once, few are kept."""

    def __init__(self, word: str, most: int) -> None:
        self._word = word
        self._most = most
        self._path = str(PurePath(word))
        self._plain = _plain(word)
        self._pattern = bool(re.search(r"[*?[]", word))
        self._kept: list[list[tuple[Subject, str]]] = [[] for _ in range(5)]
        self._counts = [0] * 5
        self.names: list[str] = []

    def image(self, row: ImageRow) -> None:
        self._name(row.name)
        whole = row.path == self._path or row.path.endswith(f"/{self._path.lstrip('/')}")
        if "/" in self._word and whole:
            self._keep(0, row.subject, row.name)
        elif row.name == self._word:
            self._keep(1, row.subject, row.name)
        elif self._pattern and self._like(row):
            self._keep(2, row.subject, row.name)
        elif PurePath(row.name).stem == self._word:
            self._keep(3, row.subject, row.name)
        elif row.name.casefold() == self._word.casefold():
            self._keep(4, row.subject, row.name)

    def group(self, row: GroupRow) -> None:
        self._name(row.name)
        subject = Subject(row.group)
        if row.name == self._word:
            self._keep(1, subject, row.name)
        elif self._pattern and fnmatchcase(row.name, self._word):
            self._keep(2, subject, row.name)
        elif self._plain and _plain(row.name) == self._plain:
            self._keep(4, subject, row.name)

    def _like(self, row: ImageRow) -> bool:
        if "/" not in self._word:
            return fnmatchcase(row.name, self._word)
        return fnmatchcase(row.path, self._word) or fnmatchcase(row.path, f"*/{self._word}")

    def best(self) -> Found | None:
        for rank, kept in enumerate(self._kept):
            if kept:
                return Found(tuple(sorted(kept)), self._counts[rank], pattern=rank == 2)
        return None

    def _name(self, name: str) -> None:
        if len(self.names) < LOOKED_AT:
            self.names.append(name)

    def _keep(self, rank: int, subject: Subject, name: str) -> None:
        self._counts[rank] += 1
        if len(self._kept[rank]) < self._most:
            self._kept[rank].append((subject, name))


def _plain(name: str) -> str:
    """A name as it could stand in an address: letters and digits, all else one dash."""
    return re.sub(r"[\W_]+", "-", name.casefold()).strip("-")


def _nearest(word: str, names: Iterable[str]) -> str:
    near = get_close_matches(word, list(dict.fromkeys(names)), 3, 0.5)
    if not near:
        return "; `imagelane status` names what there is"
    return f"; did you mean {', '.join(repr(visible(one)) for one in near)}?"
