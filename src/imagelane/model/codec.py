"""Frozen dataclasses as JSON values and back, by their type annotations.

For what is kept with a run (its declaration) and what crosses to another process. Events have
their own, faster codec in `model.events`.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Literal, NewType, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


def to_json(value: Any) -> Any:
    """Dataclasses, enums, tuples, sets and mappings as dict, list and scalars. Sets are sorted."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(to_json(item) for item in value)
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    return value


def from_json(kind: type[T], data: Any) -> T:
    """The inverse of `to_json`. Fields that the data lacks take their defaults.

    Raises:
        ValueError: the data does not have the shape of the type.
    """
    try:
        return cast("T", _value(kind, data))
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"no {kind.__name__}: {error}") from error


def _value(kind: Any, data: Any) -> Any:  # noqa: PLR0911 - one return a kind of type
    if isinstance(kind, NewType):
        kind = kind.__supertype__
    origin = get_origin(kind)
    if kind is Any or origin is Literal:
        return data
    if origin in {Union, types.UnionType}:
        return _one_of(get_args(kind), data)
    if origin is tuple:
        items = get_args(kind)
        if len(items) == 2 and items[1] is Ellipsis:
            return tuple(_value(items[0], item) for item in _list(data))
        return tuple(_value(item, one) for item, one in zip(items, _list(data), strict=True))
    if origin is frozenset:
        return frozenset(_value(get_args(kind)[0], item) for item in _list(data))
    if origin is not None and issubclass(origin, Mapping):
        _, item_kind = get_args(kind)
        return {key: _value(item_kind, item) for key, item in data.items()}
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        return kind(**{name: _value(hints[name], item) for name, item in data.items()})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(data)
    return kind(data) if kind is float else data


def _list(data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise TypeError(f"found {type(data).__name__}, expected a list")
    return data


def _one_of(kinds: tuple[Any, ...], data: Any) -> Any:  # noqa: PLR0911 - the same
    """The member of a union that JSON data of this shape can only mean."""
    if data is None:
        return None
    for kind in kinds:
        origin = get_origin(kind)
        if isinstance(data, list) and origin in {tuple, frozenset}:
            return _value(kind, data)
        if isinstance(data, dict) and is_dataclass(kind):
            return _value(kind, data)
        if isinstance(data, str) and (kind is str or origin is Literal):
            return data
        if isinstance(kind, NewType) and isinstance(data, str):
            return data
        if isinstance(data, int | float) and kind in {float, int}:
            return kind(data)
        if isinstance(kind, type) and issubclass(kind, Enum):
            return kind(data)
        if isinstance(data, dict) and origin is not None and issubclass(origin, Mapping):
            return _value(kind, data)
    raise TypeError(f"found {type(data).__name__}, which none of {kinds} is")
