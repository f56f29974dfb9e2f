"""Where the versions of a group are: for each of its publish stages, the publisher and the name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from imagelane import wiring
from imagelane.control import spec_of
from imagelane.model import events as e
from imagelane.model.ids import Digest, RunId, StageName, Subject
from imagelane.model.states import LIVE_GROUPS, GroupState
from imagelane.ports.journal import GroupRow, Journal, MarkKind, RunRow
from imagelane.ports.publisher import IndexedPublisher
from imagelane.publish.index import with_gallery
from imagelane.publish.versions import Shown


@dataclass(frozen=True, slots=True)
class Place:
    """``made`` is the version that the run itself published there."""

    stage: StageName
    slug: str
    made: Digest
    publisher: IndexedPublisher


@dataclass(frozen=True, slots=True)
class Standing:
    """A group as it stands. ``settled`` is the state that its run left it in, before anybody put
    another version in its place."""

    row: GroupRow
    settled: GroupState
    places: tuple[Place, ...]

    @property
    def subject(self) -> Subject:
        return Subject(self.row.group)


def standing(journal: Journal, row: RunRow, number: int) -> Standing | None:
    """A group of a run, with the places where the run published it; None: it has no such group."""
    group = next((one for one in journal.groups(row.run, after=number - 1)), None)
    if group is None or group.group != number:
        return None
    settled, made = group.state, {}
    for recorded in journal.events(row.run, subject=Subject(number)):
        match recorded.event:
            case e.GroupSettled() as event:
                settled = event.state
            case e.TaskSucceeded() as event if "slug" in event.facts:
                made[event.stage] = (event.facts["slug"], Digest(event.facts["manifest"]))
    publishers = wiring.publishers(spec_of(row))
    places = [
        Place(stage, *made[stage], publisher)
        for stage, publisher in publishers.items()
        if stage in made
    ]
    return Standing(group, settled, tuple(places))


def shows_another(found: Standing) -> bool:
    """Whether something is live that neither the run published, nor was put back for it."""
    known = {place.made for place in found.places} | {found.row.manifest}
    return any(place.publisher.live(place.slug) not in known for place in found.places)


def overtaken(journal: Journal, row: RunRow, found: Standing) -> bool:
    """Whether what is live is the version of a group of this name in another run."""
    others = {
        group.manifest
        for other in journal.runs()
        if other.run != row.run
        for group in journal.groups(other.run)
        if group.name == found.row.name
    }
    own = {place.made for place in found.places} | {found.row.manifest}
    live = {place.publisher.live(place.slug) for place in found.places} - {None}
    return bool(live & others - own)


def shown_of(journal: Journal, run: RunId, subject: Subject) -> Shown | None:
    """How versions show an image: its name, and the digest of everything that was ever made of it
    in the run."""
    name, digests = None, set()
    for recorded in journal.events(run, subject=subject):
        match recorded.event:
            case e.ImageReceived() as event:
                name = event.name
            case e.TaskSucceeded() as event:
                digests |= {one.digest for one in event.renditions}
    return None if name is None else Shown(name, frozenset(digests))


def withdrawn_from(journal: Journal, group: str) -> list[Shown]:
    """The images of groups of this name that are withdrawn."""
    marks = [one for one in journal.marks() if one.kind is MarkKind.WITHDRAWN and one.path]
    found = [shown_of(journal, one.run, one.subject) for one in marks if one.group == group]
    return [one for one in found if one is not None]


def others_at_it(journal: Journal, row: RunRow, group: GroupRow) -> list[RunRow]:
    """The runs that may be about to publish the group: this one, and those to the same folders that
    are not done with a group of this name."""
    folders = set(map(Path.resolve, wiring.targets(spec_of(row))))
    found = [row]
    for other in journal.runs():
        if other.run == row.run or not other.definition:
            continue
        if folders.isdisjoint(map(Path.resolve, wiring.targets(spec_of(other)))):
            continue
        namesake = next((one for one in journal.groups(other.run) if one.name == group.name), None)
        if namesake is None or namesake.state not in {*LIVE_GROUPS, GroupState.ABORTED}:
            found.append(other)
    return found


def list_anew(row: RunRow, place: Place, fence: int) -> None:
    """Have the lists of galleries say what is live at a place now, where there are any."""
    manifest = place.publisher.manifest(place.slug)
    for publisher in wiring.publishers(spec_of(row)).values():
        index = publisher.index()
        if index is None or publisher.manifest(place.slug) != manifest:
            continue
        anew = with_gallery(index, place.slug, manifest)
        if anew != index and json.loads(index)["pipeline"] == row.pipeline:
            publisher.publish_index(anew, fence)
