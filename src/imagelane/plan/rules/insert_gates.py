"""Every stage that reduces a group or the run waits at a gate, declared or not."""

from __future__ import annotations

from dataclasses import replace

from imagelane.model.policy import GatePolicy
from imagelane.model.states import Scope
from imagelane.plan.draft import Draft


def insert_gates(draft: Draft) -> Draft:
    """Give the default gate (`require: settled`) to each group stage that declares none."""
    stages = tuple(
        replace(stage, gate=GatePolicy())
        if stage.scope is not Scope.IMAGE and stage.gate is None
        else stage
        for stage in draft.logical.stages
    )
    return replace(draft, logical=replace(draft.logical, stages=stages))
