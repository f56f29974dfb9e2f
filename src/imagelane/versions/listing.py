"""The versions of a group: which there are, since when, by which run, and why."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from imagelane.model import events as e
from imagelane.model.ids import Digest, RunId, StageName, Subject
from imagelane.ports.journal import Journal
from imagelane.versions.places import Place, Standing


@dataclass(frozen=True, slots=True)
class Listed:
    """One version. ``number`` counts from 1 in the order in which they first went live, ``at`` is
    when it did so last (seconds of the epoch), ``run`` who made that so; empty where this workspace
    does not know. ``kept``: it can be put back. ``images`` is None where its manifest is gone."""

    number: int
    digest: Digest
    at: float
    run: RunId | str
    why: str
    images: int | None
    live: bool
    kept: bool


@dataclass(frozen=True, slots=True)
class ListedPlace:
    """The versions at the place of one publish stage, the newest first."""

    stage: StageName
    slug: str
    versions: tuple[Listed, ...]


def numbered(made_live: Iterable[Digest]) -> dict[Digest, int]:
    """Each version's number: its place in the order in which they first went live, from 1."""
    return {digest: number for number, digest in enumerate(dict.fromkeys(made_live), 1)}


def history(journal: Journal, found: Standing) -> list[ListedPlace]:
    """The versions of a group, place by place."""
    return [_place(journal, found.row.name, place) for place in found.places]


def _place(journal: Journal, name: str, place: Place) -> ListedPlace:
    promotions = [one for one in place.publisher.promotions(place.slug) if one.digest is not None]
    told = list(_told(journal, name))
    live = place.publisher.live(place.slug)
    listed = []
    numbers = numbered(one.digest for one in promotions if one.digest is not None)
    for digest, number in numbers.items():
        last = next(one for one in reversed(promotions) if one.digest == digest)
        # It is recorded after it was done; nothing else went live there in between.
        said = [one for one in told if one[0] == digest and one[3] >= last.at]
        _, run, why, _ = min(said, key=lambda one: one[3], default=(digest, "", "", last.at))
        manifest = place.publisher.kept(place.slug, digest)
        images = None if manifest is None else len(json.loads(manifest)["images"])
        listed.append(
            Listed(
                number,
                digest,
                last.at,
                run,
                why,
                images,
                live=digest == live,
                kept=manifest is not None,
            )
        )
    return ListedPlace(place.stage, place.slug, tuple(reversed(listed)))


def _without(journal: Journal, run: RunId, group: int) -> Iterator[tuple[Digest, str, float]]:
    """The versions that were put in the place of one that showed what is withdrawn."""
    name = ""
    for recorded in journal.members(run, group):
        match recorded.event:
            case e.ImageReceived() as event:
                name = event.name
            case e.Withdrawn() as event if event.manifest is not None:
                said = f"without {name}: withdrawn by {event.actor}: {event.reason}"
                yield event.manifest, said, recorded.at


def _told(journal: Journal, name: str) -> Iterator[tuple[Digest, RunId, str, float]]:
    """What the record says of versions of groups of this name: which, by which run, why, when."""
    for row in journal.runs():
        for group in journal.groups(row.run):
            if group.name != name:
                continue
            for digest, said, at in _without(journal, row.run, group.group):
                yield digest, row.run, said, at
            word = "published"
            for recorded in journal.events(row.run, subject=Subject(group.group)):
                match recorded.event:
                    case e.GroupReopened() as event:
                        reason = "" if event.reason == event.decision else f": {event.reason}"
                        word = f"{event.decision} by {event.actor}{reason}"
                    case e.GroupSettled() as event if event.manifest is not None:
                        short = f" ({event.reason})" if event.reason else ""
                        yield event.manifest, row.run, f"{word}{short}", recorded.at
                    case e.GroupRolledBack() as event:
                        reason = f": {event.reason}" if event.reason else ""
                        said = f"put back by {event.actor}{reason}"
                        yield event.manifest, row.run, said, recorded.at
