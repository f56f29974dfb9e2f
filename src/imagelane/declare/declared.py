"""The stages of a document, each checked on its own, and what is known of their kinds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path as FilePath
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from imagelane.declare.document import Document
from imagelane.declare.mistakes import problems_of
from imagelane.declare.problems import Path, Problem, nearest, one_of, shown
from imagelane.declare.sections.stage import StageSection
from imagelane.declare.stages import CATALOGUE, StageParameters
from imagelane.model.spec import Described, Extent, StageTraits
from imagelane.model.states import Scope

MAX_STAGES = 500
RESERVED = frozenset({"source", "facts", "none", "primary"})
"""Words that stand where the name of a stage may stand."""

NAME_PATTERN = "[A-Za-z0-9][A-Za-z0-9_-]{0,63}"

_NAME = re.compile(NAME_PATTERN)
_FUNCTION = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*")
_SCOPES = (Scope.IMAGE, Scope.GROUP, Scope.RUN)

ModelT = TypeVar("ModelT", bound=BaseModel)


class Describe(Protocol):
    """Looks at a user's function, in a process of its own."""

    def __call__(
        self, uses: str, parameters: Mapping[str, Any], folder: FilePath, /
    ) -> Described | None:
        """What is known of the function; None where it shall be taken on trust for now."""


@dataclass(frozen=True, slots=True)
class Declared:
    """One stage. ``traits`` None: its kind is not known. ``whole``: nothing was wrong with it, so
    what it says can be relied upon."""

    name: str
    path: Path
    uses: str
    section: StageSection
    scope: Scope
    traits: StageTraits | None = None
    built_in: StageParameters | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    extent: Extent | None = None
    chained: bool = True
    whole: bool = True

    @property
    def parameters_path(self) -> Path:
        return (*self.path, "with")


def salvage(
    model: type[ModelT], document: Document, path: Path, value: Any
) -> tuple[ModelT | None, list[Problem]]:
    """The value as a model, and what was wrong with it. What was wrong is left out of the model, so
    that the rest can be checked on; None where that is not possible."""
    problems: list[Problem] = []
    for _ in range(3):
        try:
            return model.model_validate(value), problems
        except ValidationError as error:
            if not problems:
                problems = problems_of(error, model, document, path)
            value = _without(value, [one["loc"] for one in error.errors(include_url=False)])
    return None, problems


def _without(value: Any, wrong: list[tuple[int | str, ...]]) -> Any:
    """The value without what is wrong in it: of each location the entry of the innermost mapping
    on the way there. What is wrong with the value as a whole is left to be found again."""
    if not isinstance(value, Mapping):
        return value
    below: dict[int | str, list[tuple[int | str, ...]]] = {}
    for loc in wrong:
        if loc and loc[0] in value:
            below.setdefault(loc[0], []).append(loc[1:])
    kept: dict[Any, Any] = {}
    for key, inner in value.items():
        locs = below.get(key)
        if locs is None:
            kept[key] = inner
        elif (rest := _without(inner, locs)) != inner:
            kept[key] = rest
    return kept


def declared_stages(
    document: Document, describe: Describe | None, folder: FilePath
) -> tuple[list[Declared], list[Problem]]:
    """All stages of the document that have a name, in its order."""
    stages: list[Declared] = []
    problems: list[Problem] = []
    seen: dict[str, Path] = {}
    for item in _entries(document):
        if isinstance(item, Problem):
            problems.append(item)
            continue
        name, path, _ = item
        if problem := _wrong_name(name, path, document, seen):
            problems.append(problem)
            if name in seen:
                continue
        seen[name] = path
        stage, found = _stage(item, document, describe, folder)
        stages.append(stage)
        problems += found
        if len(stages) > MAX_STAGES:
            where = document.problem(path, "too many stages", f"at most {MAX_STAGES}", key=True)
            return [], [*problems, where]
    return stages, problems


def _entries(document: Document) -> Iterator[tuple[str, Path, Any] | Problem]:
    stages = document.at(("stages",))
    expected = "a mapping of names to stages, or a list of them"
    if isinstance(stages, Mapping) and stages:
        for name, value in stages.items():
            yield str(name), ("stages", name), value
    elif isinstance(stages, (list, tuple)) and stages:
        for index, item in enumerate(stages):
            path: Path = ("stages", index)
            if isinstance(item, str):
                yield item, path, None
            elif isinstance(item, Mapping) and len(item) == 1:
                name, value = next(iter(item.items()))
                yield str(name), (*path, name), value
            else:
                yield document.problem(
                    path,
                    f"found {shown(item)}",
                    "one stage: its name alone, or with what belongs to it below",
                    "indent what belongs to the stage deeper than its name",
                )
    elif isinstance(document.value, Mapping) and "stages" in document.value:
        yield document.problem(("stages",), f"found {shown(stages)}", expected)


