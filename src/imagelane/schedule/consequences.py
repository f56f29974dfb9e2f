"""What becomes of an image and its group when stages fail or say no."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from imagelane.model.ids import StageName, Subject
from imagelane.model.plan import LogicalStage
from imagelane.model.policy import FailurePolicy, GatePolicy, Tolerance
from imagelane.model.run import GroupRecord, ImageRecord, SubjectState
from imagelane.model.spec import Place, PrimarySpec
from imagelane.model.states import LEFT_THE_GROUP, GroupState, ImageState, Scope
from imagelane.schedule.gates import GateAnswer, decide_gate
from imagelane.schedule.tolerance import group_loss


@dataclass(frozen=True, slots=True)
class Fate:
    """The state that an image will settle in as soon as nothing of it is running."""

    state: ImageState
    stage: StageName | None
    reason: str


Gates = Sequence[tuple[StageName, GatePolicy]]
"""The gates of a group, each with the stage that it is before."""

_SEALS: Mapping[FailurePolicy, ImageState] = {
    FailurePolicy.HALT: ImageState.HELD,
    FailurePolicy.ABORT: ImageState.DEAD,
    FailurePolicy.ABORT_RUN: ImageState.DEAD,
    FailurePolicy.SKIP: ImageState.SKIPPED,
}


_SEALS_GROUP: Mapping[FailurePolicy, GroupState] = {
    FailurePolicy.HALT: GroupState.HELD,
    FailurePolicy.ABORT: GroupState.ABORTED,
    FailurePolicy.ABORT_RUN: GroupState.ABORTED,
}


def image_fate(image: ImageRecord, stages: Mapping[StageName, LogicalStage]) -> Fate | None:
    """The image's fate, if a stage has sealed it, else None.

    Where several have, the first in the order of the plan decides, whichever came first in time;
    so an image ends the same under every model. A halt waits for nobody, and a person's decision
    stands above them all.
    """
    if image.decided is not None:
        state, reason = image.decided
        return Fate(state, None, reason)
    for name in image.failed:
        if stages[name].spec.on_failure is FailurePolicy.HALT:
            return _fate(image, name, stages[name])
    if not image.failed and not image.verdicts:
        return None
    for name, stage in stages.items():
        if (fate := _fate(image, name, stage)) is not None:
            return fate
    return None


def still_wanted(
    image: ImageRecord, fate: Fate, stages: Mapping[StageName, LogicalStage]
) -> frozenset[StageName]:
    """The stages that could still change a sealed fate: those before the one that sealed it.

    None after a halt, or where the fate came from the group.
    """
    if fate.stage is None or (fate.state is ImageState.HELD and fate.stage in image.failed):
        return frozenset()
    wanted = []
    for name, stage in stages.items():
        if name == fate.stage:
            break
        if stage.scope is Scope.IMAGE and not image.resolved(name):
            wanted.append(name)
    return frozenset(wanted)


def without_needs(
    record: SubjectState, stages: Sequence[LogicalStage]
) -> Iterator[tuple[StageName, StageName]]:
    """The stages that need what is missing, each with what that is, and so on along the needs:
    they stand in topological order. A stage that gathers takes what there is."""
    lost = set(record.missing)
    for stage in stages if lost else ():
        if record.resolved(stage.name) or stage.spec.traits.gathers:
            continue
        lacking = next((need for need in stage.needs if need in lost), None)
        if lacking is not None:
            lost.add(stage.name)
            yield stage.name, lacking


def why_the_run_ends(
    fate: Fate, subject: Subject, stages: Mapping[StageName, LogicalStage]
) -> str | None:
    """Why an image that is settled ends the run, if the stage that decided its fate asks for that.

    Not before it is settled: until then a stage that comes earlier in the plan may still decide
    otherwise, and under another model it would have.
    """
    if fate.state is not ImageState.DEAD or fate.stage is None:
        return None
    ends = stages[fate.stage].spec.on_failure is FailurePolicy.ABORT_RUN
    return f"{fate.stage} failed on {subject}: {fate.reason}" if ends else None


def _fate(image: ImageRecord, name: StageName, stage: LogicalStage) -> Fate | None:
    if name in image.failed:
        state = _SEALS.get(stage.spec.on_failure)
        error, message = image.failed[name]
        return Fate(state, name, f"{error}: {message}") if state else None
    match image.verdicts.get(name):
        case "reject":
            return Fate(ImageState.REJECTED, name, f"{name} rejected it")
        case "review":
            return Fate(ImageState.HELD, name, f"{name} asks for a review")
    return None


def group_fate(
    group: GroupRecord,
    stages: Mapping[StageName, LogicalStage],
    primary: PrimarySpec | None,
    gates: Gates,
    tolerance: Tolerance = Tolerance(),
) -> tuple[GroupState, str] | None:
    """Why the group cannot go live, if so: the state that it goes to, and the reason. ``gates`` are
    those of `gates_of`."""
    if group.decided is not None:
        return group.decided
    if dead := group.settled[ImageState.DEAD]:
        return GroupState.ABORTED, f"{dead} of its images failed under the policy 'abort'"
    if (loss := group_loss(tolerance, group)) is not None:
        return GroupState.ABORTED, loss
    if (
        primary is not None
        and primary.on_failure == "abort"
        and group.primary_state in LEFT_THE_GROUP
    ):
        return GroupState.ABORTED, f"its primary is {group.primary_state}"
    return _failed_stage(group, stages) or _shut_gate(group, gates)


def _failed_stage(
    group: GroupRecord, stages: Mapping[StageName, LogicalStage]
) -> tuple[GroupState, str] | None:
    for name, (error, message) in group.failed.items():
        state = _SEALS_GROUP.get(stages[name].spec.on_failure)
        if state is None and nothing_live(group, stages[name], stages):
            # Neither `skip` nor `partial` can make live what was not promoted.
            state = GroupState.ABORTED
        if state is not None:
            return state, f"{name} failed: {error}: {message}"
    return None


def _shut_gate(group: GroupRecord, gates: Gates) -> tuple[GroupState, str] | None:
    shut = [
        (GroupState(gate.on_failure), decision.reason)
        for name, gate in gates
        if not group.resolved(name)
        and (decision := decide_gate(gate, group)).answer is GateAnswer.NEVER
    ]
    # An abort may be certain before the last member is settled, so it comes before what is not:
    # the group ends the same, whichever member was last.
    return min(shut, key=lambda fate: fate[0] is not GroupState.ABORTED, default=None)


def nothing_live(
    group: GroupRecord, failed: LogicalStage, stages: Mapping[StageName, LogicalStage]
) -> bool:
    """Whether a stage that failed was to make the group live, and no other did or still may."""
    return failed.spec.traits.place is Place.COORDINATOR and all(
        name in group.missing
        for name, stage in stages.items()
        if stage.scope is Scope.GROUP and stage.spec.traits.place is Place.COORDINATOR
    )


THE_END = StageName("")
"""Stands for the end of a group that has no stages of its own; it too is reached by a gate."""


def gates_of(stages: Mapping[StageName, LogicalStage]) -> Gates:
    """The gates of a group, each with the stage that it is before."""
    gates = [
        (name, stage.gate)
        for name, stage in stages.items()
        if stage.gate is not None and stage.scope is Scope.GROUP
    ]
    return gates or [(THE_END, GatePolicy())]
