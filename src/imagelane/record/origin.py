"""Where an artifact comes from: the stage and the subject that the record names for its digest."""

from __future__ import annotations

from dataclasses import dataclass

from imagelane.model import events as e
from imagelane.model.ids import RunId, StageName, Subject
from imagelane.model.run import RunState, evolve
from imagelane.ports.journal import Journal


@dataclass(frozen=True, slots=True)
class Origin:
    """``state`` is a run that holds the subject and its group alone, as they were recorded."""

    subject: Subject
    stage: StageName
    state: RunState


def origin_of(journal: Journal, run: RunId, subject: Subject, digest: str) -> Origin | None:
    """What made an artifact that a subject needs: the subject itself, its group, or one of the
    group's images; None where the record names nobody."""
    for recorded in journal.events(run, subject=subject):
        if (stage := _made(recorded.event, digest)) is not None:
            return Origin(subject, stage, _alone(journal, run, subject))
    if subject.ordinal:
        return None
    groups = [subject.group] if subject.group else [row.group for row in journal.groups(run)]
    for group in groups:
        for recorded in journal.members(run, group):
            if (stage := _made(recorded.event, digest)) is not None:
                maker = e.subject_of(recorded.event)
                return Origin(maker, stage, _alone(journal, run, maker))
    return None


def _made(event: e.Event, digest: str) -> StageName | None:
    if isinstance(event, e.TaskSucceeded) and any(one.digest == digest for one in event.renditions):
        return event.stage
    return None


def _alone(journal: Journal, run: RunId, subject: Subject) -> RunState:
    """The fold of what was recorded of a group, its primary, and one of its images. It stands as
    it stood before the subject settled."""
    state = RunState()
    for recorded in journal.events(run, subject=subject.of_group):
        if not isinstance(recorded.event, e.GroupSettled):
            evolve(state, recorded.event)
    if not subject.ordinal:
        return state
    primary = None
    for recorded in journal.members(run, subject.group):
        event = recorded.event
        about = e.subject_of(event)
        if isinstance(event, e.ImageReceived) and event.role == "primary":
            primary = about
        if about == subject and isinstance(event, e.ImageSettled):
            continue
        if about in {subject, primary}:
            evolve(state, event)
    return state
