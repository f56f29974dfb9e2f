"""The template language: what is read, what is written, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelane.model.template import Field, MissingFactError, TemplateError, parse

FACTS: dict[str, Any] = {
    "copyright": "Ada",
    "primary.icc": "Display P3",
    "keywords": ["sea", "", "ship"],
    "ordinal": 3,
    "gps": False,
    "blank": "  ",
    "nothing": None,
    "none": [],
    "size": {"w": 2, "h": 1},
}


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("", ""),
        ("plain", "plain"),
        ("© {copyright}", "© Ada"),
        ("{ copyright }", "Ada"),
        ("{copyright|© Gazette}", "Ada"),
        ("{nothing|© Gazette}", "© Gazette"),
        ("{absent | © Gazette }", "© Gazette"),
        ("{blank|b}{none|n}", "bn"),
        ("a{absent|}b", "ab"),
        ("{absent|x|y}", "x|y"),
        ("{primary.icc}", "Display P3"),
        ("{keywords}", "sea, ship"),
        ("{ordinal}/{gps}", "3/false"),
        ("{size}", '{"h": 1, "w": 2}'),
        ("{{copyright}}", "{copyright}"),
        ("{{{copyright}}}", "{Ada}"),
        ("awk '{{print $1}}'", "awk '{print $1}'"),
    ],
)
def test_rendering(text: str, rendered: str) -> None:
    assert parse(text).render(FACTS.get) == rendered


@pytest.mark.parametrize("name", ["absent", "nothing", "blank", "none", "primary.captured"])
def test_a_missing_fact_without_fallback_is_named(name: str) -> None:
    with pytest.raises(MissingFactError) as caught:
        parse(f"by {{{name}}}").render(FACTS.get)
    assert caught.value.name == name
    assert f"{{{name}|unknown}}" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "column"), [("a {b", 3), ("a} b", 2), ("{a{b}}", 1), ("{}", 1), ("x{ |y}", 2)]
)
def test_what_is_no_template_is_refused_at_its_column(text: str, column: int) -> None:
    with pytest.raises(TemplateError) as caught:
        parse(text)
    assert caught.value.column == column


def test_names_are_listed_once_in_order() -> None:
    template = parse("{b} {a|x} {{c}} {b|y}")
    assert template.names == ("b", "a")
    assert template.parts[0] == Field("b")


@given(st.text())
def test_escaped_text_renders_as_itself(text: str) -> None:
    escaped = text.replace("{", "{{").replace("}", "}}")
    assert parse(escaped).render(lambda _: None) == text


@given(st.text(alphabet="ab{}| ", max_size=20))
def test_any_text_is_a_template_or_a_template_error(text: str) -> None:
    try:
        template = parse(text)
    except TemplateError:
        return
    template.render(lambda name: name)
