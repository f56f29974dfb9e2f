"""Neighbouring pixel stages of one image become one segment: one worker, one read, one decode."""

from __future__ import annotations

from dataclasses import replace

from imagelane.model.ids import StageName
from imagelane.model.plan import LogicalStage
from imagelane.model.spec import Place
from imagelane.model.states import Scope
from imagelane.plan.draft import Draft, own_limit, pool_of


def fuse_segments(draft: Draft) -> Draft:
    """Fuse the image stages that run in worker processes, have the same pool and no limit of their
    own that binds, and have nothing else on the way between them.

    The rank of a stage counts the changes of kind on its longest path. Stages of one kind and one
    rank are fused; needs between segments then always lead to a higher rank, so no circle can form.
    """
    if not draft.options.fuse:
        return draft
    kinds: dict[StageName, tuple[str, ...]] = {}
    ranks: dict[StageName, int] = {}
    segments: dict[tuple[object, ...], list[StageName]] = {}
    for stage in draft.logical.stages:
        kind = kinds[stage.name] = _kind(stage, draft)
        rank = ranks[stage.name] = max(
            (ranks[need] + (kinds[need] != kind) for need in stage.needs), default=0
        )
        segments.setdefault((kind, rank), []).append(stage.name)
    return replace(draft, segments=tuple(tuple(names) for names in segments.values()))


def _kind(stage: LogicalStage, draft: Draft) -> tuple[str, ...]:
    spec = stage.spec
    alone = (
        stage.scope is not Scope.IMAGE
        or spec.traits.place is not Place.PROCESS
        or own_limit(spec, draft.options, draft.machine) is not None
        or spec.name in draft.options.parallel
        # It may be left alone for a while, and nothing else shall stand still with it.
        or spec.breaker is not None
    )
    # What runs in a sandbox never runs in one process with what needs to be outside.
    held = "contained" if spec.traits.contained else "unbound"
    return ("alone", spec.name) if alone else ("fused", pool_of(spec), held)
