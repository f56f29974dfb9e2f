"""What happened to one subject, in the order in which it happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from imagelane.model import events as e
from imagelane.model.ids import THE_RUN, StageName, Subject
from imagelane.model.run import final_image_state
from imagelane.model.states import LIVE_GROUPS, GroupState, ImageState
from imagelane.ports.journal import GroupRow, Journal, Recorded, RunRow
from imagelane.report.timeline import Axis, read_axis
from imagelane.report.view import Entry, History, Taken

OVER = LIVE_GROUPS | {GroupState.ABORTED, GroupState.WITHDRAWN}
"""States of a group in which its whole images share its fate."""


def entry(recorded: Recorded, axis: Axis) -> Entry | None:
    """The line of the history that an event is; None for events that are about no task."""
    event = recorded.event
    match event:
        case e.TaskSucceeded():
            return Entry(
                stage=event.stage,
                ending="done",
                at=recorded.at,
                attempt=event.attempt,
                began=axis.place(recorded.index, event.started),
                seconds=max(0.0, event.finished - event.started),
                cpu=event.cpu,
                worker=event.worker,
                renditions=event.renditions,
                facts=event.facts,
                verdict=event.verdict,
                reused=event.reused,
            )
        case e.TaskFailed():
            return Entry(
                stage=event.stage,
                ending="failed" if event.retry_in is None else "retried",
                at=recorded.at,
                attempt=event.attempt,
                began=axis.place(recorded.index, event.started),
                seconds=max(0.0, event.finished - event.started),
                cpu=event.cpu,
                worker=event.worker,
                error=event.error,
                message=event.message,
                detail=event.detail,
                retry_in=event.retry_in,
            )
        case e.TaskSkipped():
            return Entry(event.stage, "skipped", recorded.at, message=event.reason)
        case _:
            return None


def image_history(
    subject: Subject, recorded: Iterable[Recorded], axis: Axis, group: GroupRow
) -> History:
    """Fold the events of one image. Raises ValueError if its reception is not among them."""
    received: e.ImageReceived | None = None
    settled: e.ImageSettled | None = None
    digest: str | None = None
    entries: list[Entry] = []
    decisions: list[Taken] = []
    for one in recorded:
        match one.event:
            case e.ImageReceived():
                received = one.event
            case e.ImageSettled():
                settled = one.event
            case e.ImageErased():
                settled = e.ImageSettled(subject, ImageState.ERASED, None, one.event.reason)
            case e.ImageReopened():
                settled = None
                decisions += _taken(one, one.event, len(entries))
            case e.TaskSucceeded() | e.TaskFailed():
                digest = one.event.source_digest or digest
        if (line := entry(one, axis)) is not None:
            entries.append(line)
    if received is None:
        raise ValueError(f"the journal holds no reception of image {subject}")
    state = _state(settled, group.state, begun=bool(entries))
    reason = settled.reason if settled is not None else ""
    if settled is not None and state is not settled.state and state is ImageState.SKIPPED:
        reason = aborted_with(group.reason)
    return History(
        subject=subject,
        name=received.name,
        group_name=group.name,
        state=state,
        entries=tuple(entries),
        settled=settled is not None,
        stage=settled.stage if settled is not None else None,
        reason=reason,
        path=received.path,
        bytes=received.bytes,
        role=received.role,
        source_digest=digest,
        columns=received.columns,
        decisions=tuple(decisions),
    )


def _taken(recorded: Recorded, event: e.ImageReopened | e.GroupReopened, after: int) -> list[Taken]:
    """The decision; nothing, where what was said of it was erased."""
    if not event.decision:
        return []
    return [Taken(event.decision, event.reason, event.actor, recorded.at, after)]


def _rolled_back(recorded: Recorded, event: e.GroupRolledBack, after: int) -> Taken:
    word = f"version {event.manifest[:16]} put back"
    return Taken(word, event.reason, event.actor, recorded.at, after)


def aborted_with(reason: str) -> str:
    """Why an image that was whole is not live."""
    return f"its group was aborted: {reason}"


def _state(settled: e.ImageSettled | None, group: GroupState, *, begun: bool) -> ImageState:
    if settled is None:
        return ImageState.PROCESSING if begun else ImageState.RECEIVED
    return final_image_state(settled.state, group) if group in OVER else settled.state


def read_image(journal: Journal, run: RunRow, subject: Subject) -> History | None:
    """The history of one image; None if the run has none of that number."""
    group = _group(journal, run, subject.group)
    recorded = list(journal.events(run.run, subject=subject))
    if group is None or not recorded:
        return None
    return image_history(subject, recorded, read_axis(journal, run), group)


def read_group(journal: Journal, run: RunRow, group: int) -> History | None:
    """A group's own history, and its members by state; None if the run has no such group."""
    row = _group(journal, run, group)
    if row is None:
        return None
    axis = read_axis(journal, run)
    subject = Subject(group)
    entries: list[Entry] = []
    decisions: list[Taken] = []
    for one in journal.events(run.run, subject=subject):
        if isinstance(one.event, e.GroupReopened):
            decisions += _taken(one, one.event, len(entries))
        elif isinstance(one.event, e.GroupRolledBack):
            decisions.append(_rolled_back(one, one.event, len(entries)))
        elif (line := entry(one, axis)) is not None:
            entries.append(line)
    states = Counter(image.state for image in journal.images(run.run, group=group))
    return History(
        subject=subject,
        name=row.name,
        group_name=row.name,
        state=row.state,
        entries=tuple(entries),
        settled=row.state in OVER,
        reason=row.reason,
        manifest=row.manifest,
        images=states,
        decisions=tuple(decisions),
    )


def read_whole_run(journal: Journal, run: RunRow) -> History:
    """What was done for the run as a whole."""
    axis = read_axis(journal, run)
    lines = (entry(one, axis) for one in journal.events(run.run, subject=THE_RUN))
    return History(
        subject=THE_RUN,
        name=run.pipeline,
        group_name="",
        state=None,
        entries=tuple(line for line in lines if line is not None),
        reason=run.reason,
        images=dict(journal.image_counts(run.run)),
    )


def last_entries(entries: Iterable[Entry]) -> dict[StageName, Entry]:
    """How each stage stands: its last entry, in the order in which the stages were first tried."""
    return {one.stage: one for one in entries}


def _group(journal: Journal, run: RunRow, group: int) -> GroupRow | None:
    return next((row for row in journal.groups(run.run) if row.group == group), None)
