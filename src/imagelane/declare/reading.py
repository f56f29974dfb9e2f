"""YAML text into plain values with their places. Knows nothing of pipelines.

Scalars follow YAML 1.2's core schema: only ``true`` and ``false`` are booleans, so ``on``, ``no``
and ``yes`` are words; there are no dates, no sexagesimal and no accidental octal numbers. Keys are
always text. What a hostile file could make large is bounded: bytes, depth, and the number of values
that aliases expand to.
"""

from __future__ import annotations

import re
from typing import Any

import yaml
from yaml.composer import Composer, ComposerError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from imagelane.declare.document import Document
from imagelane.declare.problems import MAX_PROBLEMS, Path, Problem, printable, shown
from imagelane.model.spec import Location

MAX_BYTES = 256 * 1024
MAX_DEPTH = 50
MAX_VALUES = 20_000
MAX_DIGITS = 20

_TAG = "tag:yaml.org,2002:"
_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_COLOUR_COMMENT = re.compile(r"[ \t]+(#[0-9a-fA-F]{3,8})\b")


_NESTED = "nested more than"
_PLAINLY = {
    "<block end>": "the end of the block",
    "'<scalar>'": "more text",
    "'<stream end>'": "the end of the file",
    "'<document start>'": "a document",
    "'<block mapping start>'": "a deeper block",
    "but got": "but found",
}


class _Resolver(BaseResolver):
    """YAML 1.2 core schema, and the merge key of 1.1, which people do use."""


for _name, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", "-+."),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
):
    _Resolver.add_implicit_resolver(_TAG + _name, re.compile(rf"^(?:{_pattern})$"), list(_first))


