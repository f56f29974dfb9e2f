"""What is promised, as a list: each promise is a sentence, and the check of it.

A check gets the ledger as it stands *before* what it looks at is written down, and says what is
wrong, or None. The tables at the end say what each looks at: events as they are recorded, groups as
they become visible. What holds of orders as they begin stands in `starts.py`, and what holds of a
coordinator after each of its turns in `bounds.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagelane.model import events as e
from imagelane.model.ids import Subject
from imagelane.model.policy import FailurePolicy
from imagelane.model.states import (
    GROUP_TRANSITIONS,
    LEFT_THE_GROUP,
    GroupState,
    ImageState,
    RunStatus,
    Scope,
)
from imagelane.testing.simulation.causes import (
    cannot_open,
    may_be_held,
    may_be_skipped,
    open_for,
    unmet_needs,
    why_aborted,
    why_failed,
)
from imagelane.testing.simulation.ledger import Ledger
from imagelane.testing.simulation.workers import Crew

Wrong = str | None
Task = e.TaskSucceeded | e.TaskFailed | e.TaskSkipped


@dataclass(frozen=True, slots=True)
class Commit:
    """The commit that an event is part of: by whom, at which wall-clock time, and what the
    coordinator's workers are doing."""

    fence: int
    wall: float
    crew: Crew


# Events, as they are recorded


def only_the_last_coordinator_records(known: Ledger, event: e.Event, commit: Commit) -> Wrong:
    """G2. What a coordinator says that was replaced by another is not recorded."""
    if commit.fence < known.fence:
        return f"fence {commit.fence} recorded {event}, after fence {known.fence}"
    return None


def an_outcome_is_recorded_once(known: Ledger, event: Task, commit: Commit) -> Wrong:
    """G2. However often a stage is executed and reported."""
    if known.of(event.subject).resolved(event.stage):
        return f"{event.stage} on {event.subject} has an outcome, and got another: {event}"
    return None


def attempts_are_counted_and_bounded(
    known: Ledger, event: e.TaskSucceeded | e.TaskFailed, commit: Commit
) -> Wrong:
    """G5. Attempts are counted without a gap, and there are no more than the policy allows."""
    expected = known.of(event.subject).tries[event.stage] + 1
    allowed = known.stages[event.stage].spec.retry.attempts
    counted = getattr(event, "counted", True)
    if event.attempt != expected or event.attempt > allowed + (not counted):
        return f"{event} is attempt {expected} of {allowed}"
    return None


def only_what_can_help_is_tried_again(known: Ledger, event: e.TaskFailed, commit: Commit) -> Wrong:
    """An attempt is followed by another if, and only if, its error may pass and one is left."""
    retry = known.stages[event.stage].spec.retry
    # What only found out that nobody answers yet is not counted among the attempts.
    left = max(1, event.attempt - (not event.counted))
    again = event.error in retry.on and left < retry.attempts
    if (event.retry_in is not None) is not again:
        return f"{event} under {retry}"
    if event.retry_in is not None and not 0 <= event.retry_in <= retry.max:
        return f"{event.retry_in} s are waited, of {retry.max} s at most"
    return None


def nothing_is_done_before_what_it_needs(known: Ledger, event: Task, commit: Commit) -> Wrong:
    """The record is in an order that respects the needs."""
    unmet = unmet_needs(known, event.subject, (event.stage,))
    if unmet and not isinstance(event, e.TaskSkipped):
        return f"{event.stage} on {event.subject} is done; not yet: {', '.join(unmet)}"
    return None


def alternates_follow_their_primary(known: Ledger, event: Task, commit: Commit) -> Wrong:
    """Primary first: nothing is done on an alternate before its primary is settled."""
    if known.plan.images.primary is None or event.subject.scope is not Scope.IMAGE:
        return None
    primary = known.groups[event.subject.group].primary
    if primary is None or primary.settled or known.images[event.subject] is primary:
        return None
    # What was begun before somebody sent the primary round again is done to its end.
    return None if primary.again else f"{event.stage} on {event.subject} before its primary"


def images_come_in_once_and_in_order(
    known: Ledger, event: e.ImageReceived, commit: Commit
) -> Wrong:
    """G4. Each image of the source, once, in the order of the source."""
    item = known.items[len(known.images)] if len(known.images) < len(known.items) else None
    if item is None or event.subject in known.images:
        return f"{event} is not of the source, or was received"
    if (item.sequence, item.group, item.ordinal) != (event.sequence, *event.subject):
        return f"{event} where {item} is next"
    return None


