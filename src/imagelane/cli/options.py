"""The options that say how to execute, shared by `run` and `plan`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from imagelane.model.policy import ExecutionModel, RunOptions, Sandbox

F = TypeVar("F", bound=Callable[..., Any])

_UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}


def pipeline_file(command: F) -> F:
    """The argument that names the pipeline file."""
    return click.argument(
        "file",
        metavar="PIPELINE",
        type=click.Path(path_type=Path),
        default=Path("gallery.yaml"),
    )(command)


def execution_options(command: F) -> F:
    """The options that `chosen` puts together."""
    for option in reversed(
        [
            click.option(
                "--model",
                type=click.Choice([model.value for model in ExecutionModel]),
                help="How to execute. Without it: as the file says, or parallel.",
            ),
            click.option("--batch-size", type=click.IntRange(1), help="Images in a hybrid batch."),
            click.option(
                "--parallel-batches", type=click.IntRange(1), help="Hybrid batches side by side."
            ),
            click.option(
                "--workers",
                multiple=True,
                metavar="N | STAGE=N",
                help="Worker processes; or how many of one stage may run at once. Repeatable.",
            ),
            click.option(
                "--parallel",
                multiple=True,
                metavar="STAGE[=N],…",
                help="Run sequentially, but these stages in parallel.",
            ),
            click.option(
                "--pool", multiple=True, metavar="NAME=N", help="Size of a named pool. Repeatable."
            ),
            click.option(
                "--max-in-flight", type=click.IntRange(1), help="Images in flight at most."
            ),
            click.option(
                "--memory", metavar="SIZE", help="Budget of decoded pictures, such as 2GiB."
            ),
            click.option("--no-fuse", is_flag=True, help="Execute and store each stage alone."),
            click.option(
                "--sandbox",
                type=click.Choice([one.value for one in Sandbox]),
                help="Whether workers that decode are shut in. Without it: as the file says, or "
                "auto.",
            ),
        ]
    ):
        command = option(command)
    return command


def chosen(declared: RunOptions, given: dict[str, Any]) -> RunOptions:
    """The pipeline file's options, with those of the command line in their place.

    Raises:
        click.BadParameter: an option's text does not have its form.
    """
    options = declared
    if given["model"]:
        options = replace(options, model=ExecutionModel(given["model"]), parallel=frozenset())
    for name in ("batch_size", "parallel_batches", "max_in_flight"):
        if given[name] is not None:
            options = replace(options, **{name: given[name]})
    if given["memory"]:
        options = replace(options, decoded_bytes=_size(given["memory"]))
    if given["no_fuse"]:
        options = replace(options, fuse=False)
    if given["sandbox"]:
        options = replace(options, sandbox=Sandbox(given["sandbox"]))
    return _moved(_limited(options, given), given)


def _limited(options: RunOptions, given: dict[str, Any]) -> RunOptions:
    workers, pools = dict(options.workers), dict(options.pools)
    for text in _each(given["workers"]):
        name, number = _counted("--workers", text)
        if number is None:
            raise click.BadParameter(f"{text!r}: expected STAGE=N or N", param_hint="--workers")
        (pools if name is None else workers)[name or "cpu"] = number
    for text in _each(given["pool"]):
        name, number = _counted("--pool", text)
        if name is None or number is None:
            raise click.BadParameter(f"{text!r}: expected NAME=N", param_hint="--pool")
        pools[name] = number
    return replace(options, workers=workers, pools=pools)


def _moved(options: RunOptions, given: dict[str, Any]) -> RunOptions:
    workers, moved = dict(options.workers), set()
    for text in _each(given["parallel"]):
        name, number = _counted("--parallel", text)
        if name is None:
            raise click.BadParameter(
                f"{text!r}: expected STAGE or STAGE=N", param_hint="--parallel"
            )
        moved.add(name)
        if number is not None:
            workers[name] = number
    if not moved:
        return options
    model = ExecutionModel(given["model"]) if given["model"] else ExecutionModel.SEQUENTIAL
    return replace(options, model=model, parallel=frozenset(moved), workers=workers)


def _each(texts: Iterable[str]) -> Iterable[str]:
    return (part.strip() for text in texts for part in text.split(",") if part.strip())


def _counted(option: str, text: str) -> tuple[str | None, int | None]:
    """``name=3``, ``name`` or ``3``, as (name, number)."""
    name, equals, number = text.partition("=")
    if not equals and text.isdecimal():
        name, number = "", text
    elif not equals:
        return text, None
    if not number.isdecimal() or int(number) < 1 or (equals and not name):
        raise click.BadParameter(
            f"{text!r}: expected a whole number of 1 or more", param_hint=option
        )
    return name or None, int(number)


def _size(text: str) -> int:
    match = re.fullmatch(r"([0-9.]+)\s*([KMG]?i?B?)", text.strip(), re.IGNORECASE)
    unit = match[2].upper() if match else ""
    unit = unit if unit in _UNITS else f"{unit}B"
    if match is None or unit not in _UNITS:
        raise click.BadParameter(
            f"{text!r}: expected a size such as 512MiB or 2GB", param_hint="--memory"
        )
    return int(float(match[1]) * _UNITS[unit])
