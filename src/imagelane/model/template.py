"""Text with facts in it: ``© {copyright|Gazette}, {primary.captured}``.

A field is a name in braces. After a bar comes what stands there when the fact is missing; without
one, a missing fact is an error. ``{{`` and ``}}`` are the braces themselves. Blanks around a name
and around a fallback do not count. There are no expressions, no nesting and no formats.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from imagelane.model.states import Scope

BUILT_IN: Mapping[Scope, frozenset[str]] = {
    Scope.IMAGE: frozenset({"name", "stem", "path", "group", "ordinal"}),
    Scope.GROUP: frozenset({"group"}),
    Scope.RUN: frozenset(),
}
"""The names that every template of a scope may read, whatever stages there are.

``name`` is the file's name as shown, ``stem`` the same without its ending, ``path`` the absolute
path, ``group`` the group's name, ``ordinal`` the image's place in its group.
"""

PRIMARY = "primary."
"""Before a name: the fact of the group's primary instead of the image's own."""

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


class TemplateError(ValueError):
    """The text is not a template. ``column`` is the place in it, from 1."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.column = column


class MissingFactError(LookupError):
    """A template reads a fact that is not there and has no fallback; ``name`` says which."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"there is no fact {name!r}: give the text a fallback, as in {{{name}|unknown}}"
        )
        self.name = name


@dataclass(frozen=True, slots=True)
class Field:
    """One name in braces; ``fallback`` None means that the fact must be there."""

    name: str
    fallback: str | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed text. ``parts`` are literal texts and fields, in order."""

    parts: tuple[str | Field, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The facts that it reads, each once, in the order in which they first appear."""
        return tuple(dict.fromkeys(part.name for part in self.parts if isinstance(part, Field)))

    def render(self, lookup: Callable[[str], object | None]) -> str:
        """The text with every field replaced by what ``lookup`` gives for its name.

        None, blank text and an empty list are missing: a watermark that says "©" and no name is
        never what was meant. Lists are joined by ", ", booleans written as in JSON.

        Raises:
            MissingFactError: a fact is missing and its field has no fallback.
        """
        return "".join(
            part if isinstance(part, str) else _fill(part, lookup(part.name)) for part in self.parts
        )


def parse(text: str) -> Template:
    """Read a template.

    Raises:
        TemplateError: a brace stands alone, or a field has no name.
    """
    parts: list[str | Field] = []
    literal = ""
    end = 0
    for token in _TOKEN.finditer(text):
        literal += text[end : token.start()]
        end = token.end()
        match token.group():
            case "{{" | "}}":
                literal += token.group()[0]
            case "{" | "}":
                brace = token.group()
                raise TemplateError(
                    f"a {brace!r} stands alone: write {brace * 2!r} for the brace itself",
                    token.start() + 1,
                )
            case _:
                if literal:
                    parts.append(literal)
                    literal = ""
                parts.append(_field(token.group(1), token.start() + 1))
    literal += text[end:]
    if literal:
        parts.append(literal)
    return Template(tuple(parts))


def _field(inside: str, column: int) -> Field:
    name, bar, fallback = inside.partition("|")
    if not name.strip():
        raise TemplateError("a field has no name: write {name} or {name|fallback}", column)
    return Field(name.strip(), fallback.strip() if bar else None)


def _fill(field: Field, value: object | None) -> str:
    text = _written(value)
    if text.strip():
        return text
    if field.fallback is None:
        raise MissingFactError(field.name)
    return field.fallback


def _written(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case list() | tuple():
            return ", ".join(text for one in value if (text := _written(one)).strip())
        case Mapping():
            return json.dumps(value, ensure_ascii=False, sort_keys=True) if value else ""
        case _:
            return str(value)
