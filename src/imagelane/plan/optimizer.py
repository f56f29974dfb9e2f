"""The rules, in the order in which they are applied."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from imagelane.model.plan import LogicalPlan
from imagelane.model.policy import RunOptions
from imagelane.plan.draft import Draft, Machine
from imagelane.plan.rules.check_plan import check_plan
from imagelane.plan.rules.fuse_segments import fuse_segments
from imagelane.plan.rules.insert_gates import insert_gates

Rule = Callable[[Draft], Draft]

RULES: tuple[Rule, ...] = (
    # First, so that every later rule sees where a segment may never reach across.
    insert_gates,
    # After the gates: only what stands between two gates, two pools or two limits is fused.
    fuse_segments,
    # Last: whatever the rules above did, the declared outputs, gates and limits are still there.
    check_plan,
)


def drafts(
    logical: LogicalPlan, options: RunOptions, machine: Machine
) -> Iterator[tuple[str, Draft]]:
    """The draft before any rule (``declared``) and after each, with the rule's name."""
    draft = Draft(logical, tuple((stage.name,) for stage in logical.stages), options, machine)
    yield "declared", draft
    for rule in RULES:
        draft = rule(draft)
        yield rule.__name__, draft


def optimize(logical: LogicalPlan, options: RunOptions, machine: Machine) -> Draft:
    """The draft after all rules."""
    *_, (_, draft) = drafts(logical, options, machine)
    return draft
