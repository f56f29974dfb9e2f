"""What becomes of an image and its group when stages fail or say no."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from imagelane.model.ids import StageName
from imagelane.model.plan import LogicalStage
from imagelane.model.policy import FailurePolicy, GatePolicy
from imagelane.model.run import GroupRecord, ImageRecord
from imagelane.model.spec import PrimarySpec
from imagelane.model.states import LEFT_THE_GROUP, GroupState, ImageState, Scope
from imagelane.schedule.gates import GateAnswer, decide_gate


@dataclass(frozen=True, slots=True)
class Fate:
    """The state that an image will settle in as soon as nothing of it is running."""

    state: ImageState
    stage: StageName | None
    reason: str


_SEALS: Mapping[FailurePolicy, ImageState] = {
    FailurePolicy.HALT: ImageState.HELD,
    FailurePolicy.ABORT: ImageState.DEAD,
    FailurePolicy.SKIP: ImageState.SKIPPED,
}


def image_fate(image: ImageRecord, stages: Mapping[StageName, LogicalStage]) -> Fate | None:
    """The image's fate, if a stage has sealed it, else None.

    Where several have, the first in the order of the plan decides, whichever came first in time;
    so an image ends the same under every model. A halt waits for nobody.
    """
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
    group: GroupRecord, stages: Mapping[StageName, LogicalStage], primary: PrimarySpec | None
) -> tuple[GroupState, str] | None:
    """Why the group cannot go live, if so: the state that it goes to, and the reason."""
    if dead := group.settled[ImageState.DEAD]:
        return GroupState.ABORTED, f"{dead} of its images failed under the policy 'abort'"
    if (
        primary is not None
        and primary.on_failure == "abort"
        and group.primary_state in LEFT_THE_GROUP
    ):
        return GroupState.ABORTED, f"its primary is {group.primary_state}"
    for name, (error, message) in group.failed.items():
        match stages[name].spec.on_failure:
            case FailurePolicy.ABORT:
                return GroupState.ABORTED, f"{name} failed: {error}: {message}"
            case FailurePolicy.HALT:
                return GroupState.HELD, f"{name} failed: {error}: {message}"
    shut = [
        (GroupState(gate.on_failure), decision.reason)
        for name, gate in gates_of(stages)
        if not group.resolved(name)
        and (decision := decide_gate(gate, group)).answer is GateAnswer.NEVER
    ]
    # An abort may be certain before the last member is settled, so it comes before what is not:
    # the group ends the same, whichever member was last.
    return min(shut, key=lambda fate: fate[0] is not GroupState.ABORTED, default=None)


THE_END = StageName("")
"""Stands for the end of a group that has no stages of its own; it too is reached by a gate."""


def gates_of(
    stages: Mapping[StageName, LogicalStage],
) -> list[tuple[StageName, GatePolicy]]:
    """The gates of a group, each with the stage that it is before."""
    gates = [
        (name, stage.gate)
        for name, stage in stages.items()
        if stage.gate is not None and stage.scope is Scope.GROUP
    ]
    return gates or [(THE_END, GatePolicy())]
