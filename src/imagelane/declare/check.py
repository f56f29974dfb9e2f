"""From a document to a pipeline: every check, all mistakes together."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path as FilePath
from typing import Any

from imagelane.declare.declared import Declared, Describe, declared_stages, salvage
from imagelane.declare.document import Document
from imagelane.declare.facts import check_facts, read_facts
from imagelane.declare.graph import Graph, build_graph
from imagelane.declare.problems import MAX_PROBLEMS, DeclarationError, Problem, shown
from imagelane.declare.references import (
    check_references,
    nearest_with_files,
    publishing_targets,
)
from imagelane.declare.sections.alerts import AlertSection
from imagelane.declare.sections.images import ImagesSection
from imagelane.declare.sections.pipeline import PipelineSection
from imagelane.declare.sections.run import RunSection
from imagelane.declare.stages import ContactSheet, Http, Publish
from imagelane.model.ids import StageName
from imagelane.model.policy import (
    SERVICE_BUDGET,
    BreakerPolicy,
    FailurePolicy,
    RetryPolicy,
    RunOptions,
    Tolerance,
)
from imagelane.model.spec import PipelineSpec, Place, Resampler, StageSpec, StageTraits
from imagelane.model.states import Scope


def check(
    document: Document, folder: FilePath, file: str | None, describe: Describe | None
) -> PipelineSpec:
    """The pipeline that a document declares.

    Raises:
        DeclarationError: with every mistake in it.
    """
    whole, graph = check_document(document, folder, describe)
    return PipelineSpec(
        name=whole.pipeline,
        images=whole.images.spec(),
        stages=tuple(_stage(stage, graph, document) for stage in graph.stages.values()),
        folder=str(folder),
        options=whole.run.spec() if whole.run else RunOptions(),
        workspace=whole.workspace,
        file=file,
        tolerance=whole.tolerance.spec() if whole.tolerance else Tolerance(),
        alerts=AlertSection.specs(whole.alerts),
        resampler=_resampler(),
    )


def check_document(
    document: Document, folder: FilePath, describe: Describe | None
) -> tuple[PipelineSection, Graph]:
    """What a document declares, once nothing is wrong with it.

    Raises:
        DeclarationError: with every mistake in it.
    """
    if document.problems and document.value is None:
        raise DeclarationError(document.problems)
    if not isinstance(document.value, Mapping):
        found = f"found {shown(document.value)}"
        expected = "a mapping with the keys pipeline, images and stages"
        problem = document.problem((), found, expected, "imagelane init writes one")
        raise DeclarationError([*document.problems, problem])
    whole, problems = salvage(PipelineSection, document, (), document.value)
    images = whole.images if whole else _section(ImagesSection, document, "images")
    run = whole.run if whole else _section(RunSection, document, "run")
    stages, found_in_stages = declared_stages(document, describe, folder)
    graph, found_in_graph = build_graph(stages, document)
    problems += found_in_stages
    problems += found_in_graph
    references = check_references(graph, images, run, folder, document)
    problems += islice(references, MAX_PROBLEMS)
    problems += islice(check_facts(graph, images, document), MAX_PROBLEMS)
    if problems or document.problems or whole is None:
        raise DeclarationError([*document.problems, *_read(problems, document)])
    return whole, graph


def _section(model: Any, document: Document, key: str) -> Any:
    """A section on its own, where the whole has mistakes that cannot be left out."""
    value = document.at((key,))
    return None if value is None else salvage(model, document, (key,), value)[0]


def _read(problems: list[Problem], document: Document) -> list[Problem]:
    """Without those of values that could not even be read: they are not of a wrong kind as well."""
    unread = {problem.location for problem in document.problems}
    return [
        problem
        for problem in problems
        if problem.location not in unread or document.values.get(problem.path) != problem.location
    ]


def _resampler() -> Resampler:
    """The faster one, where it is installed. It is looked for and not loaded: workers do that."""
    faster = Resampler.FAST_IMAGE_RESIZE
    return Resampler.LIBVIPS if importlib.util.find_spec(faster.module) is None else faster


def _stage(stage: Declared, graph: Graph, document: Document) -> StageSpec:
    section = stage.section
    if stage.traits is None:
        raise AssertionError(f"stage {stage.name!r} was checked and has no traits")
    traits = stage.traits
    if section.sandbox == "off":
        traits = replace(traits, contained=False)
    policy = FailurePolicy.SKIP if stage.scope is Scope.IMAGE else FailurePolicy.ABORT
    return StageSpec(
        name=StageName(stage.name),
        uses=stage.uses,
        traits=traits,
        needs=tuple(StageName(need) for need in graph.needs[stage.name]),
        takes=StageName(section.takes) if section.takes else None,
        parameters=_parameters(stage, graph),
        scope=stage.scope,
        extent=stage.extent,
        reads_facts=read_facts(stage),
        workers=section.workers,
        pool=section.pool,
        timeout=None if section.timeout is None else float(section.timeout),
        retry=_retry(stage, stage.traits),
        on_failure=FailurePolicy(str(section.on_failure)) if section.on_failure else policy,
        gate=section.gate.spec() if section.gate else None,
        location=document.locate(stage.path, key=True),
        breaker=_breaker(stage, stage.traits),
        reuse=section.reuse,
    )


def _breaker(stage: Declared, traits: StageTraits) -> BreakerPolicy | None:
    """As declared. Where nothing is said those have one that call a service: `http`, and functions
    that wait."""
    if (section := stage.section.breaker) is not None:
        return section.spec()
    return BreakerPolicy() if _calls_a_service(stage, traits) else None


def _retry(stage: Declared, traits: StageTraits) -> RetryPolicy:
    retry = stage.section.retry.spec() if stage.section.retry else RetryPolicy()
    if retry.budget is None and _calls_a_service(stage, traits):
        return replace(retry, budget=SERVICE_BUDGET)
    return retry


def _calls_a_service(stage: Declared, traits: StageTraits) -> bool:
    return traits.place is Place.THREAD and (stage.uses == Http.KIND or ":" in stage.uses)


def _parameters(stage: Declared, graph: Graph) -> Mapping[str, Any]:
    """As declared, with the defaults that only the graph can tell."""
    match stage.built_in:
        case ContactSheet(of=None):
            return {**stage.parameters, "of": nearest_with_files(stage, graph)[0]}
        case Publish(to=None):
            return {**stage.parameters, "to": publishing_targets(stage, graph)[0]}
    return stage.parameters
