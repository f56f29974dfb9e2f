"""How a group that is done, and a run in which nothing is left to do, are called."""

from __future__ import annotations

from collections.abc import Mapping

from imagelane.model.events import RunSettled
from imagelane.model.ids import Digest, StageName
from imagelane.model.plan import LogicalStage
from imagelane.model.policy import FailurePolicy
from imagelane.model.run import GroupRecord, RunState
from imagelane.model.states import GroupState, ImageState, RunStatus, Scope


def shortcomings(group: GroupRecord, stages: Mapping[StageName, LogicalStage]) -> list[str]:
    """Why a group that goes live is not whole; empty if it is."""
    partial = group.settled[ImageState.PARTIAL]
    images = [f"{partial} of its images are partial"] if partial else []
    return images + [
        f"{name} is missing: {group.missing[name]}"
        for name in group.failed
        if stages[name].spec.on_failure is FailurePolicy.PARTIAL
    ]


def manifest_of(group: GroupRecord, state: GroupState) -> Digest | None:
    """The manifest that a group went live with, if it did."""
    if state not in {GroupState.PUBLISHED, GroupState.PARTIAL}:
        return None
    found = [facts["manifest"] for facts in group.facts.values() if "manifest" in facts]
    return found[-1] if found else None


def run_end(state: RunState, stages: Mapping[StageName, LogicalStage]) -> RunSettled | None:
    """The end of a run of which no order is in flight; None while something is left to do.

    Groups that wait for a decision pause the run: it is taken up when there is one.
    """
    if not state.exhausted or state.images:
        return None
    held = [group for group in state.groups.values() if group.state is GroupState.HELD]
    if len(held) < len(state.groups):
        return None
    if held:
        return RunSettled(
            RunStatus.PAUSED,
            f"{len(held)} {'groups wait' if held[1:] else 'group waits'} for a decision: "
            f"{held[0].name}",
        )
    of_run = [name for name, stage in stages.items() if stage.scope is Scope.RUN]
    if not all(state.run.resolved(name) for name in of_run):
        return None
    for name, (error, message) in state.run.failed.items():
        if stages[name].spec.on_failure in {FailurePolicy.ABORT, FailurePolicy.ABORT_RUN}:
            return RunSettled(RunStatus.FAILED, f"{name} failed: {error}: {message}")
    return RunSettled(RunStatus.FINISHED)
