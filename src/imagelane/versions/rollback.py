"""Putting an earlier version of a group back, and a later one again."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from imagelane.adapters.owner import this_process
from imagelane.control import ControlError, quieted
from imagelane.model import events as e
from imagelane.model.ids import Digest, RunId
from imagelane.model.states import LIVE_GROUPS, GroupState
from imagelane.ports.faults import Fault, no_fault
from imagelane.ports.journal import Journal, RunRow
from imagelane.ports.publisher import Version
from imagelane.publish.promote import go_live
from imagelane.publish.versions import shows, version_of
from imagelane.versions.listing import numbered
from imagelane.versions.places import (
    Place,
    Standing,
    list_anew,
    others_at_it,
    standing,
    withdrawn_from,
)

SHORTEST = 6
"""Digits of a digest that say which version is meant."""


@dataclass(frozen=True, slots=True)
class Put:
    """What is live at a place from here on. ``changed``: it was another version before."""

    place: Place
    digest: Digest
    changed: bool


@dataclass(frozen=True, slots=True)
class Rollback:
    """``paused`` are runs that were made to stand still for it."""

    group: str
    put: tuple[Put, ...]
    paused: tuple[RunId, ...]


@dataclass(frozen=True, slots=True)
class _Step:
    place: Place
    version: Version
    before: Digest | None


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants it, why, and which version: a number or the beginning of a digest; None: the one
    before that which the run published."""

    reason: str
    actor: str
    to: str | None = None


def rollback(
    journal: Journal,
    workspace: Path,
    row: RunRow,
    number: int,
    wish: Wish,
    patience: float,
    fault: Fault = no_fault,
) -> Rollback:
    """Make another version of a group live that is kept, in one atomic step, and record it. Doing
    it again changes nothing.

    A process that is at work on the group is paused first; one that did not hear of it, with the
    earlier fence that it has, cannot overwrite what was put back.

    Raises:
        ControlError: there is no such version, something of it is gone, or the group is not live.
        PublishError: the target cannot be written.
        StaleFenceError: a later coordinator has published the group.
    """
    found = standing_in(journal, row, number)
    steps = _steps(found, wish.to)
    _refuse_withdrawn(journal, found, steps)
    paused = quieted(
        journal, workspace, others_at_it(journal, row, found.row), wish.reason, wish.actor, patience
    )
    if paused:
        found = standing_in(journal, row, number)
        steps = _steps(found, wish.to)
        _refuse_withdrawn(journal, found, steps)
    of_old = all(step.version.digest == step.place.made for step in steps)
    state = found.settled if of_old else GroupState.ROLLED_BACK
    there = all(step.before == step.version.digest for step in steps)
    if there and (found.row.state, found.row.manifest) == (state, steps[-1].version.digest):
        unchanged = (Put(step.place, step.version.digest, changed=False) for step in steps)
        return Rollback(found.row.name, tuple(unchanged), tuple(paused))
    claimed = journal.claim(row.run, this_process())
    fault("rollback: claimed")
    settled = found.row.state
    for step in steps:
        go_live(step.place.publisher, step.version, claimed.fence)
        fault("rollback: swapped")
        event = e.GroupRolledBack(
            found.subject,
            step.place.stage,
            settled,
            state,
            step.version.digest,
            _before_it(step, found),
            wish.reason,
            wish.actor,
        )
        journal.append(claimed, [(time.time(), event)])
        settled = state
        fault("rollback: recorded")
        list_anew(row, step.place, claimed.fence)
    put = (Put(one.place, one.version.digest, one.before != one.version.digest) for one in steps)
    return Rollback(found.row.name, tuple(put), tuple(paused))


def _refuse_withdrawn(journal: Journal, found: Standing, steps: Sequence[_Step]) -> None:
    withdrawn = withdrawn_from(journal, found.row.name)
    for step in steps:
        content = json.loads(step.version.manifest)
        for image in withdrawn:
            if shows(content, image):
                raise ControlError(
                    f"version {step.version.digest[:16]} of {found.row.name!r} shows "
                    f"{image.name!r}, which was withdrawn: choose another version, or undo that "
                    "with `imagelane withdraw --undo` first"
                )


def _before_it(step: _Step, found: Standing) -> Digest | None:
    """What was live before: as the record has it, where it was put back and a crash came before
    that was recorded."""
    if step.before != step.version.digest or found.row.manifest is None:
        return step.before
    return Digest(found.row.manifest)


def standing_in(
    journal: Journal, row: RunRow, number: int, states: Collection[GroupState] = LIVE_GROUPS
) -> Standing:
    """A group of a run that is in one of some states, and was published by it.

    Raises:
        ControlError: it is not.
    """
    found = standing(journal, row, number)
    if found is None:
        raise ControlError(f"run {row.run} has no group {number}; `imagelane status` lists them")
    if found.row.state not in states or not found.places:
        raise ControlError(
            f"group {found.row.name!r} is {found.row.state} in run {row.run}: expected one that it "
            "has published; `imagelane history` shows its versions, --run names another run"
        )
    return found


def _steps(found: Standing, to: str | None) -> list[_Step]:
    steps = [_step(place, to) for place in found.places]
    whole = [step for step in steps if step is not None]
    if to is None and len(whole) == len(steps):
        return whole
    if to is not None and whole:
        return whole
    wanted = "an earlier version" if to is None else f"a version {to!r}"
    raise ControlError(
        f"group {found.row.name!r} has no {wanted.removeprefix('a ').removeprefix('an ')} that is "
        f"kept: `imagelane history {found.subject}` lists those that are"
    )


def _step(place: Place, to: str | None) -> _Step | None:
    """Which version is put where; None where there is none of that name at this place."""
    promotions = place.publisher.promotions(place.slug)
    made_live = [one.digest for one in promotions if one.digest is not None]
    digest = _before(made_live, place.made) if to is None else _named(made_live, to)
    if digest is None:
        return None
    manifest = place.publisher.kept(place.slug, digest)
    if manifest is None:
        raise ControlError(
            f"version {digest[:16]} of {place.slug} is gone, or is not what it was: expected its "
            "folder with its manifest below .versions; restore it from a backup, or choose "
            "another version"
        )
    version = version_of(place.slug, manifest)
    if lacking := place.publisher.lacking(version):
        listed = ", ".join(lacking[:5]) + (" …" if lacking[5:] else "")
        raise ControlError(
            f"version {digest[:16]} of {place.slug} lacks {len(lacking)} of its "
            f"{len(version.files)} files ({listed}): they are neither in it nor stored any more; "
            "nothing was changed. Restore them from a backup, or choose another version"
        )
    return _Step(place, version, place.publisher.live(place.slug))


def _before(made_live: Sequence[Digest], made: Digest) -> Digest | None:
    """The version that was live before the run published its own."""
    if made not in made_live:
        return None
    earlier = made_live[: made_live.index(made)]
    return earlier[-1] if earlier else None


def _named(made_live: Sequence[Digest], word: str) -> Digest | None:
    numbers = numbered(made_live)
    for digest, number in numbers.items():
        if word == str(number):
            return digest
    near = [one for one in numbers if len(word) >= SHORTEST and one.startswith(word)]
    return near[0] if len(near) == 1 else None
