"""What may be concluded from a ledger: whether a gate may open, and what has a cause.

Said a second time, from the semantics and not from the scheduler, so that the two can disagree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from imagelane.model.ids import StageName, Subject
from imagelane.model.policy import FailurePolicy, GatePolicy
from imagelane.model.spec import Place
from imagelane.model.states import LEFT_THE_GROUP, GroupState, ImageState, Scope
from imagelane.testing.simulation.ledger import GroupPage, Ledger

_WHOLE = ImageState.PROCESSING
_ABORTS = frozenset({FailurePolicy.ABORT, FailurePolicy.ABORT_RUN})


def unmet_needs(known: Ledger, subject: Subject, stages: Sequence[StageName]) -> list[str]:
    """What stages of one order cannot do without and the record does not hold. Stages that gather
    take what there is; the others need success, or that it comes from the same order."""
    unmet: list[str] = []
    page = known.of(subject)
    for name in stages:
        stage = known.stages[name]
        gathers = stage.spec.traits.gathers
        for need in stage.needs:
            same = known.stages[need].scope is stage.scope
            if need in stages or not same or need in page.done:
                continue
            if not gathers or need not in page.lacking:
                unmet.append(need)
    if subject.scope is Scope.GROUP:
        shut = set(known.of_scope[Scope.GROUP]) - known.groups[subject.group].gates
        unmet += [f"the gate of {name}" for name in shut]
    elif subject.scope is Scope.RUN and (known.open or not known.exhausted):
        unmet.append("the end of every group")
    return unmet


def open_for(gate: GatePolicy, group: GroupPage) -> bool:
    """Whether every member is settled, none is held, and what the gate requires is there."""
    if group.size is None or group.count(None, ImageState.HELD):
        return False
    if len(group.members) == group.count(*LEFT_THE_GROUP):
        return False
    return not _unmet(gate, group)


def _unmet(gate: GatePolicy, group: GroupPage) -> bool:
    """Whether a gate requires more than the members can still give."""
    if gate.require == "settled":
        return False
    if gate.require == "all":
        # A held member may still become whole.
        return group.count(*LEFT_THE_GROUP, ImageState.PARTIAL) > 0
    if isinstance(gate.require, tuple):
        whole = {page.role for page in group.members.values() if page.settled in {_WHOLE, None}}
        return not set(gate.require) <= whole
    return group.count(_WHOLE, None) < float(gate.require) * len(group.members)


def gates(known: Ledger) -> Iterator[GatePolicy]:
    """The gates that a group must pass; one at least."""
    names = known.of_scope[Scope.GROUP]
    yield from (known.stages[name].gate or GatePolicy() for name in names)
    if not names:
        yield GatePolicy()


def cannot_open(known: Ledger, group: GroupPage) -> bool:
    """Whether a group is not, or no longer, through its gates."""
    return not all(open_for(gate, group) for gate in gates(known))


def _timed_out(group: GroupPage, wall: float, gate: GatePolicy) -> bool:
    if group.size is None or gate.timeout is None:
        return False
    return wall >= group.closed_at + gate.timeout


def why_aborted(known: Ledger, number: int, wall: float, *, to: str = "aborted") -> bool:
    """Whether the record has a cause for a group to be aborted (or held, by its gate)."""
    group = known.groups[number]
    if to == "aborted" and _has_aborted(known, group):
        return True
    if group.size is None:
        return False
    nobody = len(group.members) == group.count(*LEFT_THE_GROUP)
    return any(
        gate.on_failure == to and (nobody or _unmet(gate, group) or _timed_out(group, wall, gate))
        for gate in gates(known)
    )


def _has_aborted(known: Ledger, group: GroupPage) -> bool:
    """Whether a failure, the primary or the tolerance aborts the group, whatever its gates say."""
    primary = known.plan.images.primary
    lost_primary = (
        primary is not None
        and primary.on_failure == "abort"
        and group.primary is not None
        and group.primary.settled in LEFT_THE_GROUP
    )
    # Of what a coordinator's stage failed to promote nothing is live, whatever its policy.
    promotions = (known.stages[name].spec.traits.place for name in group.failed)
    return (
        group.count(ImageState.DEAD) > 0
        or not _ABORTS.isdisjoint(map(known.policy, group.failed))
        or lost_primary
        or Place.COORDINATOR in promotions
        or _past_the_tolerance(known, group)
    )


def _past_the_tolerance(known: Ledger, group: GroupPage) -> bool:
    share = known.plan.tolerance.group
    if share is None or group.size is None:
        return False
    return group.count(ImageState.SKIPPED, ImageState.DEAD) > share * group.size


def why_failed(known: Ledger) -> bool:
    """Whether the record has a cause for the run to fail before all is done."""
    pages = (*known.images.values(), *known.groups.values(), known.run)
    if any(FailurePolicy.ABORT_RUN in map(known.policy, page.failed) for page in pages):
        return True
    share = known.plan.tolerance.run
    lost = sum(
        len(group.members)
        if group.state is GroupState.ABORTED
        else group.count(ImageState.SKIPPED, ImageState.DEAD)
        for group in known.groups.values()
    )
    return share is not None and lost > share * len(known.items)


def may_be_skipped(known: Ledger, subject: Subject, wall: float) -> bool:
    """A stage failed under `skip`, its group is aborted, or a gate that can do without it has
    waited long enough."""
    page, group = known.images[subject], known.groups[subject.group]
    if FailurePolicy.SKIP in map(known.policy, page.failed):
        return True
    late = any(
        not isinstance(gate.require, str) and _timed_out(group, wall, gate) for gate in gates(known)
    )
    return late or why_aborted(known, subject.group, wall)


def may_be_held(known: Ledger, subject: Subject) -> bool:
    """A stage failed under `halt`, a verdict asks for a review, or its primary is held."""
    page, group = known.images[subject], known.groups[subject.group]
    if FailurePolicy.HALT in map(known.policy, page.failed):
        return True
    if "review" in page.verdicts.values():
        return True
    primary = group.primary
    return primary is not None and primary is not page and primary.settled is ImageState.HELD
