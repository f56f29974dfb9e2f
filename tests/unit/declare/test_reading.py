"""YAML into plain values: what scalars mean, where they stand, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from imagelane.declare.reading import MAX_BYTES, MAX_DEPTH, read


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("on", "on"),
        ("NO", "NO"),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("12:30:00", "12:30:00"),
        ("2026-11-23", "2026-11-23"),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-3", -3),
        ("~", None),
        ("", None),
        ("90%", "90%"),
        ('"010"', "010"),
        ("!!str 010", "010"),
        ("3:2", "3:2"),
        ("=", "="),
    ],
)
def test_scalars_follow_yaml_1_2(written: str, meant: Any) -> None:
    document = read(f"a: {written}\n", "x.yaml")
    assert document.problems == ()
    assert document.value == {"a": meant}
    assert type(document.value["a"]) is type(meant)


def test_keys_are_always_text() -> None:
    assert read("on: 1\n0: 2\ntrue: 3\n~: 4\n", "x").value == {"on": 1, "0": 2, "true": 3, "~": 4}


def test_places_of_keys_and_values() -> None:
    document = read("a:\n  - b: 1\n    c: {d: x}\n", "x.yaml")
    place = document.locate(("a", 0, "c", "d"))
    assert str(place) == "x.yaml:3:12"
    assert str(document.locate(("a", 0, "c", "d"), key=True)) == "x.yaml:3:9"
    # What is not there is where it should have been.
    assert str(document.locate(("a", 0, "c", "e"))) == "x.yaml:3:5"


def test_aliases_and_merges() -> None:
    text = (
        "base: &base {a: 1, b: [2]}\nx: *base\ny:\n  <<: *base\n  a: 3\nz: {<<: [{a: 4}, *base]}\n"
    )
    document = read(text, "x")
    assert document.problems == ()
    assert document.value["x"] == {"a": 1, "b": [2]}
    assert document.value["y"] == {"a": 3, "b": [2]}
    assert document.value["z"] == {"a": 4, "b": [2]}


def _doubling(levels: int, first: str, level: str) -> str:
    lines = [f"a0: &a0 {first}"]
    lines += [level.format(n=n, last=n - 1) for n in range(1, levels)]
    return "\n".join(lines)


BOMBS = {
    "laughs": _doubling(30, "[x]", "a{n}: &a{n} [*a{last}, *a{last}]"),
    "empty laughs": _doubling(30, "[]", "a{n}: &a{n} [*a{last}, *a{last}]"),
    "merges": _doubling(30, "{{}}", "a{n}: &a{n} {{<<: [*a{last}, *a{last}]}}").replace(
        "{{}}", "{}"
    ),
    "chain": _doubling(3000, "[x]", "a{n}: &a{n} [*a{last}]"),
    "chain of merges": _doubling(3000, "{x: 1}", "a{n}: &a{n} {{<<: *a{last}}}"),
    "brackets": "[" * 100_000,
    "braces": "{a: " * 50_000,
    "dashes": "- " * 50_000 + "a",
    "itself": "a: &a [*a]",
    "into itself": "a: &a {<<: *a}",
    "large": "#" * (MAX_BYTES + 1),
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.timeout(20)
def test_what_explodes_is_refused(name: str) -> None:
    """faults.md 29."""
    document = read(BOMBS[name], "x.yaml")
    assert document.problems
    assert len(document.problems) <= 50


def test_nesting_below_the_bound_is_read() -> None:
    deep = "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)
    assert read(deep, "x").problems == ()
    assert read(f"[{deep}]", "x").problems == ()
    assert read(f"[[{deep}]]", "x").problems != ()


@pytest.mark.parametrize(
    ("text", "place", "found"),
    [
        ("", "1:1", "the file is empty"),
        ("# nothing\n", "1:1", "the file is empty"),
        ("a: 1\nb: 2\na: 3\n", "3:1", "'a' stands here twice, first at line 1"),
        ("a:\n\tb: 1\n", "2:1", "a tab"),
        ("a: [1, 2\nb: 3\n", "2:2", "broken YAML: expected ',' or ']'"),
        ("a: {b} c\n", "1:8", "broken YAML: expected the end of the block, but found more text"),
        ("a: *b\n", "1:4", "broken YAML: found undefined alias 'b'"),
        ("a: 1\n---\nb: 2\n", "2:1", "a second document begins here"),
        ("a: !!python/name:os.system x\n", "1:4", "'x' with the tag '!!python/name:os.system'"),
        ("a: !thing [1]\n", "1:4", "the tag '!thing'"),
        ("a: .nan\n", "1:4", "'.nan' as a number"),
        ("a: 1e999\n", "1:4", "'1e999' as a number"),
        ("a: " + "9" * 5000 + "\n", "1:4", "as a number"),
        ("a: !!int x\n", "1:4", "'x' as a number"),
        ("a: !!bool yes\n", "1:4", "'yes' with the tag '!!bool'"),
        ("? [a]\n: 1\n", "1:3", "a key that is no word"),
        ("a: 1\n<<: 3\n", "2:5", "no mapping after <<"),
        ("color: #ffffff\nb: 1\n", "1:7", "#ffffff is a comment in YAML"),
        ("a: \x1b[1m\n", "1:4", "the character U+001B"),
        ("a: \ud800\n", "1:4", "the character U+D800"),
        ('a: "\\ud83d"\n', "1:4", "has a NUL or half a character in it"),
        ('a: "\\0"\n', "1:4", "has a NUL or half a character in it"),
        ('a: "\\U00110000"\n', "1:1", "no Unicode character"),
    ],
)
def test_what_cannot_be_read_is_located(text: str, place: str, found: str) -> None:
    problem = read(text, "x.yaml").problems[0]
    assert str(problem.location) == f"x.yaml:{place}"
    assert found in problem.found


def test_reading_goes_on_after_a_mistake() -> None:
    document = read("a: 1\na: 2\nb: .nan\nc: 3\n", "x")
    assert [problem.location.line for problem in document.problems if problem.location] == [2, 3]
    assert document.value == {"a": 1, "b": None, "c": 3}
