"""The JSON Schema for editors, and that it never says more than the declaration does."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from imagelane.declare.init import starter
from imagelane.declare.load import parse
from imagelane.declare.problems import DeclarationError
from imagelane.declare.reading import read
from imagelane.declare.schema import pipeline_schema
from imagelane.declare.stages import CATALOGUE

from .conftest import GALLERY, describe
from .table import TABLE

EXAMPLES = Path(__file__).parents[3] / "examples"
VALIDATOR = Draft202012Validator(pipeline_schema())


def test_it_is_a_schema_and_the_same_at_every_call() -> None:
    Draft202012Validator.check_schema(pipeline_schema())
    assert json.dumps(pipeline_schema()) == json.dumps(pipeline_schema())


def test_it_describes_every_key() -> None:
    schema = pipeline_schema()
    stage = schema["$defs"]["stage"]["anyOf"][0]
    for properties in (
        schema["properties"],
        stage["properties"],
        *(schema["$defs"][f"with-{kind}"]["properties"] for kind in CATALOGUE),
    ):
        for key, value in properties.items():
            assert value.get("description") or "$ref" in json.dumps(value), key


@pytest.mark.parametrize(
    "path", sorted(EXAMPLES.glob("*/*.yaml")), ids=lambda path: path.parent.name
)
def test_examples(path: Path) -> None:
    VALIDATOR.validate(read(path.read_text(), path.name).value)


def test_the_gallery_and_the_starter(tmp_path: Path) -> None:
    for text in (GALLERY, starter(tmp_path)):
        VALIDATOR.validate(read(text, "x").value)


UNDERLINED = [
    "misspelled",
    "missing",
    "not text",
    "no stages",
    "group",
    "unknown kind",
    "unknown kind, nearest",
    "stage name",
    "reserved name",
    "list indented wrongly",
    "stage key",
    "policy under with",
    "negative width",
    "workers",
    "timeout",
    "retry",
    "policy",
    "gate",
    "run.workers count",
    "run.workers alone",
    "run.memory",
]


@pytest.mark.parametrize("name", UNDERLINED)
def test_mistakes_that_an_editor_underlines(name: str) -> None:
    assert not VALIDATOR.is_valid(read(TABLE[name][0], "x").value)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below: list[tuple[Any, ...]] = []
    if isinstance(value, dict):
        below = [one for key in value for one in _paths(value[key], (*path, key))]
    elif isinstance(value, list):
        below = [one for key, item in enumerate(value) for one in _paths(item, (*path, key))]
    return [path, *below] if path else below


DECLARED = read(GALLERY, "x").value
SCALARS: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([0.5, 1.0, 90, 10**6, 10**19])
    | st.sampled_from(
        [
            "",
            "a",
            "all",
            "none",
            "auto",
            "90%",
            "10s",
            "1h",
            "2GB",
            "#fff",
            "3:2",
            "source",
            "first",
        ]
    )
    | st.sampled_from([*CATALOGUE, "folder", "settled", "jpeg", "png", "group", "run", "image"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["a", "with", "uses", "jpeg", "timeout"]), inner, max_size=2
        )
    ),
    max_leaves=3,
)


@settings(deadline=None)
@given(st.data())
def test_what_the_schema_refuses_the_declaration_refuses(data: st.DataObject) -> None:
    """Change one to three places of a good pipeline into anything, and ask both."""
    value = copy.deepcopy(DECLARED)
    for _ in range(data.draw(st.integers(1, 3))):
        *parents, last = data.draw(st.sampled_from(_paths(value)))
        target: Any = value
        for key in parents:
            target = target[key]
        if data.draw(st.booleans()):
            target[last] = data.draw(VALUES)
        elif isinstance(target, dict):
            target[data.draw(st.sampled_from([last, "x", "with", "gate"]))] = target.pop(last)
    # JSON is YAML.
    text = json.dumps(value)
    document = read(text, "x")
    try:
        parse(text, "x", Path("/"), describe)
    except DeclarationError:
        return
    assert VALIDATOR.is_valid(document.value), list(VALIDATOR.iter_errors(document.value))