def _wrong_name(
    name: str, path: Path, document: Document, seen: Mapping[str, Path]
) -> Problem | None:
    if name in seen:
        found = f"a second stage called {shown(name)}"
        hint = f"give it a name of its own and say uses: {name}" if name in CATALOGUE else ""
        return document.problem(path, found, "each name once", hint, key=True)
    if name in RESERVED:
        found = f"a stage called {name!r}, which has a meaning of its own"
        return document.problem(path, found, "another name", key=True)
    if not _NAME.fullmatch(name):
        found = f"found {shown(name)} as a stage's name"
        expected = "up to 64 letters, digits, - and _"
        return document.problem(path, found, expected, key=True)
    return None


def _stage(
    entry: tuple[str, Path, Any],
    document: Document,
    describe: Describe | None,
    folder: FilePath,
) -> tuple[Declared, list[Problem]]:
    name, path, value = entry
    value = {} if value is None else value
    section, problems = salvage(StageSection, document, path, value)
    section = section or StageSection()
    uses = section.uses or name
    said = value if isinstance(value, Mapping) else {}
    chained = said.get("needs") is None
    scope = Scope(section.scope) if section.scope else Scope.IMAGE
    stage = Declared(name, path, uses, section, scope, chained=chained, whole=not problems)
    if said.get("uses") is not None and section.uses is None:
        return stage, problems
    if ":" in uses:
        stage, found = _function(stage, document, describe, folder)
    else:
        stage, found = _built_in(stage, document)
    return _scoped(stage, document, [*problems, *found])


def _built_in(stage: Declared, document: Document) -> tuple[Declared, list[Problem]]:
    kind = CATALOGUE.get(stage.uses)
    if kind is None:
        said = stage.section.uses is not None
        path = (*stage.path, "uses") if said else stage.path
        found = f"no built-in stage is called {shown(stage.uses)}"
        expected = f"{one_of(CATALOGUE)}, or module:function of your own"
        hint = nearest(stage.uses, CATALOGUE)
        if not hint and not said:
            hint = "say what the stage does with uses: …"
        problem = document.problem(path, found, expected, hint, key=not said)
        return _with(stage, whole=False), [problem]
    given = stage.section.parameters or {}
    model, problems = salvage(kind, document, stage.parameters_path, given)
    if problems or model is None:
        return _with(stage, traits=kind.TRAITS, whole=False), problems
    return (
        _with(
            stage,
            traits=model.traits(),
            built_in=model,
            parameters=model.model_dump(mode="json"),
            extent=model.extent(),
        ),
        [],
    )


def _function(
    stage: Declared, document: Document, describe: Describe | None, folder: FilePath
) -> tuple[Declared, list[Problem]]:
    path = (*stage.path, "uses")
    found = hint = ""
    expected = "module:function, such as mymodule:sharpen"
    if not _FUNCTION.fullmatch(stage.uses):
        found = f"found {shown(stage.uses)}"
    elif describe is None:
        found = f"{shown(stage.uses)} is your own code, which cannot be looked at here"
        expected = "built-in stages only"
        hint = "imagelane plan and imagelane run look at it, in a process of its own"
    if found or describe is None:
        return _with(stage, whole=False), [document.problem(path, found, expected, hint)]
    seen = describe(stage.uses, stage.section.parameters or {}, folder)
    if seen is None:
        return _with(stage, whole=False), []
    problems = [
        document.problem((*stage.parameters_path, name), text, key=True)
        if name
        else document.problem(path, text)
        for name, text in seen.errors
    ]
    if problems:
        return _with(stage, whole=False), problems
    return (
        _with(stage, traits=seen.traits, parameters=dict(seen.parameters), extent=seen.extent),
        [],
    )


def _scoped(
    stage: Declared, document: Document, problems: list[Problem]
) -> tuple[Declared, list[Problem]]:
    """The scope as declared, or the narrowest that the stage's kind can have."""
    if stage.traits is None:
        return stage, problems
    possible = [scope for scope in _SCOPES if scope in stage.traits.scopes]
    if stage.section.scope is None:
        return _with(stage, scope=possible[0]), problems
    if stage.scope in possible:
        return stage, problems
    found = f"found {stage.scope.value!r}, but {stage.uses!r} works on {_each(possible)}"
    problem = document.problem((*stage.path, "scope"), found, one_of([s.value for s in possible]))
    return _with(stage, whole=False), [*problems, problem]


def _each(scopes: list[Scope]) -> str:
    phrases = {Scope.IMAGE: "each image", Scope.GROUP: "a group", Scope.RUN: "the whole run"}
    return one_of([phrases[scope] for scope in scopes])


def _with(stage: Declared, **changes: Any) -> Declared:
    changes["whole"] = stage.whole and changes.get("whole", True)
    return replace(stage, **changes)
