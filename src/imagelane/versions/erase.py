"""Erasing an image: all that was made of it and all that is said of it, in every run of a workspace
and every version that it published; and the proof that it is gone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from imagelane import wiring
from imagelane.adapters.erasing import Trace, compact, forget_rows, remove, stored_as, traces
from imagelane.adapters.journals.sqlite.erasing import erase_payloads, names_of
from imagelane.adapters.owner import this_process
from imagelane.config import Workspace
from imagelane.control import ControlError, quieted, spec_of
from imagelane.model import events as e
from imagelane.model.forgotten import fingerprint_of
from imagelane.model.ids import Digest, Subject
from imagelane.ports.journal import Journal, RunRow
from imagelane.publish.versions import Shown, entries, shows
from imagelane.record.recall import recall
from imagelane.versions.hold import holds_on
from imagelane.versions.places import Place, shown_of, standing
from imagelane.versions.things import Thing, thing_of
from imagelane.versions.withdraw import Why

_KEPT = frozenset({"source.db", "slugs.db"})
"""What a run's folder keeps that is not made anew from the journal."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """The image in one run."""

    row: RunRow
    subject: Subject
    shown: Shown


@dataclass(slots=True)
class Findings:
    """Where an image is: ``appearances`` in runs, ``versions`` of groups that show it, ``digests``
    of files that are made of it or show it. ``shared`` are digests of files that are also those of
    other images, by one of these: they stay."""

    thing: Thing
    appearances: list[Appearance] = field(default_factory=list)
    versions: list[tuple[Place, Digest]] = field(default_factory=list)
    digests: set[str] = field(default_factory=set)
    shared: dict[str, Subject] = field(default_factory=dict)

    @property
    def own(self) -> frozenset[str]:
        """The digests of files that are only of this image."""
        return frozenset(self.digests - set(self.shared))


@dataclass(frozen=True, slots=True)
class Proof:
    """``gone`` counts files that were removed. ``left`` is what a search through target and
    workspace has found after that; ``named`` gives, by run, events of other subjects that name the
    image."""

    gone: int
    left: tuple[Trace, ...]
    named: tuple[tuple[str, tuple[int, ...]], ...]


def find(journal: Journal, row: RunRow, subject: Subject) -> Findings:
    """Where an image of a run is, over all runs of the workspace: the same path in a group of the
    same name, or the same file. Reads the whole record.

    Raises:
        ControlError: there is no such image, or it is under a legal hold.
    """
    thing = thing_of(journal, row.run, subject)
    if not thing.path:
        raise ControlError(f"run {row.run} has no image {subject} that could be erased")
    if holds := holds_on(journal, thing):
        said = "; ".join(f"{one.reason} (by {one.actor})" for one in holds)
        raise ControlError(
            f"{subject} is under a legal hold, which goes before an erasure: {said}. "
            "`imagelane hold remove` ends one"
        )
    found = Findings(thing)
    for run in journal.runs():
        found.appearances += _in_run(journal, run, thing)
    for one in found.appearances:
        found.digests |= one.shown.digests
        _shown_with(journal, one, found)
    _keep_shared(journal, found)
    return found


def _in_run(journal: Journal, row: RunRow, thing: Thing) -> Iterator[Appearance]:
    named = {one.group for one in journal.groups(row.run) if one.name == thing.group}
    subjects: dict[Subject, None] = {}
    for recorded in journal.events(row.run):
        match recorded.event:
            case e.ImageReceived() as event:
                if event.path == thing.path and event.subject.group in named:
                    subjects[event.subject] = None
            case e.TaskSucceeded() | e.TaskFailed() as event:
                if thing.digest and event.source_digest == thing.digest:
                    subjects[event.subject] = None
    for subject in subjects:
        shown = shown_of(journal, row.run, subject)
        if shown is not None:
            yield Appearance(row, subject, shown)


def _shown_with(journal: Journal, one: Appearance, found: Findings) -> None:
    """The versions that show the image, and what was made of its group while it was in it."""
    group = standing(journal, one.row, one.subject.group)
    if group is None:
        return
    live: set[str] = set()
    for place in group.places:
        content = json.loads(place.publisher.manifest(place.slug) or '{"images": []}')
        if not shows(content, one.shown):
            live |= {entry["digest"] for entry in entries(content)}
        for digest in place.publisher.versions(place.slug):
            manifest = place.publisher.kept(place.slug, digest)
            if manifest is None or not shows(json.loads(manifest), one.shown):
                continue
            if all((at.slug, told) != (place.slug, digest) for at, told in found.versions):
                found.versions.append((place, digest))
    for recorded in journal.events(one.row.run, subject=one.subject.of_group):
        if isinstance(recorded.event, e.TaskSucceeded):
            found.digests |= {made.digest for made in recorded.event.renditions} - live


