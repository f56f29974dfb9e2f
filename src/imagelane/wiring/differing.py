"""What a run would do again: a pipeline and its source, compared with an earlier run."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from imagelane.config import versions
from imagelane.model import events as e
from imagelane.model.codec import from_json
from imagelane.model.differing import PlanDifference, SourceDifference, StageDifference
from imagelane.model.ids import THE_RUN, StageName
from imagelane.model.plan import LogicalPlan
from imagelane.model.spec import PipelineSpec, Place
from imagelane.model.states import Scope
from imagelane.plan.differing import differing
from imagelane.plan.logical import logical_plan
from imagelane.ports.journal import Journal, RunRow
from imagelane.record.keys import reusable
from imagelane.wiring.reading import targets, workspace_of
from imagelane.wiring.remembering import fixed_keys


def difference(spec: PipelineSpec, journal: Journal, row: RunRow) -> PlanDifference:
    """Compare a pipeline and its source, as they are, with a run.

    Raises:
        SourceError: the source cannot be listed.
        PlanError: the pipeline, or that of the run, is no plan.
    """
    now = logical_plan(spec)
    then = logical_plan(from_json(PipelineSpec, row.definition["spec"]))
    found = list(differing(then, now, {}))
    common = dict(_undeclared(now, found, journal, row, Path(spec.folder)))
    if common:
        found = list(differing(then, now, common))
    source = _source(spec, row)
    names = {stage.name for stage in now.stages}
    return PlanDifference(
        row.run,
        row.updated,
        tuple(_counted(one, now, source) for one in found),
        source,
        tuple(stage.name for stage in then.stages if stage.name not in names),
    )


def _undeclared(
    now: LogicalPlan, found: list[StageDifference], journal: Journal, row: RunRow, folder: Path
) -> Iterator[tuple[StageName, list[str]]]:
    """Reasons that no declaration tells: libraries, and files that parameters name. A key that is
    other although everything declared is as it was has one of them."""
    kept: Mapping[str, str] = row.definition.get("keys", {})
    fixed = fixed_keys(now, folder)
    recorded = [
        one.event.versions
        for one in journal.events(row.run, subject=THE_RUN)
        if isinstance(one.event, e.RunStarted | e.RunResumed)
    ]
    libraries = list(_libraries(recorded[-1] if recorded else {}, versions()))
    for one in found:
        if not kept:
            yield one.name, ["that run recorded no keys, so nothing of it can be used"]
        elif libraries:
            yield one.name, libraries
        elif kept.get(one.name) != fixed[one.name] and not one.reasons:
            yield one.name, ["a file that its parameters name has other bytes"]


def _libraries(then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in sorted((then.keys() | now.keys()) - {"python"}):
        if then.get(name) != now.get(name):
            before, after = then.get(name, "not there"), now.get(name, "not there")
            yield f"{name} is {after}, was {before}"


def _source(spec: PipelineSpec, row: RunRow) -> SourceDifference | None:
    from imagelane.adapters.sources import open_source  # noqa: PLC0415 - loads SQLite

    workspace = workspace_of(spec)
    earlier = workspace.run(row.run) / "source.db"
    with tempfile.TemporaryDirectory(prefix="imagelane-") as place:
        source = open_source(
            spec.images,
            Path(spec.folder),
            Path(place, "source.db"),
            exclude=[workspace.root, *targets(spec)],
        )
        with closing(source):
            return source.compared_with(earlier)


def _counted(
    one: StageDifference,
    plan: LogicalPlan,
    source: SourceDifference | None,
) -> StageDifference:
    """With how many tasks would be executed at most."""
    if source is None:
        return one
    images = source.same + source.changed + source.new
    touched = source.changed + source.new
    of_all, some = {
        Scope.IMAGE: (images, touched),
        Scope.GROUP: (source.groups, source.groups_touched),
        Scope.RUN: (1, int(bool(touched or source.gone))),
    }[one.scope]
    stage = plan.stage(one.name)
    publishes = stage.spec.traits.place is Place.COORDINATOR
    always = not publishes and not reusable(stage.spec)
    tasks = of_all if one.other or always else some
    return replace(one, tasks=tasks, of_all=of_all, always=always, publishes=publishes)
