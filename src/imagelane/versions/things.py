"""What people say something of: the file of an image, or a group; and what was said."""

from __future__ import annotations

from dataclasses import dataclass

from imagelane.model import events as e
from imagelane.model.ids import RunId, Subject
from imagelane.ports.journal import Journal, Mark, MarkKind


@dataclass(frozen=True, slots=True)
class Thing:
    """The file of an image in a group; or a group (``path`` is empty)."""

    group: str
    path: str
    bytes: int
    digest: str


def thing_of(journal: Journal, run: RunId, subject: Subject) -> Thing:
    """What a subject of a run is, whatever its number is in others."""
    name, path, size, digest = "", "", 0, ""
    for recorded in journal.events(run, subject=subject.of_group):
        if isinstance(recorded.event, e.GroupOpened):
            name = recorded.event.name
    for recorded in journal.events(run, subject=subject) if subject.ordinal else ():
        match recorded.event:
            case e.ImageReceived() as event:
                path, size = event.path, event.bytes
            case e.TaskSucceeded() | e.TaskFailed() as event:
                digest = event.source_digest or digest
    return Thing(name, path, size, digest)


def marks_on(journal: Journal, kind: MarkKind, thing: Thing) -> list[Mark]:
    """What was said of a thing and stands, in whichever run: of it by name, of its file, or of its
    group."""
    return [
        mark
        for mark in journal.marks()
        if mark.kind is kind
        and (
            (mark.group == thing.group and mark.path in {thing.path, ""})
            or bool(mark.digest and mark.digest == thing.digest)
        )
    ]
