"""A user's function as its types describe it."""

from __future__ import annotations

import collections.abc
import importlib
import inspect
import json
import sys
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import PydanticSchemaGenerationError, PydanticUserError, TypeAdapter

from imagelane.execute import user

_SEVERAL = (list, tuple, set, collections.abc.Iterable, collections.abc.Sequence)
_FIRST: Mapping[type, str] = {
    user.Picture: "picture",
    user.Source: "source",
    user.Group: "group",
}
_RETURNS = "Picture, Rendition, list[Rendition], dict, Verdict or None"
Kind: TypeAlias = typing.Literal["picture", "renditions", "facts", "verdict", "nothing"]

_KINDS: Mapping[Any, Kind] = {
    user.Picture: "picture",
    user.Rendition: "renditions",
    user.Verdict: "verdict",
    dict: "facts",
    collections.abc.Mapping: "facts",
    None: "nothing",
    type(None): "nothing",
}


class SignatureError(Exception):
    """A function cannot be a stage. ``near`` are the names among which the right one may be."""

    def __init__(self, message: str, name: str = "", near: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.name = name
        self.near = near


@dataclass(frozen=True, slots=True)
class Signature:
    """``reads`` is picture, source or group; ``adapters`` know the keyword parameters' types."""

    function: Any
    reads: str
    returns: frozenset[Kind]
    fact_names: frozenset[str]
    adapters: Mapping[str, TypeAdapter[Any]] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)

    def typed(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """JSON values as the types that the function asks for."""
        return {
            name: self.adapters[name].validate_json(json.dumps(value), strict=True)
            for name, value in parameters.items()
        }


@lru_cache(maxsize=64)
def signature_of(uses: str, folder: str) -> Signature:
    """Import ``module:function``, the pipeline's folder first, and read its types.

    Raises:
        SignatureError: it is not there, or not what a stage is.
        Exception: whatever the module's own code raises.
    """
    module_name, _, name = uses.partition(":")
    module = _module(module_name, folder)
    function = getattr(module, name, None)
    if function is None:
        near = tuple(sorted(key for key in vars(module) if not key.startswith("_")))
        raise SignatureError(f"{module_name} has no function {name!r}", name, near)
    return _read(function, uses)


def _module(name: str, folder: str) -> types.ModuleType:
    if folder not in sys.path:
        sys.path.insert(0, folder)
        importlib.invalidate_caches()
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
            near = tuple(sorted(path.stem for path in Path(folder).glob("*.py")))
            raise SignatureError(
                f"there is no module {name!r} in {folder} or among the installed packages",
                name,
                near,
            ) from None
        raise
    own = Path(folder, *name.split("."))
    found = getattr(module, "__file__", None)
    for candidate in (own.with_suffix(".py"), own / "__init__.py"):
        if candidate.is_file() and (found is None or not candidate.samefile(found)):
            raise SignatureError(
                f"{candidate.name} is hidden by another module called {name!r}: rename it"
            )
    return module


def _read(function: Any, uses: str) -> Signature:
    if not callable(function) or isinstance(function, type):
        raise SignatureError(f"{uses} is no function")
    if inspect.iscoroutinefunction(function):
        raise SignatureError(
            f"{uses} is async: write a plain function, and decorate it with stage(waits=True)"
        )
    hints = _hints(function, uses)
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters:
        raise SignatureError(f"{uses} takes nothing: its first parameter must be {_expected()}")
    first, *others = parameters
    reads = _FIRST.get(hints.get(first.name, object))
    if reads is None:
        raise SignatureError(
            f"the first parameter of {uses}, {first.name!r}, must be annotated with {_expected()}"
        )
    if "return" not in hints:
        raise SignatureError(f"{uses} does not say what it returns: expected -> {_RETURNS}")
    names: set[str] = set()
    returns = frozenset(_kinds(hints["return"], uses, names))
    adapters = {one.name: _adapter(one, hints, uses) for one in others}
    defaults = {one.name: one.default for one in others if one.default is not one.empty}
    return Signature(function, reads, returns, frozenset(names), adapters, defaults)


def _expected() -> str:
    return " or ".join(kind.__name__ for kind in _FIRST)


def _hints(function: Any, uses: str) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except (NameError, TypeError, AttributeError, SyntaxError) as error:
        raise SignatureError(f"the annotations of {uses} cannot be read: {error}") from error


def _adapter(one: inspect.Parameter, hints: Mapping[str, Any], uses: str) -> TypeAdapter[Any]:
    if one.kind in {one.VAR_POSITIONAL, one.VAR_KEYWORD}:
        raise SignatureError(
            f"{uses} takes {one}: name its parameters, so that they can be checked"
        )
    if one.kind is one.POSITIONAL_ONLY:
        raise SignatureError(f"parameter {one.name!r} of {uses} cannot be given by name")
    if one.name not in hints:
        raise SignatureError(f"parameter {one.name!r} of {uses} has no type: annotate it")
    try:
        return TypeAdapter(hints[one.name])
    except (PydanticSchemaGenerationError, PydanticUserError) as error:
        raise SignatureError(
            f"parameter {one.name!r} of {uses} has a type that a pipeline file cannot express: "
            "use str, int, float, bool, a Literal, an Enum, or lists and dicts of these"
        ) from error


def _kinds(returned: Any, uses: str, names: set[str]) -> Iterator[Kind]:
    """What a return annotation stands for; adds to ``names`` the facts that it declares."""
    origin, arguments = typing.get_origin(returned), typing.get_args(returned)
    kind = _KINDS.get(origin or returned)
    if origin is typing.Annotated:
        yield from _kinds(arguments[0], uses, names)
    elif origin in {typing.Union, types.UnionType} or (origin in _SEVERAL and arguments):
        for one in arguments:
            if one is not Ellipsis:
                yield from _kinds(one, uses, names)
    elif typing.is_typeddict(returned):
        names.update(returned.__annotations__)
        yield "facts"
    elif kind is not None:
        names.update("*" if kind == "facts" else ())
        yield kind
    else:
        shown = getattr(returned, "__name__", returned)
        raise SignatureError(f"{uses} returns {shown}: expected {_RETURNS}")
