"""The read model: runs, groups and images as they stand after each event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import apsw

from imagelane.adapters.database import stored
from imagelane.model import events as e
from imagelane.model.ids import Subject
from imagelane.model.run import final_image_state
from imagelane.model.states import GroupState, ImageState
from imagelane.ports.journal import MarkKind

_FATES: Mapping[GroupState, tuple[tuple[ImageState, ImageState], ...]] = {
    group: tuple(
        (settled, final)
        for settled in ImageState
        if (final := final_image_state(settled, group)) is not settled
    )
    for group in GroupState
    if group is not GroupState.HELD  # a held group is not over, so neither are its images
}
"""What the images of a group become when it is settled, where that differs from what they were."""


def apply(  # noqa: C901, PLR0912 -- a fold: one arm for each event
    connection: apsw.Connection,
    queries: Mapping[str, str],
    run: int,
    events: Iterable[tuple[float, e.Event]],
) -> None:
    """Bring the read model up to date with events, in their order, inside the open transaction."""
    execute = connection.execute
    received: Counter[int] = Counter()
    begun: set[Subject] = set()
    for at, event in events:
        match event:
            case e.TaskSucceeded() | e.TaskFailed() | e.TaskSkipped():
                # An image's first event of a task is the one that counts; most are not.
                if event.subject.ordinal and event.subject not in begun:
                    begun.add(event.subject)
                    execute(queries["image_processing"], (run, *event.subject))
            case e.ImageReceived():
                received[event.subject.group] += 1
                execute(
                    queries["image_received"],
                    (
                        run,
                        *event.subject,
                        stored(event.name),
                        stored(event.path),
                        stored(event.role),
                    ),
                )
            case e.ImageSettled():
                begun.discard(event.subject)
                execute(
                    queries["image_settled"],
                    (event.state.value, event.stage, stored(event.reason), run, *event.subject),
                )
            case e.ImageReopened():
                execute(queries["image_reopened"], (run, *event.subject))
                execute(
                    queries["group_taken_up"], (GroupState.CLOSED.value, run, event.subject.group)
                )
            case e.GroupReopened():
                group = event.subject.group
                execute(queries["group_reopened"], (event.record["state"], run, group))
                execute(queries["images_of_reopened_group"], (run, group))
            case e.GroupOpened():
                execute(queries["group_opened"], (run, event.subject.group, stored(event.name)))
            case e.GroupClosed():
                execute(queries["group_state"], (GroupState.CLOSED.value, run, event.subject.group))
            case e.GateOpened():
                execute(queries["group_state"], (GroupState.GATED.value, run, event.subject.group))
            case e.GroupSettled():
                _settle_group(connection, queries, run, event)
            case e.GroupRolledBack():
                _group_becomes(connection, queries, run, event)
            case e.ImageErased():
                execute(queries["image_erased"], (run, *event.subject))
                execute(queries["marks_erased"], (event.fingerprint, run, *event.subject))
            case e.Withdrawn() | e.WithdrawalUndone() | e.HoldAdded() | e.HoldRemoved():
                _mark(connection, queries, run, at, event)
            case e.RunStarted():
                execute(
                    queries["run_started"],
                    (event.model, stored(event.pipeline), event.plan, at, run),
                )
            case e.RunResumed():
                execute(queries["run_resumed"], (event.model, run))
            case e.RunSettled():
                execute(queries["run_settled"], (event.status.value, stored(event.reason), run))
            case e.SourceExhausted() | e.StopDecided() | e.AlertRaised() | e.AlertSettled():
                pass
    connection.executemany(
        queries["group_received"], [(count, run, group) for group, count in received.items()]
    )


def _settle_group(
    connection: apsw.Connection, queries: Mapping[str, str], run: int, event: e.GroupSettled
) -> None:
    group, reason = event.subject.group, stored(event.reason)
    connection.execute(
        queries["group_settled"], (event.state.value, reason, event.manifest, run, group)
    )
    for settled, final in _FATES.get(event.state, ()):
        connection.execute(
            queries["images_of_settled_group"], (final.value, reason, run, group, settled.value)
        )


def _group_becomes(
    connection: apsw.Connection,
    queries: Mapping[str, str],
    run: int,
    event: e.GroupRolledBack | e.Withdrawn,
) -> None:
    """A group that is over is in another state from here on, and so are its images."""
    group, manifest = event.subject.group, event.manifest
    state = event.state if isinstance(event, e.GroupRolledBack) else GroupState.WITHDRAWN
    connection.execute(queries["group_rolled_back"], (state.value, manifest, run, group))
    if event.images:
        connection.execute(queries["images_of_reopened_group"], (run, group))
        for settled, final in _FATES[state]:
            connection.execute(
                queries["images_of_settled_group"], (final.value, "", run, group, settled.value)
            )


def _mark(
    connection: apsw.Connection,
    queries: Mapping[str, str],
    run: int,
    at: float,
    event: e.Withdrawn | e.WithdrawalUndone | e.HoldAdded | e.HoldRemoved,
) -> None:
    """Keep what a person has said, and let go of it where it is undone."""
    withdrawal = isinstance(event, e.Withdrawn | e.WithdrawalUndone)
    kind = MarkKind.WITHDRAWN if withdrawal else MarkKind.HOLD
    named = (stored(event.group), stored(event.path))
    if isinstance(event, e.WithdrawalUndone | e.HoldRemoved):
        connection.execute(queries["remove_marks"], (kind.value, *named, event.digest))
        return
    if isinstance(event, e.Withdrawn) and event.settled is not None:
        _group_becomes(connection, queries, run, event)
    said = (stored(event.reason), stored(event.actor), at)
    connection.execute(
        queries["add_mark"],
        (run, *event.subject, kind.value, *named, event.bytes, event.digest, *said),
    )