def _keep_shared(journal: Journal, found: Findings) -> None:
    own = {(one.row.run, one.subject) for one in found.appearances}
    for run in journal.runs():
        for recorded in journal.events(run.run):
            event = recorded.event
            if not isinstance(event, e.TaskSucceeded) or not event.subject.ordinal:
                continue
            if (run.run, event.subject) not in own:
                made = {one.digest for one in event.renditions} & found.digests
                found.shared |= dict.fromkeys(made, event.subject)


def erase(
    journal: Journal,
    workspace: Path,
    found: Findings,
    why: Why,
    patience: float,
) -> Proof:
    """Remove what `find` has found, and look whether anything is left. The image must not be live
    any more, and every run must be done with it. Doing it again goes on where a crash came.

    Raises:
        ControlError: it is still live or in flight, or a run is at work for too long.
        PublishError, OSError: something cannot be removed.
    """
    rows = {one.row.run: one.row for one in found.appearances}
    quieted(journal, workspace, list(rows.values()), why.reason, why.actor, patience)
    _refuse_unsettled(journal, found)
    at = Workspace(workspace)
    gone = sum(place.publisher.discard(place.slug, digest) for place, digest in found.versions)
    own = [Digest(one) for one in sorted(found.own)]
    folders = {at.root}
    for row in rows.values():
        spec = spec_of(row)
        folders.update(wiring.targets(spec))
        for publisher in wiring.publishers(spec).values():
            gone += publisher.discard_objects(own)
    gone += remove(path for digest in own for path in stored_as(at.artifacts, digest))
    # An index of the record, which is made anew from what is left of that.
    gone += remove(at.root.glob(f"{at.recollection.name}*"))
    words = _words(found)
    for row in rows.values():
        gone += remove([at.scratch(row.run)])
        home = at.run(row.run)
        reports = [path for path in home.glob("*") if path.is_file() and path.name not in _KEPT]
        gone += remove({one.file for path in reports for one in _says(path, words)})
        if (home / "source.db").exists():
            forget_rows(home / "source.db", found.thing.path)
    named = _erase_record(journal, at, found, why, gone, words)
    for folder in folders - {at.root}:
        for database in folder.glob("*.db"):
            compact(database)
    left = tuple(traces(sorted(folders), found.own, words))
    return Proof(gone, left, tuple(named))


def _refuse_unsettled(journal: Journal, found: Findings) -> None:
    for one in found.appearances:
        recalled = recall(journal, one.row.run, one.subject.group)
        if recalled is None or one.subject not in recalled.images:
            raise ControlError(
                f"image {one.subject} is in flight in run {one.row.run}: expected one that is "
                f"settled; `imagelane resume {one.row.run}`, then erase it again"
            )
    for place, digest in found.versions:
        if place.publisher.live(place.slug) == digest:
            raise ControlError(
                f"version {digest[:16]} of {place.slug} shows it and is live: withdraw it first"
            )


def _erase_record(
    journal: Journal,
    at: Workspace,
    found: Findings,
    why: Why,
    gone: int,
    words: Sequence[str],
) -> list[tuple[str, tuple[int, ...]]]:
    for one in found.appearances:
        recalled = recall(journal, one.row.run, one.subject.group)
        if recalled is None:
            continue
        settled = recalled.images[one.subject].state
        said = (gone, why.reason, why.actor, fingerprint_of(found.thing.digest))
        event = e.ImageErased(one.subject, settled, recalled.over, *said)
        erase_payloads(at.journal, journal.claim(one.row.run, this_process()), event)
    runs = dict.fromkeys(one.row.run for one in found.appearances)
    named = ((str(run), tuple(names_of(at.journal, run, words))) for run in runs)
    return [(run, indices) for run, indices in named if indices]


def _words(found: Findings) -> list[str]:
    """What only this image is called: its path, and the digests of its file and of what was made of
    it alone."""
    made = {digest for one in found.appearances for digest in one.shown.digests}
    digests = made - set(found.shared) | ({found.thing.digest} - {""})
    return [found.thing.path, *sorted(digests)]


def _says(path: Path, words: Sequence[str]) -> list[Trace]:
    text = path.read_bytes()
    return [Trace(path, word) for word in words if word.encode(errors="surrogateescape") in text]
