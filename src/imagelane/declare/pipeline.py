"""The Python front: the same pipeline as in a file, as typed objects.

Both fronts make one `Document`, which is checked in one place; so they take the same words, find
the same mistakes and give the same pipeline.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path as FilePath
from typing import Any, Literal

from imagelane.declare.callsite import caller, line_of
from imagelane.declare.check import check, check_document
from imagelane.declare.declared import Describe
from imagelane.declare.document import Document
from imagelane.declare.load import read_file
from imagelane.declare.problems import Path, Problem, shown
from imagelane.declare.stages import StageParameters
from imagelane.model.policy import BreakerPolicy, GatePolicy, RetryPolicy, Tolerance
from imagelane.model.spec import Described, Location, PipelineSpec


@dataclass(frozen=True)
class _Placed:
    """Knows the line of the user's code that made it."""

    at: Location | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", caller())


@dataclass(frozen=True)
class Images(_Placed):
    """Where the images come from, which of them belong together, and in which order.

    ``origin`` is a folder, a glob or a manifest (.csv, .jsonl), relative to the pipeline's folder.
    ``group`` is ``"folder"``, ``"none"``, ``{"pattern": …}`` or ``{"column": …}``; ``primary`` is
    ``"first"``, ``{"pattern": …}`` or ``{"column": …, "value": …}``.
    """

    origin: str | os.PathLike[str]
    group: str | Mapping[str, str] = "folder"
    order: Literal["name", "captured", "manifest"] = "name"
    primary: str | Mapping[str, str] | None = None
    path_column: str = "path"


@dataclass(frozen=True)
class Stage(_Placed):
    """One stage: what it does, what it needs, and what happens when it fails.

    ``uses`` is a built-in stage with its parameters (``Http(url=…)``) or a function of one's own,
    itself or as ``"module:function"``; then ``parameters`` are its keyword arguments. The rest is
    as in a pipeline file; times are seconds or text such as ``"10s"``.
    """

    name: str
    uses: StageParameters | str | Callable[..., Any]
    needs: Sequence[str] | str | None = field(default=None, kw_only=True)
    takes: str | None = field(default=None, kw_only=True)
    parameters: Mapping[str, Any] | None = field(default=None, kw_only=True)
    scope: Literal["image", "group", "run"] | None = field(default=None, kw_only=True)
    workers: int | None = field(default=None, kw_only=True)
    pool: str | None = field(default=None, kw_only=True)
    timeout: float | str | None = field(default=None, kw_only=True)
    retry: int | RetryPolicy | Mapping[str, Any] | None = field(default=None, kw_only=True)
    breaker: int | BreakerPolicy | Mapping[str, Any] | None = field(default=None, kw_only=True)
    on_failure: (
        Literal["skip", "partial", "abort", "halt"] | Mapping[Literal["abort"], str] | None
    ) = field(default=None, kw_only=True)
    gate: str | float | Sequence[str] | GatePolicy | Mapping[str, Any] | None = field(
        default=None, kw_only=True
    )
    sandbox: Literal["on", "off"] | None = field(default=None, kw_only=True)
    reuse: bool | None = field(default=None, kw_only=True)


@dataclass(frozen=True)
class Run(_Placed):
    """How to execute: what changes speed and memory and never the bytes that come out.

    ``workers`` is the number of worker processes, or how many of each stage may run at once.
    ``memory`` is in bytes, or text such as ``"2GB"``. What is None is left to the machine.
    """

    model: Literal["sequential", "parallel", "hybrid"] | None = None
    batch_size: int | None = None
    parallel_batches: int | None = None
    workers: int | Mapping[str, int] | None = None
    pools: Mapping[str, int] | None = None
    parallel: Sequence[str] | Mapping[str, int] | None = None
    max_in_flight: int | None = None
    memory: int | str | None = None
    fuse: bool | None = None
    sandbox: Literal["auto", "require", "off"] | None = None


