"""The last rule changes nothing: it proves that the others kept what was declared."""

from __future__ import annotations

from imagelane.model.ids import StageName
from imagelane.model.plan import LogicalStage
from imagelane.model.spec import Place, Reads
from imagelane.model.states import Scope
from imagelane.plan.draft import Draft, own_limit
from imagelane.plan.logical import PlanError, PlanProblem


def check_plan(draft: Draft) -> Draft:
    """The same draft.

    Raises:
        PlanError: a rule lost, doubled or misplaced a stage, mixed what may not share a segment,
            or left a group stage without a gate. That is a defect of a rule, not of the pipeline.
    """
    problems = [PlanProblem(f"the plan is not sound: {found}") for found in _unsound(draft)]
    if problems:
        raise PlanError(problems)
    return draft


def _unsound(draft: Draft) -> list[str]:
    found: list[str] = []
    stages = {stage.name: stage for stage in draft.logical.stages}
    placed = [name for segment in draft.segments for name in segment]
    if sorted(placed) != sorted(stages):
        found.append(f"segments hold {sorted(placed)}, declared are {sorted(stages)}")
        return found
    order = {stage.name: index for index, stage in enumerate(draft.logical.stages)}
    home = {name: index for index, segment in enumerate(draft.segments) for name in segment}
    for segment in draft.segments:
        if list(segment) != sorted(segment, key=order.__getitem__):
            found.append(f"segment {segment} is not in topological order")
        if len({stages[name].scope for name in segment}) > 1:
            found.append(f"segment {segment} mixes scopes")
        if len({stages[name].spec.traits.place for name in segment}) > 1:
            found.append(f"segment {segment} mixes places")
        found += [
            f"stage {name!r} lost its own limit in segment {segment}"
            for name in segment
            if len(segment) > 1
            and own_limit(stages[name].spec, draft.options, draft.machine) is not None
        ]
    for stage in stages.values():
        found += _unsound_stage(stage, stages)
        # A need in a later segment that leads back would make two segments wait for each other.
        if any(
            home[ancestor] != home[stage.name] and home[deeper] == home[stage.name]
            for ancestor in stage.ancestors
            for deeper in stages[ancestor].ancestors
        ):
            found.append(f"the segment of {stage.name!r} needs itself by way of another")
    return found


def _unsound_stage(stage: LogicalStage, stages: dict[StageName, LogicalStage]) -> list[str]:
    found: list[str] = []
    if stage.scope is not Scope.IMAGE and stage.gate is None:
        found.append(f"group stage {stage.name!r} has no gate")
    if stage.spec.traits.place is Place.COORDINATOR and stage.scope is Scope.IMAGE:
        found.append(f"image stage {stage.name!r} would run in the coordinator")
    if stage.picture is not None and stage.spec.traits.reads is Reads.PICTURE:
        if stage.picture not in stage.ancestors:
            found.append(
                f"{stage.name!r} takes the picture of {stage.picture!r} without needing it"
            )
        elif not stages[stage.picture].spec.traits.makes_picture:
            found.append(f"{stage.name!r} takes a picture that {stage.picture!r} does not make")
    return found