def the_window_is_kept(known: Ledger, event: e.ImageReceived, commit: Commit) -> Wrong:
    """G9. No image is admitted while as many as the window holds are in flight."""
    if len(known.in_flight) >= commit.crew.plan.window:
        return f"{len(known.in_flight)} in flight of {commit.crew.plan.window}, and {event}"
    return None


def what_is_taken_up_again_keeps_to_the_window(
    known: Ledger, event: e.ImageReopened, commit: Commit
) -> Wrong:
    """G9. Nothing is taken up again while as many as the window holds are in flight, unless its
    group is so large that it has to itself what it does not find room in."""
    window = commit.crew.plan.window
    others = [subject for subject in known.in_flight if subject.group != event.subject.group]
    if others and len(known.in_flight) >= window:
        return f"{len(known.in_flight)} in flight of {window}, not all of its group, and {event}"
    return None


def a_group_closes_when_it_is_whole(known: Ledger, event: e.GroupClosed, commit: Commit) -> Wrong:
    """A group closes once, when its last member has come in."""
    group = known.groups[event.subject.group]
    expected = sum(item.group == event.subject.group for item in known.items)
    if group.size is not None or not len(group.members) == expected == event.images:
        return f"{event} with {len(group.members)} members of {expected}"
    return None


def an_image_settles_once_and_at_rest(
    known: Ledger, event: e.ImageSettled, commit: Commit
) -> Wrong:
    """G4. An image is settled once, and not while anything is done on it."""
    if event.subject not in known.in_flight:
        return f"{event} is not in flight"
    busy = [order for order in commit.crew.running.values() if order.subject == event.subject]
    return f"{event} while {busy[0].stages} are done on it" if busy else None


def an_image_ends_as_its_policies_say(
    known: Ledger, event: e.ImageSettled, commit: Commit
) -> Wrong:
    """Whole, partial, skipped, rejected, dead or held: each has its cause in the record."""
    page = known.images[event.subject]
    stages = known.of_scope[Scope.IMAGE]
    failed = {known.policy(stage) for stage in page.failed}
    match event.state:
        case ImageState.PROCESSING:
            sound = all(stage in page.done for stage in stages)
        case ImageState.PARTIAL:
            sound = bool(page.lacking) and all(map(page.resolved, stages))
            sound &= failed <= {FailurePolicy.PARTIAL}
        case ImageState.SKIPPED:
            sound = may_be_skipped(known, event.subject, commit.wall)
        case ImageState.REJECTED:
            sound = "reject" in page.verdicts.values()
        case ImageState.DEAD:
            sound = bool(failed & {FailurePolicy.ABORT, FailurePolicy.ABORT_RUN})
        case ImageState.HELD:
            sound = may_be_held(known, event.subject)
        case _:
            sound = False
    return None if sound or page.decided else f"{event} has no cause in {page}"


def a_gate_opens_once_and_for_enough(known: Ledger, event: e.GateOpened, commit: Commit) -> Wrong:
    """G3. A gate opens once, when every member is settled and what it requires is there."""
    group = known.groups[event.subject.group]
    if event.stage in group.gates:
        return f"{event} was open"
    gate = known.stages[event.stage].gate
    if gate is None or not open_for(gate, group):
        return f"{event} opened {gate} for {group.members}"
    gone = group.count(*LEFT_THE_GROUP)
    if (event.present, event.gone) != (len(group.members) - gone, gone):
        return f"{event} miscounts: {gone} of {len(group.members)} are gone"
    return None


def a_group_ends_as_its_members_say(known: Ledger, event: e.GroupSettled, commit: Commit) -> Wrong:
    """G3. A group goes live only through its gates and its stages, and is held back or aborted
    only for a cause that is in the record."""
    number = event.subject.group
    group, stages = known.groups[number], known.of_scope[Scope.GROUP]
    if event.state not in GROUP_TRANSITIONS[group.state]:
        return f"a group that is {group.state} became {event.state}"
    if event.state is not GroupState.HELD and (group.size is None or group.count(None)):
        return f"{event} with {group.count(None)} members that are not settled"
    match event.state:
        case GroupState.PUBLISHED | GroupState.PARTIAL:
            missing = set(map(known.policy, group.failed))
            short = bool(group.count(ImageState.PARTIAL) or group.failed)
            through = set(stages) == group.gates and all(map(group.resolved, stages))
            sound = through and missing <= {FailurePolicy.PARTIAL, FailurePolicy.SKIP}
            partial = event.state is GroupState.PARTIAL
            sound &= not cannot_open(known, group) and (short or not partial)
            sound &= partial or not group.count(ImageState.PARTIAL)
        case GroupState.ABORTED:
            sound = why_aborted(known, number, commit.wall)
        case _:
            halts = FailurePolicy.HALT in map(known.policy, group.failed)
            late = why_aborted(known, number, commit.wall, to="held")
            sound = halts or late or bool(group.count(ImageState.HELD))
    return None if sound or group.decided else f"{event} has no cause in {group}"


