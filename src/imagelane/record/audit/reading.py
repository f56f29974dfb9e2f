"""A log read event by event: leaves, their hashes, and the tree that grows over them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from imagelane.model.audit import AuditPlan, Content, Leaf, Told
from imagelane.model.ids import RunId
from imagelane.model.merkle import Frontier
from imagelane.ports.audit import AuditLog, Stored
from imagelane.ports.journal import JournalError
from imagelane.record.audit.causes import Causes
from imagelane.record.audit.leaf import content_of, is_erased, said_of


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as a leaf. ``erased``: its payload was taken away. ``problem`` says what does not
    fit within the entry itself."""

    leaf: Leaf
    content: Content
    hash: bytes
    erased: bool = False
    problem: str = ""


@dataclass(slots=True)
class Progress:
    """How far a log was read. ``expected`` is the index that comes next."""

    causes: Causes
    frontier: Frontier = field(default_factory=Frontier)
    expected: int = 1

    @classmethod
    def at_the_beginning(cls, plan: AuditPlan) -> Progress:
        return cls(Causes(plan))

    def copy(self) -> Progress:
        return Progress(self.causes.copy(), self.frontier.copy(), self.expected)


class Account(Protocol):
    """A log as it is found somewhere, read from where a reading has come to."""

    def entries(self, progress: Progress) -> Iterator[Entry]:
        """The events that follow, each when it is asked for; moves the causes on."""

    def contents(self, progress: Progress) -> Iterator[tuple[int, str]]:
        """The index of each event that follows, and the digest of its content. Moves nothing."""


def entry_of(stored: Stored, causes: Causes) -> Entry:
    """An event of a journal; its parents are what follows from those before it."""
    said = said_of(stored)
    parents = causes.parents(
        stored.index,
        stored.type,
        stored.subject,
        stored.stage,
        role=said.role,
        outcome=said.outcome,
        fence=stored.fence,
    )
    content = content_of(stored, said)
    leaf = Leaf(content.digest(), stored.index, parents)
    return Entry(leaf, content, leaf.hash(), is_erased(stored.body))


@dataclass(frozen=True, slots=True)
class JournalAccount:
    """A run of a journal. ``signable``: only as much of it as can be signed; a coordinator may go
    on recording meanwhile, and what has no key yet has no commitment that will last."""

    log: AuditLog
    run: RunId
    signable: bool = False

    def entries(self, progress: Progress) -> Iterator[Entry]:
        for stored in self._stored(progress):
            yield entry_of(stored, progress.causes)

    def contents(self, progress: Progress) -> Iterator[tuple[int, str]]:
        for stored in self._stored(progress):
            yield stored.index, content_of(stored, said_of(stored)).digest()

    def _stored(self, progress: Progress) -> Iterator[Stored]:
        after = progress.expected - 1
        if self.signable:
            return with_keys(self.log, self.run, after=after)
        return self.log.stored(self.run, after=after)


def trail(log: AuditLog, run: RunId, plan: AuditPlan) -> Iterator[Told]:
    """The events of a run with what they say, each when it is asked for.

    Raises:
        JournalError: what one says cannot be read.
    """
    causes = Causes(plan)
    for stored in log.stored(run):
        entry = entry_of(stored, causes)
        yield Told(entry.leaf, entry.content, None if entry.erased else _body(stored))


def _body(stored: Stored) -> dict[str, Any]:
    try:
        body = json.loads(stored.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise JournalError(
            f"what event {stored.index:,} of run {stored.run} says is no JSON object: somebody has "
            "changed it, and `imagelane audit verify` says what else"
        )
    return body


def with_keys(log: AuditLog, run: RunId, *, after: int = 0) -> Iterator[Stored]:
    """The events before the first one whose subject has no key yet."""
    for stored in log.stored(run, after=after):
        if stored.key is None and not is_erased(stored.body):
            return
        yield stored
