"""Which stages of a plan are other than they were, and which follow from those."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from imagelane.model.differing import StageDifference
from imagelane.model.ids import StageName
from imagelane.model.plan import LogicalPlan, LogicalStage
from imagelane.model.spec import Reads, StageSpec
from imagelane.model.states import Scope
from imagelane.model.template import PRIMARY

_LONGEST = 48


def differing(
    then: LogicalPlan, now: LogicalPlan, common: Mapping[StageName, Sequence[str]]
) -> Iterator[StageDifference]:
    """Each stage of the plan as it is now, in its order.

    ``common`` gives further reasons by stage: what is not declared, such as libraries and files.
    """
    before = {stage.name: stage for stage in then.stages}
    other: set[StageName] = set()
    for stage in now.stages:
        old = before.get(stage.name)
        reasons = ["it is new"] if old is None else [*_reasons(old, stage, then, now)]
        reasons += common.get(stage.name, ())
        follows = tuple(name for name in sorted(inputs(stage, now)) if name in other)
        if reasons or follows:
            other.add(stage.name)
        yield StageDifference(stage.name, stage.scope, tuple(reasons), follows)


def inputs(stage: LogicalStage, plan: LogicalPlan) -> frozenset[StageName]:
    """The stages whose outcomes a stage takes something from: a picture, files, facts."""
    spec = stage.spec
    sees_all = ":" in spec.uses or spec.uses in {"http", "command", "publish"}
    takes_files = spec.traits.reads is Reads.RENDITIONS or spec.scope is not Scope.IMAGE
    own = {name for name in spec.reads_facts if not name.startswith(PRIMARY)}
    primary = {name.removeprefix(PRIMARY) for name in spec.reads_facts - own}
    found = set[StageName]() if stage.picture is None else {stage.picture}
    for one in plan.stages:
        files = takes_files and one.spec.traits.makes_renditions
        needed = one.name in stage.ancestors and (sees_all or files or _finds(one, own))
        if needed or (one.scope is Scope.IMAGE and _finds(one, primary)):
            found.add(one.name)
    return frozenset(found - {stage.name})


def _finds(stage: LogicalStage, names: Collection[str]) -> bool:
    """Whether a stage may add a fact of one of these names, dotted or not."""
    facts = stage.spec.traits.facts
    return any("*" in facts or name in facts or name.startswith(f"{stage.name}.") for name in names)


def _reasons(
    old: LogicalStage, new: LogicalStage, then: LogicalPlan, now: LogicalPlan
) -> Iterator[str]:
    if old.spec.uses != new.spec.uses:
        yield f"uses {new.spec.uses}, was {old.spec.uses}"
    elif old.spec.traits.version != new.spec.traits.version:
        version, was = new.spec.traits.version, old.spec.traits.version
        yield f"{_code(new.spec)} has version {version}, was {was}"
    yield from _parameters("with", old.spec.parameters, new.spec.parameters)
    if old.scope is not new.scope:
        yield f"its scope is {new.scope.value}, was {old.scope.value}"
    if old.picture != new.picture:
        taken, was = (one.picture or "the source" for one in (new, old))
        yield f"it takes the picture of {taken}, was {was}"
    if old.needs != new.needs:
        yield f"it needs {_listed(new.needs)}, was {_listed(old.needs)}"
    sees = new.spec.traits.reads is Reads.PICTURE or new.spec.traits.makes_picture
    if then.resampler != now.resampler:
        yield f"pictures are resized by {now.resampler.value}, was {then.resampler.value}"
    if sees and then.decode != now.decode:
        yield "the source is decoded to another size, for the sake of all stages that take it"
    if sees and _limits(then) != _limits(now):
        yield "the limits of validate are others"


def _limits(plan: LogicalPlan) -> Mapping[str, Any] | None:
    return next((one.spec.parameters for one in plan.stages if one.spec.uses == "validate"), None)


def _code(spec: StageSpec) -> str:
    return spec.uses if ":" in spec.uses else "the built-in stage"


def _parameters(path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            yield from _parameters(f"{path}.{name}", before, after)
        else:
            yield f"{path}.{name} is {_short(after)}, was {_short(before)}"


def _short(value: Any) -> str:
    text = "not said" if value is None else json.dumps(value, ensure_ascii=False, default=list)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _listed(names: Sequence[StageName]) -> str:
    return ", ".join(names) or "nothing"