def of_an_aborted_group_nothing_is_live(
    known: Ledger, event: e.GroupSettled, commit: Commit
) -> Wrong:
    """G3. Nothing of an aborted group is visible, but what was live when it was taken up again;
    all of one that is recorded as live is."""
    live = known.live.get(event.subject)
    if event.state is GroupState.ABORTED and live != known.kept.get(event.subject):
        return f"{event}, and live is {live}"
    if event.manifest is not None and (live is None or live[1] != event.manifest):
        return f"{event}, and live is {live}"
    return None


def a_run_stands_still_for_a_reason(known: Ledger, event: e.RunSettled, commit: Commit) -> Wrong:
    """A run finishes when nothing is left to do, and stops before only for a stated reason, with
    nothing in flight."""
    if commit.crew.running:
        return f"{event} with {len(commit.crew.running)} orders in flight"
    done = len(known.images) == len(known.items) and not known.in_flight
    held = [group for group in known.open.values() if group.state is GroupState.HELD]
    match event.status:
        case RunStatus.FINISHED:
            of_run = known.of_scope[Scope.RUN]
            sound = done and not known.open and all(map(known.run.resolved, of_run))
        case RunStatus.FAILED:
            sound = known.decided is RunStatus.FAILED
            sound |= done and FailurePolicy.ABORT in map(known.policy, known.run.failed)
        case RunStatus.HALTED:
            sound = known.halted or known.decided is RunStatus.HALTED
        case RunStatus.PAUSED:
            sound = known.asked_to_stop or (done and bool(held) and len(held) == len(known.open))
        case _:
            sound = False
    if not sound or (event.status is not RunStatus.FINISHED and not event.reason):
        return f"{event} without a cause"
    return None


def a_run_is_stopped_for_a_reason(known: Ledger, event: e.StopDecided, commit: Commit) -> Wrong:
    """A failure stops a run where its policy says so, or more was lost than is tolerated."""
    sound = known.halted if event.status is RunStatus.HALTED else why_failed(known)
    return None if sound else f"{event} without a cause"


# Groups, as they become visible


def only_what_is_whole_becomes_visible(
    known: Ledger, subject: Subject, fence: int, manifest: str
) -> Wrong:
    """G3. What goes live is what the record holds, through open gates, and whoever was replaced
    makes nothing live: neither over what is live now, nor of what was given up since."""
    if subject in known.live and known.live[subject][0] > fence:
        return f"{subject} went from {known.live[subject]} back to {fence}"
    if fence < known.fence:
        return f"fence {fence} made {subject} live, after fence {known.fence} had begun"
    if manifest != known.manifest(subject):
        return f"{manifest} went live; recorded is {known.manifest(subject)}"
    if subject.group:
        group = known.groups[subject.group]
        if group.state not in {GroupState.GATED, GroupState.PUBLISHED, GroupState.PARTIAL}:
            return f"{subject} went live, and is {group.state}"
    return None


_OF_TASKS = (
    an_outcome_is_recorded_once,
    nothing_is_done_before_what_it_needs,
    alternates_follow_their_primary,
)
ON_EVENTS: Mapping[type, Sequence[Callable[[Ledger, Any, Commit], Wrong]]] = {
    e.TaskSucceeded: (*_OF_TASKS, attempts_are_counted_and_bounded),
    e.TaskFailed: (
        *_OF_TASKS,
        attempts_are_counted_and_bounded,
        only_what_can_help_is_tried_again,
    ),
    e.TaskSkipped: _OF_TASKS,
    e.ImageReceived: (images_come_in_once_and_in_order, the_window_is_kept),
    e.ImageReopened: (what_is_taken_up_again_keeps_to_the_window,),
    e.GroupClosed: (a_group_closes_when_it_is_whole,),
    e.ImageSettled: (an_image_settles_once_and_at_rest, an_image_ends_as_its_policies_say),
    e.GateOpened: (a_gate_opens_once_and_for_enough,),
    e.GroupSettled: (a_group_ends_as_its_members_say, of_an_aborted_group_nothing_is_live),
    e.StopDecided: (a_run_is_stopped_for_a_reason,),
    e.RunSettled: (a_run_stands_still_for_a_reason,),
}
ON_EVERY_EVENT = (only_the_last_coordinator_records,)
ON_PROMOTIONS = (only_what_is_whole_becomes_visible,)
