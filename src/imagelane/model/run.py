"""The state of a run, and `evolve`: the only fold from events to state.

The state holds what is in flight and no more. An image leaves it when it is settled, a group when
its last stage is over; what they were stays in the journal. So ten images and ten million take
the same memory, and a killed run continues from the fold of its journal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from imagelane.model import events as e
from imagelane.model.calls import Calls
from imagelane.model.ids import StageName, Subject
from imagelane.model.records import (
    GroupRecord,
    ImageRecord,
    SubjectState,
    group_record,
    image_record,
)
from imagelane.model.states import GroupState, ImageState, RunStatus
from imagelane.model.work import SourceFile

K = TypeVar("K")

__all__ = [
    "GroupRecord",
    "ImageRecord",
    "RunState",
    "SubjectState",
    "evolve",
    "final_image_state",
    "lost_with",
]


@dataclass(slots=True)
class RunState:
    """``images`` are in flight, ``groups`` not over. ``image_counts`` and ``group_counts`` count
    those that are, by final state, so that everything received is counted exactly once.

    ``coordinators`` counts those that have executed the run, one after the other.
    ``lost`` counts the images of groups that are over which a tolerance counts: see `lost_with`.
    They are ``losses_accepted`` once somebody took the run up that had failed of them.
    ``stopping`` is set once it is decided that the run will settle before all is done.
    ``alerts`` are by number, ``alerts_settled`` the (number, channel) of which no more is to do.
    ``calls`` are the latest attempts at each stage that was tried.
    """

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
    lost: int = 0
    losses_accepted: bool = False
    stopping: e.StopDecided | None = None
    alerts: dict[int, e.AlertRaised] = field(default_factory=dict)
    alerts_settled: set[tuple[int, str]] = field(default_factory=set)
    calls: dict[StageName, Calls] = field(default_factory=dict)

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
            _calls(state, event.stage).succeeded(retry=event.stage in record.attempts)
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
            _calls(state, event.stage).failed(
                event.error, retry=event.stage in record.attempts, counted=event.counted
            )
            # Known as tried from here on, also where it is not counted.
            record.attempts[event.stage] += event.counted
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
                decided=(ImageState.WITHDRAWN, event.withheld) if event.withheld else None,
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
        case e.ImageReopened():
            _reopen_image(state, event)
        case e.GroupReopened():
            _reopen_group(state, event)
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
        case e.GroupRolledBack():
            _becomes(state, event.settled, event.state, event.images)
        case e.Withdrawn():
            if event.settled is not None:
                _becomes(state, event.settled, GroupState.WITHDRAWN, event.images)
            elif (flying := state.images.get(event.subject)) is not None:
                flying.decided = (ImageState.WITHDRAWN, event.reason)
        case e.ImageErased():
            _erase(state, event)
        case e.SourceExhausted():
            state.exhausted = True
        case e.RunStarted() | e.RunResumed():
            if state.status in {RunStatus.FINISHED, RunStatus.FAILED}:
                # Whoever takes up a run that was over wants what it lacks, and has seen what it
                # lost.
                for stage in list(state.run.missing):
                    state.run.undo(stage)
            state.losses_accepted |= state.status is RunStatus.FAILED
            state.status = RunStatus.RUNNING
            state.reason = ""
            state.coordinators += 1
        case e.RunSettled():
            state.status = event.status
            state.reason = event.reason
            state.stopping = None
        case e.StopDecided():
            state.stopping = event
        case e.BreakerOpened():
            _calls(state, event.stage).opened()
        case e.BreakerClosed():
            _calls(state, event.stage).closed()
        case e.AlertRaised():
            state.alerts[event.number] = event
        case e.AlertSettled():
            state.alerts_settled.add((event.number, event.channel))
    return state


def _calls(state: RunState, stage: StageName) -> Calls:
    return state.calls.setdefault(stage, Calls())


def _erase(state: RunState, event: e.ImageErased) -> None:
    if event.over is None:
        group = state.groups[event.subject.group]
        _take_out(group.settled, event.settled, 1)
        group.settled[ImageState.ERASED] += 1
        return
    _take_out(state.image_counts, final_image_state(event.settled, event.over), 1)
    state.image_counts[ImageState.ERASED] += 1


def _becomes(
    state: RunState, was: GroupState, now: GroupState, images: Mapping[ImageState, int]
) -> None:
    """A group that is over is in another state from here on, and so are its images."""
    _take_out(state.group_counts, was, 1)
    state.group_counts[now] += 1
    for settled, count in images.items():
        _take_out(state.image_counts, final_image_state(settled, was), count)
        state.image_counts[final_image_state(settled, now)] += count


def _reopen_image(state: RunState, event: e.ImageReopened) -> None:
    image = image_record(event.record)
    state.images[event.subject] = image
    group = state.groups[event.subject.group]
    _take_out(group.settled, event.settled, 1)
    if image.role:
        group.roles[image.role] = None
    if image.role == "primary":
        group.primary_state = group.primary = None
    if group.state is GroupState.HELD:
        group.state = GroupState.CLOSED


def _reopen_group(state: RunState, event: e.GroupReopened) -> None:
    group = group_record(event.record)
    if event.subject.group not in state.groups:
        _take_out(state.group_counts, event.settled, 1)
        for settled, count in group.settled.items():
            _take_out(state.image_counts, final_image_state(settled, event.settled), count)
        state.lost -= lost_with(group, event.settled)
    state.groups[event.subject.group] = group
    # What was made of the whole run was made of what this group was.
    state.run = SubjectState()


def _take_out(counts: Counter[K], key: K, count: int) -> None:
    """Count fewer; what is not there any more has no entry."""
    counts[key] -= count
    if not counts[key]:
        del counts[key]


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
    state.lost += lost_with(group, event.state)
    for settled, count in group.settled.items():
        state.image_counts[final_image_state(settled, event.state)] += count


def lost_with(group: GroupRecord, state: GroupState) -> int:
    """How many images of a group count as lost when it ends in a state.

    Skipped and dead ones; of an aborted group all, whatever they had come to: which of them were
    rejected or skipped before it was aborted depends on how the run is executed.
    """
    if state is GroupState.ABORTED:
        return group.received
    return group.settled[ImageState.SKIPPED] + group.settled[ImageState.DEAD]


def final_image_state(settled: ImageState, group: GroupState) -> ImageState:
    """What an image that settled in one state is, once its group is over.

    Whole images (settled while PROCESSING) share the group's fate.
    """
    if group is GroupState.WITHDRAWN and settled in {ImageState.PROCESSING, ImageState.PARTIAL}:
        return ImageState.WITHDRAWN
    if settled is ImageState.PROCESSING:
        return ImageState.SKIPPED if group is GroupState.ABORTED else ImageState.PUBLISHED
    if settled is ImageState.PARTIAL and group is GroupState.ABORTED:
        return ImageState.SKIPPED
    return settled
