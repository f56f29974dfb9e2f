"""A large run at a glance: from the journal's read model alone, without reading its events."""

from __future__ import annotations

from collections import Counter

from imagelane.model.ids import THE_RUN
from imagelane.model.states import GroupState, ImageState
from imagelane.ports.journal import GroupRow, ImageRow, Journal, RunRow
from imagelane.report.calls import Calls
from imagelane.report.history import aborted_with
from imagelane.report.losses import NOT_WHOLE, Losses
from imagelane.report.read import TROUBLED, Limits
from imagelane.report.timeline import read_axis
from imagelane.report.view import GroupView, History, RunView


def read_outline(journal: Journal, row: RunRow, limits: Limits) -> RunView:
    """States, groups and losses, as exact as in `read_run`; no stages, failures or single images.

    Takes time by the groups and by the images that were left out, not by what was done.
    """
    counts: Counter[GroupState] = Counter()
    listed: list[GroupRow] = []
    aborted: set[int] = set()
    for group in journal.groups(row.run):
        counts[group.state] += 1
        if group.state is GroupState.ABORTED:
            aborted.add(group.group)
        most = 2 * limits.groups if group.state in TROUBLED else limits.groups
        if len(listed) < most:
            listed.append(group)
    losses = Losses(limits.reasons, limits.examples)
    for image in journal.images(row.run, states=NOT_WHOLE):
        losses.settled(_history(image, in_aborted=image.subject.group in aborted))
    calls = Calls()
    for recorded in journal.events(row.run, subject=THE_RUN):
        calls.take(recorded)
    images = journal.image_counts(row.run)
    axis = read_axis(journal, row)
    return RunView(
        run=row,
        options={},
        started=axis.sessions[0].began if axis.sessions else row.started,
        ended=row.updated,
        elapsed=axis.length,
        breaks=axis.breaks,
        received=sum(images.values()),
        expected=None,
        images=dict(images),
        groups={state: counts[state] for state in GroupState if counts[state]},
        bytes_in=0,
        files_made=0,
        bytes_made=0,
        stages=(),
        bottleneck=None,
        group_rows=tuple(_group(journal, row, group) for group in listed),
        groups_left=counts.total() - len(listed),
        failures=(),
        losses=losses.losses(),
        histories=(),
        every=1,
        workers=(),
        workers_left=0,
        piece=0.0,
        alerts=calls.views(),
        waits=calls.waits(),
    )


def _group(journal: Journal, row: RunRow, group: GroupRow) -> GroupView:
    states = Counter(image.state for image in journal.images(row.run, group=group.group))
    return GroupView(group.group, group.name, group.state, group.reason, states, group.manifest)


def _history(image: ImageRow, *, in_aborted: bool) -> History:
    """As much of it as the read model knows."""
    whole = in_aborted and image.stage is None and image.state is ImageState.SKIPPED
    return History(
        image.subject,
        image.name,
        "",
        image.state,
        (),
        stage=image.stage,
        reason=aborted_with(image.reason) if whole else image.reason,
        path=image.path,
    )
