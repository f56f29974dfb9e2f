"""What stages say of other stages, of files and of the run: checked once the graph is known.

Whether one picture or several reach a stage is not checked here: `plan` follows the pictures, and
asks for `takes` where they are ambiguous.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path as FilePath

from imagelane.declare.declared import Declared
from imagelane.declare.document import Document
from imagelane.declare.graph import Graph
from imagelane.declare.problems import Path, Problem, nearest, shown
from imagelane.declare.sections.images import ImagesSection
from imagelane.declare.sections.run import RunSection
from imagelane.declare.stages import ContactSheet, Publish, Store
from imagelane.model.spec import Reads
from imagelane.model.states import Scope

SOURCE = "source"
_POOLS = ("cpu", "io")


def check_references(
    graph: Graph,
    images: ImagesSection | None,
    run: RunSection | None,
    folder: FilePath,
    document: Document,
) -> Iterator[Problem]:
    """Every mistake in what stages refer to."""
    for stage in graph.stages.values():
        yield from _takes(stage, graph, document)
        yield from _inputs(stage, graph, document)
        yield from _gate(stage, images, document)
        yield from _pool(stage, run, document)
        yield from _files(stage, folder, document)
        yield from _defaults(stage, graph, document)
    if run is not None:
        yield from _run(run, graph, document)


def _needed(
    path: Path, name: str, stage: Declared, graph: Graph, document: Document
) -> Iterator[Problem]:
    """Nothing, if the stage needs the named one, directly or not."""
    if name not in graph.stages:
        others = [other for other in graph.stages if other != stage.name]
        yield document.problem(
            path,
            f"no stage is called {shown(name)}",
            f"{SOURCE}, or a stage that {stage.name!r} needs",
            nearest(name, [*others, SOURCE]),
        )
    elif graph.ancestors is not None and name not in graph.ancestors[stage.name]:
        found = f"{stage.name!r} does not need {name!r}"
        hint = f"add it: needs: [{', '.join([*graph.needs[stage.name], name])}]"
        yield document.problem(path, found, "a stage that it needs, directly or not", hint)


def _takes(stage: Declared, graph: Graph, document: Document) -> Iterator[Problem]:
    takes = stage.section.takes
    if takes is None:
        return
    path = (*stage.path, "takes")
    if stage.traits is not None and stage.traits.reads is not Reads.PICTURE:
        found = f"{stage.name!r} works on no picture of another stage"
        yield document.problem(path, found, "no takes here", key=True)
        return
    if takes == SOURCE:
        return
    problems = list(_needed(path, takes, stage, graph, document))
    yield from problems
    if problems:
        return
    taken = graph.stages[takes].traits
    if taken is not None and not taken.makes_picture:
        makers = [
            name
            for name in (graph.ancestors or {}).get(stage.name, ())
            if (traits := graph.stages[name].traits) and traits.makes_picture
        ]
        expected = " or ".join([*makers, SOURCE])
        yield document.problem(path, f"{takes!r} makes no picture", expected)


def _inputs(stage: Declared, graph: Graph, document: Document) -> Iterator[Problem]:
    for below, name in stage.built_in.inputs() if stage.built_in else ():
        path = (*stage.parameters_path, *below)
        problems = list(_needed(path, name, stage, graph, document))
        yield from problems
        if problems:
            continue
        traits = graph.stages[name].traits
        if traits is not None and not traits.makes_renditions:
            yield document.problem(path, f"{name!r} makes no files", "a stage that does")


def _gate(stage: Declared, images: ImagesSection | None, document: Document) -> Iterator[Problem]:
    gate = stage.section.gate
    if gate is None:
        return
    path = (*stage.path, "gate")
    if stage.scope is Scope.IMAGE and stage.traits is not None:
        found = f"a gate before {stage.name!r}, which works on each image"
        hint = "a gate lets a group stage wait for all images of the group"
        yield document.problem(path, found, "a gate before a group stage", hint, key=True)
    if images is None or images.manifest or not isinstance(gate.require, tuple):
        return
    known = ["primary"] if images.primary else []
    for role in gate.require:
        if role not in known:
            hint = "say images: {primary: first}" if role == "primary" else ""
            expected = "primary, or with a manifest its roles"
            yield document.problem(path, f"no image has the role {shown(role)}", expected, hint)


def _pool(stage: Declared, run: RunSection | None, document: Document) -> Iterator[Problem]:
    pool = stage.section.pool
    named = list(run.pools) if run else []
    known = [*_POOLS, *named]
    if pool is not None and pool not in known:
        found = f"no pool is called {shown(pool)}"
        hint = nearest(pool, named) or f"give it places: run: {{pools: {{{pool}: 1}}}}"
        yield document.problem((*stage.path, "pool"), found, "cpu, io or one of run.pools", hint)


def _files(stage: Declared, folder: FilePath, document: Document) -> Iterator[Problem]:
    for below, name in stage.built_in.files() if stage.built_in else ():
        try:
            there = (folder / name).is_file()
        except OSError:
            there = False
        if not there:
            found = f"no file is called {shown(name)}"
            expected = "a path relative to the pipeline's folder"
            yield document.problem((*stage.parameters_path, *below), found, expected)


def _defaults(stage: Declared, graph: Graph, document: Document) -> Iterator[Problem]:
    if graph.ancestors is None or not all(
        graph.stages[name].whole for name in (stage.name, *graph.ancestors[stage.name])
    ):
        return
    match stage.built_in:
        case ContactSheet(of=None):
            choice = nearest_with_files(stage, graph)
            missing = f"{stage.name!r} needs no stage that makes files"
            unclear, key = f"{stage.name!r} could show the files of", "of"
            hint = "let it need one: needs: [thumbnails]"
        case Publish(to=None):
            choice = publishing_targets(stage, graph)
            missing = f"{stage.name!r} does not know where to publish"
            unclear, key = f"{stage.name!r} could publish to", "to"
            hint = "let it need a store stage, or say with: {to: public/}"
        case _:
            return
    if not choice:
        expected = "a stage whose files it shows" if key == "of" else "a target folder"
        yield document.problem(stage.path, missing, expected, hint, key=True)
    elif len(choice) > 1:
        hint = f"say which: with: {{{key}: {choice[0]}}}"
        found = f"{unclear} {' or '.join(choice)}"
        yield document.problem(stage.path, found, "one of them", hint, key=True)


def nearest_with_files(stage: Declared, graph: Graph) -> list[str]:
    """The stages whose files reach this one on the shortest way along its needs."""
    level = list(graph.needs[stage.name])
    seen = set(level)
    while level:
        found = [
            name
            for name in level
            if (traits := graph.stages[name].traits) and traits.makes_renditions
        ]
        if found:
            return found
        beyond = dict.fromkeys(need for name in level for need in graph.needs[name])
        level = [need for need in beyond if need not in seen]
        seen.update(level)
    return []


def publishing_targets(stage: Declared, graph: Graph) -> list[str]:
    """The folders that the stages before this one store or publish to."""
    found: dict[str, None] = {}
    for name in (graph.ancestors or {}).get(stage.name, ()):
        match graph.stages[name].built_in:
            case Store(to=str(to)) | Publish(to=str(to)):
                found[to] = None
    return list(found)


def _run(run: RunSection, graph: Graph, document: Document) -> Iterator[Problem]:
    known: Mapping[str, Declared] = graph.stages
    for key, names in (("workers", run.workers), ("parallel", run.parallel)):
        for name in names:
            if name and name not in known:
                said = document.at(("run", key))
                path: Path = ("run", key, said.index(name) if isinstance(said, list) else name)
                found = f"no stage is called {shown(name)}"
                problem = document.problem(
                    path, found, "a stage of this file", nearest(name, known), key=True
                )
                yield problem
    used = {stage.section.pool for stage in known.values()} | set(_POOLS)
    for name in run.pools:
        if name not in used:
            path = ("run", "pools", name)
            found = f"no stage uses the pool {shown(name)}"
            words = [pool for pool in used if pool]
            yield document.problem(
                path, found, "a pool that a stage names", nearest(name, words), key=True
            )