class Pipeline:
    """A declared pipeline, checked.

    ``stages`` are `Stage` objects or bare built-in stages, which are called by their kind. Where
    none has ``needs`` they are a straight line. ``folder`` is where relative paths are meant from:
    the current one, where nothing is said. ``tolerance`` is the share of images that may be lost
    (``"5%"``, or by ``run`` and ``group``), ``alerts`` a list such as ``[{"log": "alerts.log"}]``.

    Raises:
        DeclarationError: with every mistake in it. Functions of one's own are looked at later, by
            `spec`.
    """

    def __init__(
        self,
        name: str,
        *,
        images: Images,
        stages: Sequence[Stage | StageParameters],
        run: Run | None = None,
        folder: str | os.PathLike[str] | None = None,
        workspace: str | os.PathLike[str] | None = None,
        tolerance: float | str | Tolerance | Mapping[str, float | str] | None = None,
        alerts: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        document = _document(name, images, stages, run, workspace)
        document.value.update(_plain(_declared(tolerance=tolerance, alerts=alerts)))
        self._adopt(document, FilePath(folder or FilePath.cwd()).absolute(), None)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> Pipeline:
        """The pipeline in a YAML file.

        Raises:
            DeclarationError: the file cannot be read, or has mistakes in it: all of them.
        """
        file = FilePath(path)
        pipeline = cls.__new__(cls)
        pipeline._adopt(read_file(file), file.absolute().parent, str(path))  # noqa: SLF001 (its own)
        return pipeline

    def _adopt(self, document: Document, folder: FilePath, file: str | None) -> None:
        self._document = document
        self._file = file
        self.folder = folder
        section, _ = check_document(document, folder, _on_trust)
        self.name = section.pipeline

    def spec(self, describe: Describe | None = None) -> PipelineSpec:
        """The pipeline as plans are made of it. ``describe`` looks at users' own functions.

        Raises:
            DeclarationError: a function is not what the pipeline takes it for; or there is one, and
                nothing that could look at it.
        """
        return check(self._document, self.folder, self._file, describe)

    def __repr__(self) -> str:
        return f"<Pipeline {self.name!r} of {self._file or self.folder}>"


def _on_trust(_uses: str, _parameters: Mapping[str, Any], _folder: FilePath) -> Described | None:
    return None


def _document(
    name: str,
    images: Images,
    stages: Sequence[Stage | StageParameters],
    run: Run | None,
    workspace: str | os.PathLike[str] | None,
) -> Document:
    """The objects as the values that a file would have had, with the places they were made at."""
    here = caller()
    places: dict[Path, Location | None] = {(): here, ("images",): images.at}
    wrong: list[Problem] = []
    listed: list[Any] = []
    for index, one in enumerate(stages):
        stage = Stage(one.KIND, one) if isinstance(one, StageParameters) else one
        path: Path = ("stages", index)
        places[path] = stage.at
        try:
            uses, parameters = _uses(stage)
        except _UnreachableError as error:
            line = line_of(stage.at) if stage.at else ""
            wrong.append(Problem(str(error), error.expected, "", path, stage.at, line))
            continue
        body = {key: value for key, value in _said(stage).items() if key not in _NOT_POLICY}
        listed.append(
            {stage.name: {**uses, **body, **({"with": parameters} if parameters else {})}}
        )
    value: dict[str, Any] = {"pipeline": name, "images": _images(images), "stages": listed}
    if run is not None:
        places["run",] = run.at
        value["run"] = _said(run)
    if workspace is not None:
        value["workspace"] = os.fspath(workspace)
    known = {path: place for path, place in places.items() if place is not None}
    return Document(value, known, {}, line_of, tuple(wrong))


_NOT_POLICY = frozenset({"name", "uses", "parameters"})


class _UnreachableError(Exception):
    """A function that a worker process could not import."""

    def __init__(self, found: str, expected: str) -> None:
        super().__init__(found)
        self.expected = expected


def _uses(stage: Stage) -> tuple[dict[str, Any], Mapping[str, Any]]:
    given = stage.parameters or {}
    match stage.uses:
        case StageParameters() as built_in:
            if given:
                found = f"parameters beside {built_in.KIND!r}, which has its own"
                raise _UnreachableError(found, f"{type(built_in).__name__}(…) with all of them")
            said = built_in.model_dump(mode="json", exclude_unset=True)
            return {"uses": built_in.KIND}, said
        case str() as text:
            return {"uses": text}, given
        case function:
            module = getattr(function, "__module__", "")
            name = getattr(function, "__qualname__", "")
            if not name.isidentifier() or module in {"", "__main__"}:
                found = f"{shown(f'{module}:{name}')} cannot be imported by a worker"
                raise _UnreachableError(found, "a function at the top of a module of its own")
            return {"uses": f"{module}:{name}"}, given


def _declared(**said: Any) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value not in (None, ())}


def _images(images: Images) -> dict[str, Any]:
    said = _said(images)
    return {"from": os.fspath(said.pop("origin")), **said}


def _said(declared: Any) -> dict[str, Any]:
    """The fields that are not None, as plain values."""
    return {
        one.name: _plain(value)
        for one in fields(declared)
        if one.name != "at" and (value := getattr(declared, one.name)) is not None
    }


def _plain(value: Any) -> Any:
    match value:
        case RetryPolicy() | GatePolicy() | BreakerPolicy() | Tolerance():
            return {
                one.name: _plain(field_value)
                for one in fields(value)
                if (field_value := getattr(value, one.name)) is not None
            }
        case frozenset():
            return sorted(str(one) for one in value)
        case Mapping():
            return {key: _plain(one) for key, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
        case _:
            return value
