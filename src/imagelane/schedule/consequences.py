"""What becomes of an image and its group when stages fail or say no."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from imagelane.model.ids import StageName
from imagelane.model.plan import LogicalStage
from imagelane.model.policy import FailurePolicy
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


# Where several stages of one image failed, the gravest policy decides.
_GRAVITY: Mapping[FailurePolicy, tuple[int, ImageState]] = {
    FailurePolicy.HALT: (0, ImageState.HELD),
    FailurePolicy.ABORT: (1, ImageState.DEAD),
    FailurePolicy.SKIP: (2, ImageState.SKIPPED),
}


def image_fate(
    image: ImageRecord, stages: Mapping[StageName, LogicalStage]
) -> Fate | None:
    """The image's fate if it is sealed before all of its stages are resolved, else None."""
    sealing = [
        (*_GRAVITY[policy], stage, f"{error}: {message}")
        for stage, (error, message) in image.failed.items()
        if (policy := stages[stage].spec.on_failure) in _GRAVITY
    ]
    if sealing:
        _, state, stage, reason = min(sealing)
        return Fate(state, stage, reason)
    for stage, verdict in image.verdicts.items():
        if verdict == "reject":
            return Fate(ImageState.REJECTED, stage, f"{stage} rejected it")
    for stage, verdict in image.verdicts.items():
        if verdict == "review":
            return Fate(ImageState.HELD, stage, f"{stage} asks for a review")
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
    for name, stage in stages.items():
        if stage.gate is not None and stage.scope is Scope.GROUP and not group.resolved(name):
            decision = decide_gate(stage.gate, group)
            if decision.answer is GateAnswer.NEVER:
                return GroupState(stage.gate.on_failure), decision.reason
    return None
