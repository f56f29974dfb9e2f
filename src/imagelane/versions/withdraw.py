"""Taking images and groups out of what is live, and letting them in again."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from imagelane.adapters.owner import this_process
from imagelane.control import ControlError, quieted, spec_of
from imagelane.model import events as e
from imagelane.model.decision import Decision, Verb
from imagelane.model.ids import Digest, RunId, Subject
from imagelane.model.states import LIVE_GROUPS, TAKEN_AWAY, GroupState, ImageState, RunStatus
from imagelane.plan.logical import logical_plan
from imagelane.ports.faults import Fault, no_fault
from imagelane.ports.journal import Claimed, Journal, Mark, MarkKind, RunRow
from imagelane.publish.promote import go_live
from imagelane.publish.versions import Shown, version_of, without
from imagelane.record.decisions import Decider
from imagelane.record.recall import RecalledGroup, recall
from imagelane.versions.places import (
    Place,
    list_anew,
    others_at_it,
    overtaken,
    shown_of,
    standing,
)
from imagelane.versions.rollback import standing_in
from imagelane.versions.things import thing_of


@dataclass(frozen=True, slots=True)
class Why:
    """Who wants it, and why; it is recorded."""

    reason: str
    actor: str


@dataclass(frozen=True, slots=True)
class Taken:
    """``taken``: something was live, and is not any more. ``remade``: the run is to be gone on
    with, so that what was made of the group as a whole is made anew. ``paused`` are runs that were
    made to stand still."""

    taken: bool
    remade: bool
    paused: tuple[RunId, ...]


def withdraw_images(
    journal: Journal,
    workspace: Path,
    row: RunRow,
    subjects: Sequence[Subject],
    why: Why,
    patience: float,
    fault: Fault = no_fault,
) -> Taken:
    """Show images of one group no more, from one atomic step on: first a version without them and
    without what was made of the whole group goes live; then, where the record allows it, the group
    is taken up again, so that its run makes the rest anew.

    Saying it again changes nothing that was done before.

    Raises:
        ControlError: there are no such images, or a run is at work for too long.
        PublishError: the target cannot be written.
    """
    number = subjects[0].group
    found = standing(journal, row, number)
    recalled = recall(journal, row.run, number)
    if found is None or recalled is None:
        raise ControlError(f"run {row.run} has no group {number}; `imagelane status` lists them")
    subjects = _with_twins(recalled, subjects)
    images = [one for one in (shown_of(journal, row.run, subject) for subject in subjects) if one]
    if len(images) < len(subjects):
        raise ControlError(f"run {row.run} has no image {', '.join(map(str, subjects))}")
    at_it = others_at_it(journal, row, found.row)
    paused = quieted(journal, workspace, at_it, why.reason, why.actor, patience)
    # What a later run has published is not overwritten by what this one would make anew.
    late = overtaken(journal, row, found)
    claimed = journal.claim(row.run, this_process())
    fault("withdraw: claimed")
    taken, manifest = False, None
    for place in found.places:
        changed, manifest = _take_out(row, place, images, claimed.fence)
        taken |= changed
    fault("withdraw: taken out")
    remade = _record(journal, row, claimed, subjects, why, manifest, late=late)
    fault("withdraw: recorded")
    paths = {thing_of(journal, row.run, subject).path for subject in subjects}
    for other in at_it:
        if other.run != row.run:
            _record_elsewhere(journal, other, found.row.name, paths, why)
    return Taken(taken, remade, tuple(paused))


def _with_twins(group: RecalledGroup, subjects: Sequence[Subject]) -> list[Subject]:
    """With them the images of their group that are the same file under another name."""
    digests = {
        subject: settled.record.source.digest
        for subject, settled in group.images.items()
        if settled.record.source.digest is not None
    }
    meant = {digests.get(subject) for subject in subjects} - {None}
    twins = (subject for subject, digest in digests.items() if digest in meant)
    return sorted({*subjects, *twins})


def _take_out(
    row: RunRow, place: Place, images: Iterable[Shown], fence: int
) -> tuple[bool, Digest | None]:
    """Whether something was shown at a place that is not any more, and the version there now."""
    live = place.publisher.manifest(place.slug)
    if live is None:
        return False, None
    left = without(live, images)
    if left is None:
        place.publisher.take_down(place.slug, fence)
    elif left != live:
        go_live(place.publisher, version_of(place.slug, left), fence)
    list_anew(row, place, fence)
    return left != live, None if left is None else version_of(place.slug, left).digest


def _record(
    journal: Journal,
    row: RunRow,
    claimed: Claimed,
    subjects: Sequence[Subject],
    why: Why,
    manifest: Digest | None = None,
    *,
    late: bool = False,
) -> bool:
    """Record the withdrawal in a run that nobody executes. Whether its group is to be made anew:
    not where that comes too ``late``, since another run has published the group."""
    known = {(mark.run, mark.subject) for mark in _withdrawn(journal)}
    events: list[e.Event] = []
    decisions = []
    recalled = recall(journal, row.run, subjects[0].group)
    for subject in subjects:
        if (row.run, subject) not in known:
            of = thing_of(journal, row.run, subject)
            thing = (of.group, of.path, of.bytes, of.digest)
            events.append(e.Withdrawn(subject, *thing, why.reason, why.actor, manifest))
        settled = recalled.images.get(subject) if recalled else None
        if settled is not None and settled.state not in TAKEN_AWAY and not late:
            decisions.append(Decision(subject, Verb.WITHDRAW, why.reason, why.actor))
    if decisions:
        events += _decided(journal, row, decisions)
    if events:
        _append(journal, claimed, row, events, waits=bool(decisions))
    under_way = recalled is not None and recalled.over is None
    return bool(decisions) or (under_way and not late)


def _record_elsewhere(
    journal: Journal, other: RunRow, group: str, paths: set[str], why: Why
) -> None:
    """A run that is not done with the group takes the images out too, before it goes on."""
    namesake = next((one for one in journal.groups(other.run) if one.name == group), None)
    if namesake is None:
        return
    images = journal.images(other.run, group=namesake.group)
    subjects = [image.subject for image in images if image.path in paths]
    if subjects:
        _record(journal, other, journal.claim(other.run, this_process()), subjects, why)


def _decided(
    journal: Journal, row: RunRow, decisions: Sequence[Decision]
) -> list[e.GroupReopened | e.ImageReopened]:
    decider = Decider(journal, row.run, logical_plan(spec_of(row)))
    return [event for group in decider.events(decisions) for event in group]


def _append(
    journal: Journal, claimed: Claimed, row: RunRow, events: Sequence[e.Event], *, waits: bool
) -> None:
    now = time.time()
    recorded: list[tuple[float, e.Event]] = [(now, event) for event in events]
    if waits and row.status in {RunStatus.FINISHED, RunStatus.FAILED}:
        said = e.RunSettled(RunStatus.PAUSED, "a withdrawal waits to be carried out")
        recorded.append((now, said))
    journal.append(claimed, recorded)


def withdraw_group(
    journal: Journal,
    workspace: Path,
    row: RunRow,
    number: int,
    why: Why,
    patience: float,
) -> Taken:
    """Show nothing of a group any more, from one atomic step on; its versions are kept.

    Raises:
        ControlError: it is not live, or a run is at work on it for too long.
        PublishError: the target cannot be written.
    """
    states = {*LIVE_GROUPS, GroupState.WITHDRAWN}
    found = standing_in(journal, row, number, states)
    at_it = others_at_it(journal, row, found.row)
    paused = quieted(journal, workspace, at_it, why.reason, why.actor, patience)
    found = standing_in(journal, row, number, states)
    claimed = journal.claim(row.run, this_process())
    taken = False
    for place in found.places:
        taken |= place.publisher.live(place.slug) is not None
        place.publisher.take_down(place.slug, claimed.fence)
        list_anew(row, place, claimed.fence)
    if found.row.state is not GroupState.WITHDRAWN:
        event = e.Withdrawn(
            found.subject,
            found.row.name,
            "",
            0,
            "",
            why.reason,
            why.actor,
            None,
            found.row.state,
            _settled(recall(journal, row.run, number)),
        )
        journal.append(claimed, [(time.time(), event)])
    return Taken(taken, remade=False, paused=tuple(paused))


def restore_images(
    journal: Journal,
    workspace: Path,
    row: RunRow,
    subjects: Sequence[Subject],
    why: Why,
    patience: float,
) -> Taken:
    """Undo the withdrawal of images: their group is taken up again, and published with them.

    Raises:
        ControlError: none of them is withdrawn in this run.
    """
    recalled = recall(journal, row.run, subjects[0].group)
    paused = quieted(journal, workspace, [row], why.reason, why.actor, patience)
    decisions = [
        Decision(subject, Verb.RESTORE, why.reason, why.actor)
        for subject in subjects
        if recalled is not None
        and subject in recalled.images
        and recalled.images[subject].state is ImageState.WITHDRAWN
    ]
    if not decisions:
        raise ControlError(
            f"{', '.join(map(str, subjects))} is not withdrawn in run {row.run}: expected an image "
            "that is; `imagelane status --all` lists them, --run names another run"
        )
    claimed = journal.claim(row.run, this_process())
    undone = [one.subject for one in decisions]
    if _kept_out(journal, row, undone[0].group):
        undone.append(undone[0].of_group)
    events: list[e.Event] = [_undone(journal, row, one, why) for one in undone]
    events += _decided(journal, row, decisions)
    _append(journal, claimed, row, events, waits=True)
    return Taken(taken=False, remade=True, paused=tuple(paused))


def restore_group(
    journal: Journal,
    workspace: Path,
    row: RunRow,
    number: int,
    why: Why,
    patience: float,
) -> Taken:
    """Undo the withdrawal of a group: what was live of it is again; or, in a run that it was kept
    out of, all of its images that nobody has withdrawn by themselves are taken up.

    Raises:
        ControlError: it is not withdrawn in this run.
    """
    kept_out = _kept_out(journal, row, number)
    if kept_out:
        return restore_images(journal, workspace, row, kept_out, why, patience)
    found = standing_in(journal, row, number, {GroupState.WITHDRAWN})
    at_it = others_at_it(journal, row, found.row)
    paused = quieted(journal, workspace, at_it, why.reason, why.actor, patience)
    claimed = journal.claim(row.run, this_process())
    undone = _undone(journal, row, found.subject, why)
    settled = GroupState.WITHDRAWN
    images = _settled(recall(journal, row.run, number))
    events: list[e.Event] = [undone]
    for place in found.places:
        digest = next(iter(place.publisher.versions(place.slug)), None)
        manifest = None if digest is None else place.publisher.kept(place.slug, digest)
        if manifest is None:
            raise ControlError(f"no version of {found.row.name!r} is kept in {place.slug}")
        version = version_of(place.slug, manifest)
        go_live(place.publisher, version, claimed.fence)
        list_anew(row, place, claimed.fence)
        whole = version.digest == place.made
        state = found.settled if whole else GroupState.ROLLED_BACK
        put_back = e.GroupRolledBack(
            found.subject,
            place.stage,
            settled,
            state,
            version.digest,
            None,
            why.reason,
            why.actor,
            images,
        )
        events.append(put_back)
        settled, images = state, {}
    _append(journal, claimed, row, events, waits=False)
    return Taken(taken=False, remade=False, paused=tuple(paused))


def _kept_out(journal: Journal, row: RunRow, number: int) -> list[Subject]:
    """The images of a group that a run did not publish since the group was withdrawn before."""
    group = next((one for one in journal.groups(row.run) if one.group == number), None)
    if group is None or group.state is GroupState.WITHDRAWN:
        return []
    marks = [mark for mark in _withdrawn(journal) if mark.group == group.name]
    if all(mark.path for mark in marks):
        return []
    alone = {mark.path for mark in marks}
    images = journal.images(row.run, group=number, states=frozenset({ImageState.WITHDRAWN}))
    return [image.subject for image in images if image.path not in alone]


def _undone(journal: Journal, row: RunRow, subject: Subject, why: Why) -> e.WithdrawalUndone:
    of = thing_of(journal, row.run, subject)
    return e.WithdrawalUndone(subject, of.group, of.path, of.digest, why.reason, why.actor)


def _withdrawn(journal: Journal) -> list[Mark]:
    return [mark for mark in journal.marks() if mark.kind is MarkKind.WITHDRAWN]


def _settled(recalled: RecalledGroup | None) -> dict[ImageState, int]:
    images = recalled.images.values() if recalled else ()
    return dict(Counter(one.state for one in images))
