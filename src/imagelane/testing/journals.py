"""A journal in memory, for tests and simulations: every journal's contract, but durability."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from imagelane.model import events as e
from imagelane.model.events import Event, subject_of
from imagelane.model.ids import RunId, Subject
from imagelane.model.run import final_image_state
from imagelane.model.states import GroupState, ImageState, RunStatus
from imagelane.ports.journal import (
    Claimed,
    GroupRow,
    ImageRow,
    JournalError,
    Mark,
    MarkKind,
    Recorded,
    RunNotFoundError,
    RunRow,
    StaleFenceError,
)


@dataclass(slots=True)
class _Run:
    row: RunRow
    events: list[Recorded] = field(default_factory=list)
    groups: dict[int, GroupRow] = field(default_factory=dict)
    images: dict[int, dict[int, ImageRow]] = field(default_factory=dict)
    """By group, then by ordinal."""
    fates: dict[Subject, ImageState] = field(default_factory=dict)
    """What images settled in, whatever their groups came to."""

    def rows(self) -> Iterator[ImageRow]:
        for _, of_group in sorted(self.images.items()):
            for _, row in sorted(of_group.items()):
                yield row


class MemoryJournal:
    """Forgets everything when it goes away. ``clock`` gives the times of creation."""

    def __init__(self, clock: Callable[[], float] = lambda: 0.0) -> None:
        self._clock = clock
        self._runs: dict[RunId, _Run] = {}
        self._fence = 0

    def create(self, run: RunId, definition: Mapping[str, Any], owner: str) -> Claimed:
        if run in self._runs:
            raise JournalError(f"there is already a run {run}: give the new one another name")
        self._fence += 1
        now = self._clock()
        self._runs[run] = _Run(
            RunRow(
                run=run,
                pipeline="",
                plan="",
                model="",
                status=RunStatus.RUNNING,
                reason="",
                started=now,
                updated=now,
                definition=json.loads(json.dumps(definition)),
                owner=owner,
                fence=self._fence,
            )
        )
        return Claimed(run, self._fence)

    def claim(self, run: RunId, owner: str) -> Claimed:
        found = self._of(run)
        self._fence += 1
        found.row = replace(found.row, owner=owner, fence=self._fence)
        return Claimed(run, self._fence)

    def append(self, claimed: Claimed, events: Iterable[tuple[float, Event]]) -> None:
        batch = list(events)
        if not batch:
            return
        run = self._of(claimed.run)
        if run.row.fence != claimed.fence:
            raise StaleFenceError(f"another coordinator has taken {claimed.run} over")
        _refuse_contradictions(run, [event for _, event in batch])
        for at, event in batch:
            run.events.append(Recorded(len(run.events) + 1, at, event))
            _apply(run, at, event)
        run.row = replace(run.row, updated=batch[-1][0])

    def events(
        self, run: RunId, *, after: int = 0, subject: Subject | None = None
    ) -> Iterator[Recorded]:
        recorded = self._of(run).events[after:]
        return (one for one in recorded if subject is None or subject_of(one.event) == subject)

    def members(self, run: RunId, group: int) -> Iterator[Recorded]:
        of_group = [
            one
            for one in self._of(run).events
            if (subject := subject_of(one.event)).group == group and subject.ordinal
        ]
        return iter(sorted(of_group, key=lambda one: (subject_of(one.event).ordinal, one.index)))

    def runs(self) -> list[RunRow]:
        return [run.row for run in reversed(self._runs.values())]

    def images(
        self, run: RunId, *, group: int | None = None, states: frozenset[ImageState] | None = None
    ) -> Iterator[ImageRow]:
        return (
            row
            for row in self._of(run).rows()
            if (group is None or row.subject.group == group)
            and (states is None or row.state in states)
        )

    def groups(self, run: RunId, *, after: int = 0) -> Iterator[GroupRow]:
        rows = self._of(run).groups
        return (rows[group] for group in sorted(rows) if group > after)

    def marks(self) -> list[Mark]:
        found: dict[tuple[RunId, Subject, MarkKind], Mark] = {}
        entries = [(run, one) for run in self._runs for one in self._runs[run].events]
        for run, entry in sorted(entries, key=lambda one: one[1].at):
            match entry.event:
                case e.Withdrawn() | e.HoldAdded() as event:
                    mark = _mark(run, entry.at, event)
                    found[run, event.subject, mark.kind] = mark
                case e.ImageErased() as event:
                    key = (run, event.subject, MarkKind.WITHDRAWN)
                    if key in found:
                        found[key] = replace(
                            found[key], path="(erased)", digest=event.fingerprint, reason=""
                        )
                case e.WithdrawalUndone() | e.HoldRemoved() as event:
                    kind = _kind_undone(event)
                    found = {
                        key: one
                        for key, one in found.items()
                        if one.kind is not kind or not _same(one, event)
                    }
        return list(found.values())

    def image_counts(self, run: RunId) -> Mapping[ImageState, int]:
        return dict(Counter(row.state for row in self._of(run).rows()))

    def close(self) -> None:
        """Nothing to let go."""

    def _of(self, run: RunId) -> _Run:
        if run not in self._runs:
            raise RunNotFoundError(f"the journal holds no run {run!r}")
        return self._runs[run]


def _refuse_contradictions(run: _Run, events: Sequence[Event]) -> None:
    new: set[Subject] = set()

    def known(subject: Subject) -> bool:
        if subject in new:
            return True
        if subject.ordinal:
            return subject.ordinal in run.images.get(subject.group, {})
        return subject.group in run.groups

    for event in events:
        match event:
            case e.GroupOpened() | e.ImageReceived() if known(event.subject):
                raise JournalError(f"{event.subject} is in the journal already")
            case e.ImageReceived() if not known(event.subject.of_group):
                raise JournalError(f"image {event.subject} is of a group that was never opened")
            case e.GroupOpened() | e.ImageReceived():
                new.add(event.subject)


def _apply(run: _Run, at: float, event: Event) -> None:  # noqa: C901, PLR0912 -- a fold
    match event:
        case e.RunStarted():
            run.row = replace(
                run.row,
                pipeline=event.pipeline,
                plan=event.plan,
                model=event.model,
                status=RunStatus.RUNNING,
                reason="",
                started=at,
            )
        case e.RunResumed():
            run.row = replace(run.row, model=event.model, status=RunStatus.RUNNING, reason="")
        case e.RunSettled():
            run.row = replace(run.row, status=event.status, reason=event.reason)
        case e.ImageReopened():
            of_group = run.images[event.subject.group]
            of_group[event.subject.ordinal] = replace(
                of_group[event.subject.ordinal],
                state=ImageState.PROCESSING,
                settled=False,
                stage=None,
                reason="",
            )
            run.fates.pop(event.subject)
            if run.groups[event.subject.group].state is GroupState.HELD:
                _change_group(run, event.subject, state=GroupState.CLOSED, reason="")
        case e.GroupReopened():
            _change_group(run, event.subject, state=GroupState(event.record["state"]), reason="")
            members = run.images[event.subject.group]
            for ordinal, member in members.items():
                fate = run.fates.get(member.subject, member.state)
                if fate is not member.state:
                    members[ordinal] = replace(member, state=fate, reason="")
        case e.GroupOpened():
            group = event.subject.group
            run.groups[group] = GroupRow(group, event.name, GroupState.OPEN, 0, "", None)
            run.images[group] = {}
        case e.GroupClosed():
            _change_group(run, event.subject, state=GroupState.CLOSED)
        case e.GateOpened():
            _change_group(run, event.subject, state=GroupState.GATED)
        case e.GroupSettled():
            _change_group(
                run,
                event.subject,
                state=event.state,
                reason=event.reason,
                manifest=event.manifest,
            )
            if event.state is not GroupState.HELD:
                _settle_images(run, event)
        case e.GroupRolledBack() | e.Withdrawn() if event.settled is not None:
            _group_becomes(run, event)
        case e.ImageErased():
            of_group = run.images[event.subject.group]
            of_group[event.subject.ordinal] = replace(
                of_group[event.subject.ordinal],
                state=ImageState.ERASED,
                settled=True,
                stage=None,
                reason="",
                name="(erased)",
                path="",
            )
            run.fates[event.subject] = ImageState.ERASED
        case e.ImageReceived():
            run.images[event.subject.group][event.subject.ordinal] = ImageRow(
                subject=event.subject,
                name=event.name,
                path=event.path,
                state=ImageState.RECEIVED,
                settled=False,
                stage=None,
                reason="",
                role=event.role,
            )
            received = run.groups[event.subject.group].images
            _change_group(run, event.subject, images=received + 1)
        case e.TaskSucceeded() | e.TaskFailed() | e.TaskSkipped():
            of_group = run.images.get(event.subject.group, {})
            image = of_group.get(event.subject.ordinal)
            if image is not None and image.state is ImageState.RECEIVED:
                of_group[event.subject.ordinal] = replace(image, state=ImageState.PROCESSING)
        case e.ImageSettled():
            of_group = run.images[event.subject.group]
            of_group[event.subject.ordinal] = replace(
                of_group[event.subject.ordinal],
                state=event.state,
                settled=True,
                stage=event.stage,
                reason=event.reason,
            )
            run.fates[event.subject] = event.state


def _group_becomes(run: _Run, event: e.GroupRolledBack | e.Withdrawn) -> None:
    state = event.state if isinstance(event, e.GroupRolledBack) else GroupState.WITHDRAWN
    _change_group(run, event.subject, state=state, manifest=event.manifest)
    of_group = run.images[event.subject.group]
    for ordinal, member in of_group.items() if event.images else ():
        fate = run.fates.get(member.subject, member.state)
        final = final_image_state(fate, state)
        if final is not member.state:
            kept = member.reason if member.state is fate else ""
            of_group[ordinal] = replace(member, state=final, reason=kept)


def _mark(run: RunId, at: float, event: e.Withdrawn | e.HoldAdded) -> Mark:
    kind = MarkKind.WITHDRAWN if isinstance(event, e.Withdrawn) else MarkKind.HOLD
    thing = (event.group, event.path, event.bytes, event.digest)
    return Mark(kind, run, event.subject, *thing, event.reason, event.actor, at)


def _kind_undone(event: e.WithdrawalUndone | e.HoldRemoved) -> MarkKind:
    return MarkKind.WITHDRAWN if isinstance(event, e.WithdrawalUndone) else MarkKind.HOLD


def _same(mark: Mark, event: e.WithdrawalUndone | e.HoldRemoved) -> bool:
    named = (mark.group, mark.path) == (event.group, event.path)
    return named or bool(event.digest and mark.digest == event.digest)


def _change_group(run: _Run, subject: Subject, **changes: Any) -> None:
    run.groups[subject.group] = replace(run.groups[subject.group], **changes)


def _settle_images(run: _Run, event: e.GroupSettled) -> None:
    of_group = run.images[event.subject.group]
    for ordinal, image in of_group.items():
        final = final_image_state(run.fates.get(image.subject, image.state), event.state)
        if image.settled and final is not image.state:
            of_group[ordinal] = replace(image, state=final, reason=image.reason or event.reason)
