"""A log as lines of JSON that need nothing else to be verified, and reading them back.

The first line says of which run, with which plan, and holds the checkpoints; then one line an
event: its content, place and parents, and what its commitment stands for. A payload is a text, to
the byte as it was stored.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from imagelane.model.audit import AuditPlan, Content, Leaf
from imagelane.model.canonical import canonical
from imagelane.model.ids import RunId
from imagelane.ports.audit import AuditLog
from imagelane.record.audit.prove import Opening
from imagelane.record.audit.reading import Entry, Progress, entry_of, with_keys
from imagelane.record.audit.sealed import Sealed

FORMAT = "imagelane-audit"
VERSION = 1


class ExportError(Exception):
    """A file is no export: what was found, and in which line."""


@dataclass(frozen=True, slots=True)
class Header:
    """``checkpoints`` and ``successions`` are signed notes, ``keys`` public keys: convenient, and
    no more to be believed than the rest of the file."""

    run: RunId
    plan: AuditPlan
    checkpoints: tuple[str, ...]
    keys: tuple[str, ...]
    successions: tuple[str, ...]

    def line(self) -> str:
        return _line(
            {
                "format": FORMAT,
                "version": VERSION,
                "run": self.run,
                "plan": self.plan.as_json(),
                "checkpoints": list(self.checkpoints),
                "keys": list(self.keys),
                "successions": list(self.successions),
            }
        )

    @classmethod
    def parse(cls, line: str) -> Header:
        """
        Raises:
            ExportError: it is no header, or of a later version.
        """
        values = _object(line, 1)
        if values.get("format") != FORMAT or values.get("version") != VERSION:
            raise ExportError(
                f"line 1: expected an export of format {FORMAT}, version {VERSION}; found "
                f"{values.get('format')!r}, version {values.get('version')!r}"
            )
        try:
            return cls(
                RunId(str(values["run"])),
                AuditPlan.from_json(values["plan"]),
                tuple(map(str, values["checkpoints"])),
                tuple(map(str, values["keys"])),
                tuple(map(str, values["successions"])),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ExportError(f"line 1: damaged: {error}") from error


def export(log: AuditLog, header: Header) -> Iterator[str]:
    """The lines. Every subject is given a key first, so that every commitment can be opened."""
    log.make_keys(header.run)
    yield header.line()
    progress = Progress.at_the_beginning(header.plan)
    for stored in with_keys(log, header.run):
        entry = entry_of(stored, progress.causes)
        opening = Opening.of(stored)
        yield _line(
            {
                "index": entry.leaf.index,
                "parents": list(entry.leaf.parents),
                "content": entry.content.as_json(),
                "digest": entry.leaf.content,
                "payload": opening.payload if opening else None,
                "salt": opening.salt.hex() if opening else None,
            }
        )


@dataclass(frozen=True, slots=True)
class ExportAccount:
    """An export's events; ``lines`` gives all of its lines, from the first.

    Reading raises ExportError at a line that is no event.
    """

    lines: Callable[[], Iterable[str]]

    def entries(self, progress: Progress) -> Iterator[Entry]:
        for number, values in self._following(progress):
            yield _entry(values, number, progress)

    def contents(self, progress: Progress) -> Iterator[tuple[int, str]]:
        for number, values in self._following(progress):
            leaf, _ = _leaf(values, number)
            yield leaf.index, leaf.content

    def _following(self, progress: Progress) -> Iterator[tuple[int, dict[str, Any]]]:
        following = islice(_events(self.lines()), progress.frontier.size, None)
        return ((number, _object(line, number)) for number, line in following)


def sealed_in(lines: Iterable[str]) -> Sealed:
    """The leaves as the lines say that they were signed; to be believed as far as their root is
    one that was."""
    found = Sealed()
    for number, line in _events(lines):
        values = _object(line, number)
        try:
            parents = tuple(map(int, values["parents"]))
            found.add(Leaf(str(values["digest"]), int(values["index"]), parents))
        except (KeyError, TypeError, ValueError) as error:
            raise ExportError(f"line {number}: no event: {error}") from error
    return found


def _leaf(values: Mapping[str, Any], number: int) -> tuple[Leaf, Content]:
    try:
        content = Content.from_json(values["content"])
        parents = tuple(map(int, values["parents"]))
        return Leaf(content.digest(), int(values["index"]), parents), content
    except (KeyError, TypeError, ValueError) as error:
        raise ExportError(f"line {number}: no event: {error}") from error


def _opening(values: Mapping[str, Any], number: int) -> Opening | None:
    try:
        payload, salt = values["payload"], values["salt"]
        return None if payload is None else Opening(str(payload), bytes.fromhex(salt))
    except (KeyError, TypeError, ValueError) as error:
        raise ExportError(f"line {number}: no event: {error}") from error


def _entry(values: Mapping[str, Any], number: int, progress: Progress) -> Entry:
    leaf, content = _leaf(values, number)
    opening = _opening(values, number)
    parents = progress.causes.parents(
        leaf.index,
        content.type,
        content.subject,
        content.stage,
        role=content.role,
        outcome=content.outcome,
        fence=content.fence,
    )
    problem = ""
    if opening is not None and not opening.opens(content):
        problem = "what it says was edited: it is not what its leaf stands for"
    elif parents != leaf.parents:
        problem = f"names {_listed(leaf.parents)} as its parents; they are {_listed(parents)}"
    return Entry(leaf, content, leaf.hash(), opening is None, problem)


def _events(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    return ((number, line) for number, line in enumerate(lines, 1) if number > 1 and line.strip())


def _object(line: str, number: int) -> dict[str, Any]:
    try:
        values = json.loads(line)
    except ValueError as error:
        raise ExportError(f"line {number}: no JSON: {error}") from error
    if not isinstance(values, dict):
        raise ExportError(f"line {number}: expected an object")
    return values


def _line(values: Mapping[str, Any]) -> str:
    return canonical(values).decode() + "\n"


def _listed(parents: Sequence[int]) -> str:
    return ", ".join(map(str, parents)) or "none"
