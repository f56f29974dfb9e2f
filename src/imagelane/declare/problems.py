"""What is wrong with a declaration, said so that a person can put it right."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imagelane.model.spec import Location

Path = tuple[str | int, ...]
"""Where a value stands in a declaration: keys and list indices, from the top."""

MAX_PROBLEMS = 50
"""Of one kind: whoever has more of them will read these first."""

_SHOWN = 60
_EXCERPT = 110


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake.

    ``found`` is one line; ``expected`` and ``hint`` (the nearest right word, the next step) may be
    empty. ``path`` says where in the declaration, ``location`` where in the file, ``line`` is that
    line's text.
    """

    found: str
    expected: str = ""
    hint: str = ""
    path: Path = ()
    location: Location | None = None
    line: str = ""

    @property
    def where(self) -> str:
        """The path as people write it: ``stages.thumbnails.with.widths[1]``."""
        return dotted(self.path)

    def __str__(self) -> str:
        head = f"{self.location}: " if self.location else ""
        head += f"{self.where}: " if self.path else ""
        lines = [head + self.found]
        if self.location and self.line.strip():
            lines += _excerpt(self.line, self.location)
        if self.expected:
            lines.append(f"  expected {self.expected}")
        if self.hint:
            lines.append(f"  {self.hint}")
        return "\n".join(lines)


class DeclarationError(Exception):
    """A pipeline cannot be used as it is declared. ``problems`` holds every mistake that was found,
    in the order of the file; the text of the error says them, up to 50."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(dict.fromkeys(problems), key=_place))
        files = sorted({p.location.file for p in self.problems if p.location})
        count = len(self.problems)
        title = f"{count} mistake{'s' * (count != 1)} in {', '.join(files) or 'the pipeline'}"
        # What concerns a file as a whole needs no title above it.
        titles = [title] if files or count > 1 else []
        said = [str(problem) for problem in self.problems[:MAX_PROBLEMS]]
        more = [f"… and {count - len(said)} more"] if count > len(said) else []
        super().__init__("\n\n".join([*titles, *said, *more]))


def _place(problem: Problem) -> tuple[bool, int, int]:
    at = problem.location
    return (at is None, at.line if at else 0, at.column if at else 0)


def dotted(path: Path) -> str:
    """``("stages", "a", "widths", 1)`` as ``stages.a.widths[1]``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return printable(text)


def shown(value: Any) -> str:
    """A value as a message names it: short, and without anything that a terminal would obey."""
    match value:
        case str():
            text = printable(value[: _SHOWN + 1])
            text = repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")
        case Mapping():
            text = "a mapping" if value else "an empty mapping"
        case Sequence():
            text = "a list" if value else "an empty list"
        case None | True | False:
            text = {None: "nothing", True: "true", False: "false"}[value]
        case int() if abs(value) >= 10**20:
            text = "a number of more than 20 digits"
        case _:
            text = printable(str(value))[:_SHOWN]
    return text


def printable(text: str) -> str:
    """The text on one line, with control and direction-changing characters replaced."""
    return "".join("\ufffd" if unicodedata.category(c) in _UNSEEN else c for c in text)


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def nearest(word: str, words: Iterable[str]) -> str:
    """The question ``did you mean 'widths'?``, or an empty text where no word comes close."""
    by_folded = {known.casefold(): known for known in words}
    close = difflib.get_close_matches(word.casefold()[:_EXCERPT], by_folded, n=1, cutoff=0.6)
    return f"did you mean {by_folded[close[0]]!r}?" if close else ""


def one_of(words: Iterable[str]) -> str:
    """``a, b or c``."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def _excerpt(line: str, location: Location) -> list[str]:
    number = str(location.line)
    start = max(0, location.column - _EXCERPT // 2) if len(line) > _EXCERPT else 0
    text = printable(line[start : start + _EXCERPT].replace("\t", " ")).rstrip()
    # Wide characters take two columns of a terminal, combining ones none.
    before = text[: max(0, location.column - 1 - start)]
    indent = sum(_columns(character) for character in before)
    margin = " " * len(number)
    return [f"  {number} | {text}", f"  {margin} | {' ' * indent}^"]


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
