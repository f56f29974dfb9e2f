"""Which facts a template can read: a missing need is found before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from imagelane.declare.declared import Declared
from imagelane.declare.document import Document
from imagelane.declare.graph import Graph
from imagelane.declare.problems import Path, Problem, nearest, shown
from imagelane.declare.sections.images import ImagesSection
from imagelane.model.states import Scope
from imagelane.model.template import BUILT_IN, PRIMARY, parse

ANY = "*"


def read_facts(stage: Declared) -> frozenset[str]:
    """The fact names in the stage's templates, dotted, without the words of its own."""
    return frozenset(name for _, name in _reads(stage))


def check_facts(
    graph: Graph, images: ImagesSection | None, document: Document
) -> Iterator[Problem]:
    """Every template field that no stage before it can fill."""
    for stage in graph.stages.values():
        for path, name in _reads(stage):
            if name.startswith(PRIMARY) and images is not None and images.primary is None:
                found = f"{{{name}}} reads a fact of the primary, but no image is one"
                hint = "say which image of a group is: images: {primary: first}"
                yield document.problem(path, found, "images.primary", hint)
                continue
            wrong = _unfillable(stage, name, graph, images)
            if wrong is not None:
                yield document.problem(path, *wrong)


def _reads(stage: Declared) -> Iterator[tuple[Path, str]]:
    for below, text, own_words in stage.built_in.templates() if stage.built_in else ():
        for name in parse(text).names:
            if name not in own_words:
                yield (*stage.parameters_path, *below), name


def _unfillable(
    stage: Declared, name: str, graph: Graph, images: ImagesSection | None
) -> tuple[str, str, str] | None:
    """What is wrong with a field, what would be right, and what to do; None where nothing is."""
    of_primary = name.startswith(PRIMARY)
    scope = Scope.IMAGE if of_primary else stage.scope
    # A manifest's columns are facts of its images, and only the source knows their names.
    columns = scope is Scope.IMAGE and (images is None or images.manifest)
    makers = _ancestors_of_scope(stage, scope, graph)
    if columns or makers is None:
        return None
    fact = name.removeprefix(PRIMARY)
    made = _facts(makers)
    # A name with a dot asks one stage for its fact.
    asked = {f"{one.name}.{own}" for one in makers for own in _facts([one]) if not of_primary}
    known = BUILT_IN[scope] | made
    if ANY in made or fact in known | asked:
        return None
    everywhere = _facts(graph.stages.values()) - {ANY}
    if scope is not Scope.IMAGE and fact in everywhere | BUILT_IN[Scope.IMAGE]:
        found = f"{shown(fact)} is a fact of each image, and {stage.name!r} works on many"
        return found, _listed(known), f"say whose: {{{PRIMARY}{fact}}}"
    found = f"no stage that {stage.name!r} needs makes the fact {shown(fact)}"
    return found, _listed(known), _who_makes(fact, stage, graph) or nearest(fact, everywhere)


def _ancestors_of_scope(stage: Declared, scope: Scope, graph: Graph) -> list[Declared] | None:
    """None where something about them is not known."""
    if graph.ancestors is None:
        return None
    found = [graph.stages[name] for name in graph.ancestors[stage.name]]
    if not all(one.whole for one in found):
        return None
    return [one for one in found if one.scope is scope]


def _facts(stages: Iterable[Declared]) -> frozenset[str]:
    return frozenset(fact for one in stages if one.traits for fact in one.traits.facts)


def _who_makes(fact: str, stage: Declared, graph: Graph) -> str:
    for name, other in graph.stages.items():
        if other.traits and fact in other.traits.facts and name != stage.name:
            return f"{name!r} makes it: add it to the needs of {stage.name!r}"
    return ""


def _listed(names: Iterable[str]) -> str:
    return f"one of {', '.join(sorted(names))}" if names else "text without facts"
