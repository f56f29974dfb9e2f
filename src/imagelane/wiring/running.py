"""A pipeline, run with one call."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from imagelane.model.policy import ExecutionModel, RunOptions
from imagelane.model.spec import PipelineSpec

if TYPE_CHECKING:
    from imagelane.declare.pipeline import Pipeline
    from imagelane.ports.observer import Observer
from imagelane.wiring.describing import describing
from imagelane.wiring.reading import load, unfinished, workspace_of
from imagelane.wiring.results import RunResult, result
from imagelane.wiring.session import session
from imagelane.wiring.unchanged import look


def run(
    pipeline: Pipeline | PipelineSpec | str | os.PathLike[str],
    *,
    options: RunOptions | None = None,
    model: str | None = None,
    observers: Sequence[Observer] = (),
    resume: bool = True,
    fresh: bool = False,
) -> RunResult:
    """Run a pipeline to where it stands still. Where neither it nor its source has changed since
    its last run there is nothing to do, and that run's result is given.

    Args:
        pipeline: a `Pipeline`, or the path of a pipeline file.
        options: how to execute; without them as the pipeline says.
        model: ``sequential``, ``parallel`` or ``hybrid``; overrides that of the options.
        observers: told of everything that is recorded.
        resume: take up the newest run of the same pipeline, if it is not over; False begins a new
            one whatever there is.
        fresh: begin a new run and execute everything, whatever is recorded for the same input.

    Raises:
        DeclarationError, PlanError, SourceError: it cannot begin, each with the reason.
        RunOwnedError: the run that would be taken up is being executed by another process.
    """
    if isinstance(pipeline, PipelineSpec):
        spec = pipeline
    elif isinstance(pipeline, str | os.PathLike):
        spec = load(Path(pipeline))
    else:
        with describing() as describe:
            spec = pipeline.spec(describe)
    chosen = options or spec.options
    if model is not None:
        chosen = replace(chosen, model=ExecutionModel(model))
    earlier = unfinished(spec) if resume and not fresh else None
    seen = look(spec) if resume and not fresh and earlier is None else None
    if seen is not None and seen.done is not None:
        return seen.done
    with session(
        spec,
        chosen,
        observers,
        resume=earlier.run if earlier else None,
        number=seen.number if seen else None,
        fresh=fresh,
    ) as (engine, number):
        return result(engine.execute(), number, workspace_of(spec).root)
