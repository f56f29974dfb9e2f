"""What pydantic finds wrong, as located problems in our own words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from imagelane.declare.document import Document
from imagelane.declare.problems import MAX_PROBLEMS, Path, Problem, nearest, one_of, shown

_QUOTED = re.compile(r"'([^']*)'")

_EXPECTED: Mapping[str, str] = {
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "finite_number": "a number",
    "float_type": "a number",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "int_type": "a whole number",
    "is_instance_of": "a list",
    "less_than": "less than {lt:g}",
    "less_than_equal": "at most {le:,.15g}",
    "list_type": "a list",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "sequence_str": "a list",
    "string_too_long": "at most {max_length} characters",
    "string_too_short": "text",
    "string_type": "text",
    "too_long": "at most {max_length} of them",
    "too_short": "at least {min_length} of them",
}


def problems_of(
    error: ValidationError, model: type[BaseModel], document: Document, base: Path = ()
) -> list[Problem]:
    """The mistakes that were found while the value at ``base`` of a document was validated."""
    errors = error.errors(include_url=False)[:MAX_PROBLEMS]
    problems = [_problem(one, model, document, base) for one in errors]
    # A key that is missing because it is misspelled is one mistake, not two.
    hints = {(problem.path[:-1], problem.hint) for problem in problems if problem.hint}
    return [
        problem
        for one, problem in zip(errors, problems, strict=True)
        if one["type"] != "missing"
        or (problem.path, nearest(str(one["loc"][-1]), [str(one["loc"][-1])])) not in hints
    ]


def _problem(
    error: ErrorDetails, model: type[BaseModel], document: Document, base: Path
) -> Problem:
    path, beyond = _follow(document, base, error["loc"])
    facts = error.get("ctx", {})
    match error["type"]:
        case "extra_forbidden":
            known = keys_at(model, error["loc"][:-1])
            key = str(error["loc"][-1])
            found = f"unknown key {shown(key)}"
            return document.problem(path, found, one_of(known), nearest(key, known), key=True)
        case "missing":
            found = f"the key {beyond!r} is missing"
            return document.problem(path, found, key=True)
        case "mistake":
            path = (*path, facts["at"]) if facts["at"] else path
            found = facts["found"] or f"found {shown(document.at(path))}"
            return document.problem(path, found, facts["expected"], facts["hint"])
        case "literal_error":
            words = _words(facts["expected"])
            value = document.at(path)
            hint = nearest(value, words) if isinstance(value, str) else ""
            return document.problem(path, f"found {shown(value)}", one_of(words), hint)
    value = document.at(path)
    phrase = _EXPECTED.get(error["type"])
    expected = phrase.format_map(facts) if phrase else error["msg"]
    hint = ""
    if error["type"] == "string_type":
        hint = _how_to_write_text(value, path)
    return document.problem(path, f"found {shown(value)}", expected, hint)


def _how_to_write_text(value: Any, path: Path) -> str:
    key = str(path[-1]) if path else ""
    if isinstance(value, Mapping):
        return f'braces need quotes in YAML: {key}: "{{fact}}"'
    if isinstance(value, (bool, int, float)):
        return f'in quotes it is text: {key}: "{shown(value)}"'
    return ""


def _follow(document: Document, base: Path, loc: tuple[int | str, ...]) -> tuple[Path, str]:
    """How far a validator's location exists in the document, and the first part that does not.

    Short forms (``retry: 5`` for ``retry: {attempts: 5}``) are widened before they are validated,
    so a location can be longer than what was written.
    """
    path = base
    value = document.at(base)
    for part in loc:
        if isinstance(value, (list, tuple)):
            inside = isinstance(part, int) and part < len(value)
        else:
            inside = isinstance(value, Mapping) and part in value
        if not inside:
            return path, str(part)
        value = value[part]
        path = (*path, part)
    return path, ""


def keys_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The keys that a mapping at this location of a model may have."""
    for part in loc:
        for name, field in model.model_fields.items():
            if part in {name, field.alias}:
                model = _model_in(field.annotation) or model
                break
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        if found := _model_in(argument):
            return found
    return None


def _words(expected: str) -> list[str]:
    return _QUOTED.findall(expected) or [expected]
