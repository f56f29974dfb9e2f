"""A debugger in a user's own stage: it stops where the function begins."""

from __future__ import annotations

import ast
import pdb  # noqa: T100 - to be stopped in is what is asked for
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TypeVar, cast

from imagelane.control import ControlError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a function's code begins, decorators included."""

    file: Path
    line: int
    function: str


def place_of(uses: str, folder: Path) -> Place:
    """Where the code of ``module:function`` stands, found without importing it.

    Raises:
        ControlError: it is no function of the pipeline's own folder.
    """
    module, _, function = uses.partition(":")
    if not function:
        raise ControlError(
            f"{uses} is a built-in stage: expected one of your own functions for --debug"
        )
    own = folder.joinpath(*module.split("."))
    for file in (own.with_suffix(".py"), own / "__init__.py"):
        if file.is_file():
            line = _line(file, function)
            if line is not None:
                return Place(file, line, function)
            raise ControlError(f"{file} defines no function {function!r}: is it imported there?")
    raise ControlError(f"there is no module {module!r} in {folder}: --debug looks for it there")


def stopping_at(place: Place, call: Callable[[], T]) -> T:
    """What a call gives; the debugger takes over when it comes to a place."""
    debugger = _Debugger(nosigint=True)
    debugger.set_break(str(place.file), place.line, temporary=True, funcname=place.function)
    return cast("T", debugger.runcall(call))


class _Debugger(pdb.Pdb):
    """Goes on by itself until the breakpoint, instead of stopping in the machinery before it."""

    _began = False

    def user_line(self, frame: FrameType) -> None:
        if self._began:
            super().user_line(frame)
        else:
            self._began = True
            self.set_continue()


def _line(file: Path, function: str) -> int | None:
    for node in ast.parse(file.read_bytes()).body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return min([node.lineno, *(one.lineno for one in node.decorator_list)])
    return None
