"""When a human is alerted: once for each cause and what it is about, however often it happens."""

from __future__ import annotations

from imagelane.model import events as e
from imagelane.model.alert import AlertCause
from imagelane.model.ids import THE_RUN, StageName
from imagelane.model.run import RunState
from imagelane.model.states import GroupState, ImageState, RunStatus

MOST = 20
"""Alerts of one cause in one run. A thousand messages are read by nobody; the record has all."""

_ENDS = {RunStatus.HALTED: AlertCause.RUN_HALTED, RunStatus.FAILED: AlertCause.RUN_FAILED}


def raised(
    state: RunState, cause: AlertCause, message: str, about: str, stage: StageName | None = None
) -> e.AlertRaised | None:
    """The event that raises an alert; None if the same was raised before in this run.

    A run that halts again after it was taken up has a new reason to call, so the ends of runs are
    not told apart: each is recorded once in any case.
    """
    before = [alert for alert in state.alerts.values() if alert.cause == cause]
    if cause not in _ENDS.values():
        if len(before) >= MOST or any(_same(alert, about, stage) for alert in before):
            return None
        if len(before) == MOST - 1:
            message = f"{message} (no more alerts of this kind are sent for this run)"
    return e.AlertRaised(stage, len(state.alerts) + 1, cause.value, message, about)


def _same(alert: e.AlertRaised, about: str, stage: StageName | None) -> bool:
    """Whether two alerts of one cause tell the same: of images, those of one stage do."""
    return alert.stage == stage and (alert.cause == AlertCause.IMAGE_HELD or alert.about == about)


def alert_of(event: e.Event, state: RunState) -> e.AlertRaised | None:
    """The alert that an event calls for, before the event is applied to the state.

    An image that a verdict holds is alerted of once for its stage; one that failed where the policy
    is `halt` is told of by the halt, and a group that waits for such images by theirs.
    """
    match event:
        case e.RunSettled() if event.status in _ENDS:
            about = state.stopping.about if state.stopping is not None else str(THE_RUN)
            return raised(state, _ENDS[event.status], event.reason, about)
        case e.GroupSettled(state=GroupState.HELD):
            group = state.groups[event.subject.group]
            if group.settled[ImageState.HELD]:
                return None
            message = f"group {event.subject} waits for a decision: {event.reason}"
            return raised(state, AlertCause.GROUP_HELD, message, str(event.subject))
        case e.ImageSettled(state=ImageState.HELD) if event.stage is not None:
            image = state.images[event.subject]
            if event.stage in image.failed:
                return None
            message = f"{event.stage} asks for a decision on image {event.subject}; more may follow"
            return raised(state, AlertCause.IMAGE_HELD, message, str(event.subject), event.stage)
    return None