class _Loader(Reader, Scanner, Parser, Composer, _Resolver):
    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        _Resolver.__init__(self)
        self.depth = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        if self.depth >= MAX_DEPTH:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise ComposerError(None, None, f"{_NESTED} {MAX_DEPTH} levels", mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def read(text: str, file_name: str) -> Document:
    """Read one YAML document. What is wrong with it is among the document's ``problems``; the value
    of a text that is no YAML at all is None."""
    return _Reading(text, file_name).document()


class _Reading:
    def __init__(self, text: str, file_name: str) -> None:
        self.text = text
        self.file = file_name
        self.lines = _BREAK.split(text)
        self.values: dict[Path, Location] = {}
        self.keys: dict[Path, Location] = {}
        self.problems: list[Problem] = []
        self.count = 0
        self.open: set[int] = set()

    def document(self) -> Document:
        value = None
        try:
            node = self._compose()
            if node is not None:
                value = self._value(node, ())
        except _StopReadingError:
            value = None
        return Document(value, self.values, self.keys, self._line, tuple(self.problems))

    def _line(self, location: Location) -> str:
        index = location.line - 1
        return self.lines[index] if 0 <= index < len(self.lines) else ""

    def _say(self, at: Location, found: str, expected: str = "", hint: str = "") -> None:
        self.problems.append(Problem(found, expected, hint, (), at, self._line(at)))
        if len(self.problems) >= MAX_PROBLEMS:
            raise _StopReadingError

    def _location(self, mark: yaml.Mark) -> Location:
        return Location(self.file, mark.line + 1, mark.column + 1)

    def _compose(self) -> Node | None:
        start = Location(self.file, 1)
        size = len(self.text.encode("utf-8", "surrogatepass"))
        if size > MAX_BYTES:
            found = f"the file has {size:,} bytes"
            self._say(start, found, f"at most {MAX_BYTES:,}", "is it a pipeline file?")
            return None
        try:
            node: Node | None = _Loader(self.text).get_single_node()
        except ReaderError as error:
            self._say(*self._unreadable(error))
        except yaml.MarkedYAMLError as error:
            self._say(*self._syntax(error))
        except (ValueError, OverflowError):
            # The scanner turns \U escapes into characters without asking whether there is one.
            self._say(start, "an escape in double quotes that is no Unicode character", "\\u0041")
        else:
            if node is None:
                self._say(start, "the file is empty", "a pipeline", "imagelane init writes one")
            return node
        return None

    def _unreadable(self, error: ReaderError) -> tuple[Location, str, str, str]:
        before = _BREAK.split(self.text[: error.position])
        at = Location(self.file, len(before), len(before[-1]) + 1)
        found = f"the character U+{int(error.character):04X}"
        return at, found, "printable text", "write it as an escape in double quotes"

    def _syntax(self, error: yaml.MarkedYAMLError) -> tuple[Location, str, str, str]:
        mark = error.problem_mark or error.context_mark
        at = self._location(mark) if mark else Location(self.file, 1)
        found = printable(error.problem or "it cannot be read")
        if "another document" in found:
            return at, "a second document begins here", "one pipeline a file", ""
        if found.startswith(_NESTED):
            return at, found, "", "is it a pipeline file?"
        if "\\t" in found or self._line(at)[at.column - 1 : at.column] == "\t":
            return at, "a tab", "blanks", "YAML is indented with blanks, never with tabs"
        for word, plainly in _PLAINLY.items():
            found = found.replace(word, plainly)
        if error.context and error.context_mark:
            context, line = printable(error.context), error.context_mark.line + 1
            found = f"{found} ({context} that begins at line {line})"
        hint = "text with {braces}, a colon, a # or a leading * or & needs quotes"
        return at, f"broken YAML: {found}", "", hint

    def _value(self, node: Node, path: Path) -> Any:
        at = self._location(node.start_mark)
        self.values.setdefault(path, at)
        self._count(at)
        if id(node) in self.open:
            self._say(at, "an alias stands inside what it is an alias of", "a tree")
            return None
        if self._too_deep(at):
            return None
        self.open.add(id(node))
        try:
            match node:
                case ScalarNode():
                    return self._scalar(node, at)
                case SequenceNode() if node.tag == _TAG + "seq":
                    return [self._value(one, (*path, i)) for i, one in enumerate(node.value)]
                case MappingNode() if node.tag == _TAG + "map":
                    return self._mapping(node, path)
            self._say(at, f"the tag {_written(node.tag)}", "plain YAML", "take the tag out")
            return None
        finally:
            self.open.discard(id(node))

    def _count(self, at: Location) -> None:
        self.count += 1
        if self.count > MAX_VALUES:
            self._say(at, f"more than {MAX_VALUES:,} values, aliases counted where they are used")
            raise _StopReadingError

    def _too_deep(self, at: Location) -> bool:
        """Aliases can nest what the file itself does not."""
        too_deep = len(self.open) >= MAX_DEPTH
        if too_deep:
            self._say(at, f"more than {MAX_DEPTH} levels of nesting, aliases followed")
        return too_deep

    def _mapping(self, node: MappingNode, path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        own: dict[str, Location] = {}
        merged: list[Node] = []
        for key_node, value_node in node.value:
            at = self._location(key_node.start_mark)
            if key_node.tag == _TAG + "merge":
                merged.append(value_node)
                continue
            if not isinstance(key_node, ScalarNode) or not key_node.value:
                self._say(at, "a key that is no word", "key: value")
                continue
            key = self._text(key_node.value, at)
            if key in own:
                first = own[key].line
                self._say(at, f"{shown(key)} stands here twice, first at line {first}", "it once")
                continue
            own[key] = self.keys[*path, key] = at
            result[key] = self._value(value_node, (*path, key))
        for source in merged:
            self._merge(source, path, result)
        return result

    def _merge(self, node: Node, path: Path, result: dict[str, Any]) -> None:
        sources = node.value if isinstance(node, SequenceNode) else [node]
        for source in sources:
            if not isinstance(source, MappingNode):
                self._say(
                    self._location(source.start_mark), "no mapping after <<", "an alias of one"
                )
                continue
            if id(source) in self.open:
                self._say(self._location(source.start_mark), "a mapping merged into itself")
                continue
            if self._too_deep(self._location(source.start_mark)):
                continue
            self._count(self._location(source.start_mark))
            absent = MappingNode(
                source.tag,
                [pair for pair in source.value if not _is_key_of(pair[0], result)],
                source.start_mark,
            )
            self.open.add(id(source))
            result.update(self._mapping(absent, path))
            self.open.discard(id(source))

    def _scalar(self, node: ScalarNode, at: Location) -> Any:
        text = node.value
        match node.tag.removeprefix(_TAG):
            case "str" | "merge":
                return self._text(text, at)
            case "null":
                self._warn_of_comment(node, at)
                return None
            case "bool" if text.lower() in {"true", "false"}:
                return text.lower() == "true"
            case "int" | "float" as kind:
                return self._number(text, kind, at)
        self._say(at, f"{shown(text)} with the tag {_written(node.tag)}", "a plain value")
        return None

    def _text(self, text: str, at: Location) -> str:
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            self._say(at, f"{shown(text)} has a NUL or half a character in it", "text")
            return ""
        return text

    def _number(self, text: str, kind: str, at: Location) -> int | float | None:
        try:
            if kind == "float":
                number = float(text)
                if abs(number) < float("inf"):
                    return number
            elif len(text) <= MAX_DIGITS:
                return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
        except ValueError:
            pass
        self._say(at, f"{shown(text)} as a number", f"a finite one of at most {MAX_DIGITS} digits")
        return None

    def _warn_of_comment(self, node: ScalarNode, at: Location) -> None:
        """``color: #ffffff`` says nothing at all: what follows a blank and a # is a comment."""
        if node.value or node.style is not None:
            return
        rest = self.lines[at.line - 1][at.column - 1 :]
        if comment := _COLOUR_COMMENT.match(rest):
            colour = comment.group(1)
            self._say(at, f"{colour} is a comment in YAML", f'"{colour}", in quotes')


def _written(tag: str) -> str:
    return shown(tag.replace(_TAG, "!!"))


def _is_key_of(key: Node, mapping: dict[str, Any]) -> bool:
    return isinstance(key, ScalarNode) and key.value in mapping


class _StopReadingError(Exception):
    """Reading stops: the problem is noted."""
