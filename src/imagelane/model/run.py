"""The state of a run, and `evolve`: the only fold from events to state.

The state holds what is in flight and no more. An image leaves it when it is settled, a group when
its last stage is over; what they were stays in the journal. So ten images and ten million take
the same memory, and a killed run continues from the fold of its journal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from imagelane.model import events as e
from imagelane.model.ids import StageName, Subject
from imagelane.model.outcome import Rendition
from imagelane.model.states import (
    LEFT_THE_GROUP,
    GroupState,
    ImageState,
    RunStatus,
)
from imagelane.model.work import SourceFile


@dataclass(slots=True)
class SubjectState:
    """What has been done on one image, group or the run.

    ``done`` stages succeeded; ``missing`` failed for good or were skipped, with the reason;
    of those, ``failed`` gives (error class, message) of the ones that failed. ``attempts`` counts
    failed attempts by stage.
    """

    done: set[StageName] = field(default_factory=set)
    missing: dict[StageName, str] = field(default_factory=dict)
    failed: dict[StageName, tuple[str, str]] = field(default_factory=dict)
    attempts: Counter[StageName] = field(default_factory=Counter)
    facts: dict[StageName, Mapping[str, Any]] = field(default_factory=dict)
    renditions: dict[StageName, tuple[Rendition, ...]] = field(default_factory=dict)

    def resolved(self, stage: StageName) -> bool:
        return stage in self.done or stage in self.missing


@dataclass(slots=True)
class ImageRecord(SubjectState):
    """An image in flight."""

    source: SourceFile = field(kw_only=True)
    sequence: int = field(kw_only=True)
    role: str = field(kw_only=True, default="")
    verdicts: dict[StageName, str] = field(default_factory=dict)


@dataclass(slots=True)
class GroupRecord(SubjectState):
    """A group that is not over. ``settled`` counts members by the state they settled in."""

    name: str = field(kw_only=True)
    state: GroupState = GroupState.OPEN
    received: int = 0
    settled: Counter[ImageState] = field(default_factory=Counter)
    roles: dict[str, ImageState | None] = field(default_factory=dict)
    size: int | None = None
    closed_at: float | None = None
    opened_gates: set[StageName] = field(default_factory=set)
    primary: Mapping[str, Any] | None = None
    """Facts of the primary, once it is settled whole or in part."""
    primary_state: ImageState | None = None

    @property
    def settled_total(self) -> int:
        return self.settled.total()

    @property
    def gone(self) -> int:
        return sum(self.settled[state] for state in LEFT_THE_GROUP)


@dataclass(slots=True)
class RunState:
    """``images`` are in flight, ``groups`` not over. ``image_counts`` and ``group_counts`` count
    those that are, by final state, so that everything received is counted exactly once.
    ``coordinators`` counts those that have executed the run, one after the other."""

    images: dict[Subject, ImageRecord] = field(default_factory=dict)
    groups: dict[int, GroupRecord] = field(default_factory=dict)
    run: SubjectState = field(default_factory=SubjectState)
    received: int = 0
    groups_opened: int = 0
    exhausted: bool = False
    image_counts: Counter[ImageState] = field(default_factory=Counter)
    group_counts: Counter[GroupState] = field(default_factory=Counter)
    status: RunStatus = RunStatus.RUNNING
    reason: str = ""
    coordinators: int = 0

    def of(self, subject: Subject) -> SubjectState:
        """The record of a subject in flight.

        Raises:
            KeyError: it is over, or was never received.
        """
        if subject.ordinal:
            return self.images[subject]
        return self.groups[subject.group] if subject.group else self.run


def evolve(state: RunState, event: e.Event) -> RunState:
    """The state after the event. The state that is handed in is changed and returned.

    Deterministic, without input or output. Applying a journal's events in order to a new
    `RunState` gives the state at its end.
    """
    match event:
        case e.TaskSucceeded():
            record = state.of(event.subject)
            record.done.add(event.stage)
            record.missing.pop(event.stage, None)
            record.facts[event.stage] = event.facts
            record.renditions[event.stage] = event.renditions
            if isinstance(record, ImageRecord):
                _saw_source(record, event.source_digest)
                if event.verdict is not None:
                    record.verdicts[event.stage] = event.verdict
        case e.TaskFailed():
            record = state.of(event.subject)
            record.attempts[event.stage] += 1
            if isinstance(record, ImageRecord):
                _saw_source(record, event.source_digest)
            if event.retry_in is None:
                record.missing[event.stage] = event.message
                record.failed[event.stage] = (event.error, event.message)
        case e.TaskSkipped():
            state.of(event.subject).missing[event.stage] = event.reason
        case e.ImageReceived():
            group = state.groups[event.subject.group]
            group.received += 1
            if event.role:
                group.roles[event.role] = None
            state.received += 1
            state.images[event.subject] = ImageRecord(
                source=SourceFile(
                    event.path, event.name, event.bytes, event.mtime_ns, columns=event.columns
                ),
                sequence=event.sequence,
                role=event.role,
            )
        case e.ImageSettled():
            image = state.images.pop(event.subject)
            group = state.groups[event.subject.group]
            group.settled[event.state] += 1
            if image.role:
                group.roles[image.role] = event.state
            if image.role == "primary":
                group.primary_state = event.state
                group.primary = _facts(image, event.subject)
        case e.GroupOpened():
            state.groups_opened += 1
            state.groups[event.subject.group] = GroupRecord(name=event.name)
        case e.GroupClosed():
            group = state.groups[event.subject.group]
            group.state = GroupState.CLOSED
            group.size = event.images
            group.closed_at = event.at
        case e.GateOpened():
            group = state.groups[event.subject.group]
            group.state = GroupState.GATED
            group.opened_gates.add(event.stage)
        case e.GroupSettled():
            _settle_group(state, event)
        case e.SourceExhausted():
            state.exhausted = True
        case e.RunStarted() | e.RunResumed():
            state.status = RunStatus.RUNNING
            state.reason = ""
            state.coordinators += 1
        case e.RunSettled():
            state.status = event.status
            state.reason = event.reason
    return state


def _facts(image: ImageRecord, subject: Subject) -> Mapping[str, Any]:
    """What may be read of a primary by name: its manifest columns, what every image has, and what
    its stages found."""
    name = image.source.name
    found: dict[str, Any] = {
        **image.source.columns,
        "name": name,
        "stem": name.rpartition(".")[0] or name,
        "ordinal": subject.ordinal,
    }
    # By name: in which order they finished depends on how the run is executed.
    for stage in sorted(image.facts):
        found.update(image.facts[stage])
    return found


def _saw_source(image: ImageRecord, digest: str | None) -> None:
    if digest is not None and image.source.digest is None:
        old = image.source
        image.source = SourceFile(old.path, old.name, old.bytes, old.mtime_ns, digest, old.columns)


def _settle_group(state: RunState, event: e.GroupSettled) -> None:
    if event.state is GroupState.HELD:
        state.groups[event.subject.group].state = GroupState.HELD
        return
    group = state.groups.pop(event.subject.group)
    state.group_counts[event.state] += 1
    for settled, count in group.settled.items():
        state.image_counts[final_image_state(settled, event.state)] += count


def final_image_state(settled: ImageState, group: GroupState) -> ImageState:
    """What an image that settled in one state is, once its group is over.

    Whole images (settled while PROCESSING) share the group's fate.
    """
    if settled is ImageState.PROCESSING:
        return ImageState.SKIPPED if group is GroupState.ABORTED else ImageState.PUBLISHED
    if settled is ImageState.PARTIAL and group is GroupState.ABORTED:
        return ImageState.SKIPPED
    return settled
