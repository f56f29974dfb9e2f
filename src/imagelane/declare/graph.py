"""Who needs whom: needs resolved, and the checks of the graph as such."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from imagelane.declare.declared import Declared
from imagelane.declare.document import Document
from imagelane.declare.problems import MAX_PROBLEMS, Problem, nearest, shown
from imagelane.model.states import Scope

_WIDTH = {Scope.IMAGE: 0, Scope.GROUP: 1, Scope.RUN: 2}


@dataclass(frozen=True, slots=True)
class Graph:
    """``needs`` are direct, in declared order. ``ancestors`` are all that a stage needs, directly
    or not, nearest first; None where the needs are not sound, so that nothing more can be said."""

    stages: Mapping[str, Declared]
    needs: Mapping[str, tuple[str, ...]]
    ancestors: Mapping[str, tuple[str, ...]] | None


def build_graph(stages: list[Declared], document: Document) -> tuple[Graph, list[Problem]]:
    """Resolve the needs. Where no stage declares any, each needs the one before it; where some do,
    a stage that declares none needs nothing."""
    by_name = {stage.name: stage for stage in stages}
    needs: dict[str, tuple[str, ...]] = {}
    straight = all(stage.chained for stage in stages)
    for index, stage in enumerate(stages):
        if straight:
            needs[stage.name] = (stages[index - 1].name,) if index else ()
        else:
            needs[stage.name] = tuple(stage.section.needs or ())
    problems = list(islice(_unknown(stages, by_name, needs, document), MAX_PROBLEMS))
    known = {name: tuple(need for need in all_ if need in by_name) for name, all_ in needs.items()}
    cycles = islice(_cycles(known), MAX_PROBLEMS)
    problems += [_cycle_problem(cycle, by_name, document) for cycle in cycles]
    problems += islice(_scopes(stages, by_name, known, document), MAX_PROBLEMS)
    sound = not problems and all(
        stage.chained or stage.section.needs is not None for stage in stages
    )
    return Graph(by_name, known, None if not sound else _ancestors(known)), problems


def _at_need(document: Document, stage: Declared, need: str, *message: str) -> Problem:
    """A mistake where a stage says that it needs another: at the stage, in a straight line."""
    needs = stage.section.needs
    if needs is None:
        return document.problem(stage.path, *message, key=True)
    return document.problem((*stage.path, "needs", list(needs).index(need)), *message)


def _unknown(
    stages: list[Declared],
    by_name: Mapping[str, Declared],
    needs: Mapping[str, tuple[str, ...]],
    document: Document,
) -> Iterator[Problem]:
    for stage in stages:
        for need in needs[stage.name]:
            if need not in by_name:
                others = [name for name in by_name if name != stage.name]
                hint = nearest(need, others) or f"stages are: {', '.join(others[:20])}"
                found = f"no stage is called {shown(need)}"
                yield _at_need(document, stage, need, found, "a stage of this file", hint)


def _cycles(needs: Mapping[str, tuple[str, ...]]) -> Iterator[list[str]]:
    """Circles of needs, none sharing a stage with another, each as the names along it."""
    done: set[str] = set()
    for start in needs:
        if start in done:
            continue
        path: list[str] = [start]
        on_path = {start}
        branches = [iter(needs[start])]
        while branches:
            following = next(branches[-1], None)
            if following is None:
                branches.pop()
                on_path.discard(path[-1])
                done.add(path.pop())
            elif following in on_path:
                circle = path[path.index(following) :]
                first = circle.index(min(circle, key=list(needs).index))
                yield circle[first:] + circle[:first]
                # What hangs together with this circle needs no second report.
                done.update(path)
                break
            elif following not in done:
                path.append(following)
                on_path.add(following)
                branches.append(iter(needs[following]))


def _cycle_problem(
    circle: list[str], by_name: Mapping[str, Declared], document: Document
) -> Problem:
    first, *rest = circle
    stage = by_name[first]
    if not rest:
        found = f"{first!r} needs itself"
        return _at_need(document, stage, first, found, "another stage")
    found = "these stages need each other: " + " → ".join([*circle, first])
    hint = "take one of these needs out"
    return _at_need(document, stage, rest[0], found, "needs without a circle", hint)


def _scopes(
    stages: list[Declared],
    by_name: Mapping[str, Declared],
    needs: Mapping[str, tuple[str, ...]],
    document: Document,
) -> Iterator[Problem]:
    for stage in stages:
        for need in needs[stage.name]:
            other = by_name[need]
            if other.traits is None or stage.traits is None:
                continue
            if _WIDTH[other.scope] > _WIDTH[stage.scope]:
                found = (
                    f"{stage.name!r} works on {_phrase(stage.scope)} and cannot need {need!r}, "
                    f"which works on {_phrase(other.scope)}"
                )
                hint = "put it before that one"
                wider = [s for s in stage.traits.scopes if _WIDTH[s] >= _WIDTH[other.scope]]
                if wider:
                    hint += f", or give it scope: {min(wider, key=_WIDTH.__getitem__).value}"
                expected = "stages of its own scope, or of a narrower one"
                yield _at_need(document, stage, need, found, expected, hint)


def _phrase(scope: Scope) -> str:
    return {Scope.IMAGE: "each image", Scope.GROUP: "a group", Scope.RUN: "the whole run"}[scope]


def _ancestors(needs: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    result: dict[str, tuple[str, ...]] = {}
    for name in needs:
        level = list(needs[name])
        found = dict.fromkeys(level)
        while level:
            beyond = dict.fromkeys(need for one in level for need in needs[one])
            level = [need for need in beyond if need not in found]
            found |= dict.fromkeys(level)
        result[name] = tuple(found)
    return result
