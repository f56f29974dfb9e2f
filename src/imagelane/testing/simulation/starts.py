"""What is promised of every order as it begins, as in `promises.py`: a sentence and a check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from imagelane.model.run import RunState
from imagelane.model.states import Scope
from imagelane.model.work import Order
from imagelane.testing.simulation.causes import unmet_needs
from imagelane.testing.simulation.ledger import Ledger
from imagelane.testing.simulation.workers import Crew

Wrong = str | None


@dataclass(frozen=True, slots=True)
class Start:
    """An order as it begins: in which state of its coordinator, among which others, and whether
    that coordinator has recorded that it stops."""

    order: Order
    state: RunState
    crew: Crew
    stopping: bool


def what_is_begun_is_recorded(known: Ledger, start: Start) -> Wrong:
    """Nothing is begun because of a decision that could still be lost: the subject is recorded,
    what the stages need is, and the gate is."""
    order = start.order
    if order.subject.scope is Scope.IMAGE and order.subject not in known.in_flight:
        return f"{order.subject} is not in flight"
    unmet = unmet_needs(known, order.subject, order.stages)
    return f"{order.stages} on {order.subject} without {', '.join(unmet)}" if unmet else None


def alternates_begin_after_their_primary(known: Ledger, start: Start) -> Wrong:
    """Primary first, also where the primary is sent round again."""
    subject = start.order.subject
    if known.plan.images.primary is None or subject.scope is not Scope.IMAGE:
        return None
    # As the coordinator sees it, which need not wait for the disk.
    primaries = (
        one
        for one, image in start.state.images.items()
        if one.group == subject.group and image.role == "primary"
    )
    primary = next(primaries, subject)
    return None if primary == subject else f"{start.order} is begun before {primary}"


def what_is_recorded_is_not_done_again(known: Ledger, start: Start) -> Wrong:
    """G2. Nor is it done twice at once; and an attempt is the one after the last recorded."""
    order, page = start.order, known.of(start.order.subject)
    for stage, attempt in zip(order.stages, order.attempts, strict=True):
        if page.resolved(stage):
            return f"{stage} on {order.subject} is done, and begun again"
        if attempt != page.tries[stage] + 1:
            return f"attempt {attempt} of {stage} on {order.subject} after {page.tries[stage]}"
    for other in start.crew.running.values():
        if other.subject == order.subject and set(other.stages) & set(order.stages):
            return f"{order} is begun beside {other}"
    return None


def who_has_to_stop_begins_nothing(known: Ledger, start: Start) -> Wrong:
    """After a halt or in a pause, what is in flight finishes and nothing is begun."""
    return f"{start.order} is begun by one that stops" if start.stopping else None


def workers_are_told_what_is_recorded(known: Ledger, start: Start) -> Wrong:
    """An order brings the facts of all that its stages need, from the record, and the primary's."""
    order, page = start.order, known.of(start.order.subject)
    needed = set[Any]().union(*(known.stages[stage].ancestors for stage in order.stages))
    facts = {stage: facts for stage, facts in page.done.items() if stage in needed and facts}
    if dict(order.facts) != facts:
        return f"{order.stages} on {order.subject} is told {order.facts}; recorded is {facts}"
    return None


def a_lane_is_kept_in_order(known: Ledger, start: Start) -> Wrong:
    """Sequential and hybrid: an image is begun when those before it in its lane are settled."""
    plan, order = start.crew.plan, start.order
    if order.subject.scope is not Scope.IMAGE or plan.lane.kind == "none" or plan.lane.free:
        return None
    side_by_side = known.reopened or len(start.state.images) > plan.window
    if plan.lane.kind == "run" and side_by_side:
        # They were begun so, before the run was taken up as a sequential one; or their group was
        # taken up again, as a whole.
        return None
    at = known.images[order.subject].sequence
    first = at // plan.lane.batch_size * plan.lane.batch_size if plan.lane.kind == "batch" else 0
    # As the coordinator sees it: an image that it has settled may not be recorded yet, and no lane
    # waits for the disk.
    before = [s for s, image in start.state.images.items() if first <= image.sequence < at]
    return f"{order.subject} is begun before {before[0]}" if before else None


ON_ORDERS = (
    what_is_begun_is_recorded,
    alternates_begin_after_their_primary,
    what_is_recorded_is_not_done_again,
    who_has_to_stop_begins_nothing,
    workers_are_told_what_is_recorded,
    a_lane_is_kept_in_order,
)
