"""Looking at a user's function: what it reads and makes, and whether its parameters fit."""

from __future__ import annotations

import difflib
import hashlib
import inspect
import json
import traceback
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from imagelane.execute import user
from imagelane.execute.failures import one_line
from imagelane.execute.signature import Signature, SignatureError, signature_of
from imagelane.model.spec import Described, Extent, Place, Reads, StageTraits
from imagelane.model.states import Scope

_READS: Mapping[str, Reads] = {
    "picture": Reads.PICTURE,
    "source": Reads.SOURCE,
    "group": Reads.RENDITIONS,
}


def describe(uses: str, parameters: Mapping[str, Any], folder: str) -> Described:
    """What a plan must know of ``module:function``, its parameters filled in and checked.

    Never raises: what is wrong stands in ``errors``, each with its parameter or an empty name.
    """
    try:
        signature = signature_of(uses, folder)
    except SignatureError as error:
        return Described(errors=(("", str(error) + _nearest(error.name, error.near)),))
    except BaseException as error:  # noqa: BLE001 - a user's module may do anything, exit included
        return Described(errors=(("", _raised(uses, error)),))
    errors: list[tuple[str, str]] = []
    values = _parameters(signature, parameters, errors)
    told = user.told_of(signature.function)
    if told.largest is not None and told.largest < 1:
        errors.append(("", f"stage(largest={told.largest}) of {uses}: expected at least 1 pixel"))
    extent = Extent(told.largest, told.largest) if signature.reads == "picture" else None
    return Described(_traits(signature, told), values, extent, tuple(errors))


def _traits(signature: Signature, told: user.Stage) -> StageTraits:
    of_group = signature.reads == "group"
    facts = signature.fact_names if told.facts is None else frozenset(told.facts)
    return StageTraits(
        scopes=frozenset({Scope.GROUP, Scope.RUN} if of_group else {Scope.IMAGE}),
        place=Place.THREAD if told.waits else Place.PROCESS,
        pool=told.pool or ("io" if told.waits else "cpu"),
        reads=_READS[signature.reads],
        makes_picture="picture" in signature.returns,
        makes_renditions="renditions" in signature.returns,
        gathers=of_group,
        facts=facts,
        contained=told.sandbox,
        version=f"{told.version}-{_code_digest(signature.function)}",
    )


def _code_digest(function: Any) -> str:
    """Of the module's file, so that results are made anew when it has changed."""
    file = inspect.getsourcefile(inspect.unwrap(function))
    code = Path(file).read_bytes() if file and Path(file).is_file() else b""
    return hashlib.sha256(code).hexdigest()[:16]


def _parameters(
    signature: Signature, given: Mapping[str, Any], errors: list[tuple[str, str]]
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    known = tuple(signature.adapters)
    for name in given:
        if name not in signature.adapters:
            expected = f"expected {', '.join(known)}" if known else "it has no parameters"
            text = f"{signature.function.__name__} has no parameter {name!r}: {expected}"
            errors.append((name, text + _nearest(name, known)))
    for name, adapter in signature.adapters.items():
        try:
            if name in given:
                value = adapter.validate_json(json.dumps(given[name]), strict=True)
            elif name in signature.defaults:
                value = signature.defaults[name]
            else:
                errors.append(("", f"parameter {name!r} has no default: give it under 'with'"))
                continue
            values[name] = adapter.dump_python(value, mode="json", warnings=False)
        except ValidationError as error:
            errors.append((name, _mismatch(given[name], error)))
        except (TypeError, ValueError) as error:
            errors.append((name, one_line(f"cannot be written as JSON: {error}", 200)))
    return values


def _mismatch(found: Any, error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    inside = "".join(f"[{part!r}]" for part in first["loc"] if not str(part).isidentifier())
    return one_line(f"found {json.dumps(found)}{inside}: {first['msg'].lower()}", 300)


def _nearest(name: str, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(names), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _raised(uses: str, error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    if isinstance(error, SyntaxError) and error.filename:
        where = f" at {error.filename}:{error.lineno}"
    else:
        where = f" at {last.filename}:{last.lineno}" if last else ""
    module = uses.partition(":")[0]
    kind = type(error).__name__
    return one_line(f"module {module!r} cannot be imported{where}: {kind}: {error}")
