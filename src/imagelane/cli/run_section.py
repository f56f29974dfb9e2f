"""Writes a `run:` section into a pipeline file, and leaves the rest as it stands."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from imagelane.cli.failures import CommandError
from imagelane.model.policy import ExecutionModel, RunOptions

_TOP = re.compile(r"^[^\s#]")


def run_section(options: RunOptions) -> str:
    """The section as YAML; what is as it would be anyway is left out."""
    return "\n".join(_lines(options)) + "\n"


def _lines(options: RunOptions) -> Iterator[str]:
    plain = RunOptions()
    yield "run:"
    yield f"  model: {options.model.value}"
    if options.model is ExecutionModel.HYBRID:
        yield f"  batch_size: {options.batch_size}"
        yield f"  parallel_batches: {options.parallel_batches}"
    if options.pools:
        yield f"  pools: {{{_numbers(options.pools.items())}}}"
    if options.workers:
        yield f"  workers: {{{_numbers(options.workers.items())}}}"
    if options.parallel:
        yield f"  parallel: [{', '.join(sorted(options.parallel))}]"
    if options.max_in_flight:
        yield f"  max_in_flight: {options.max_in_flight}"
    if options.decoded_bytes:
        yield f"  memory: {options.decoded_bytes}B"
    if options.fuse is not plain.fuse:
        yield "  fuse: false"
    if options.sandbox is not plain.sandbox:
        yield f'  sandbox: "{options.sandbox.value}"'


def _numbers(pairs: object) -> str:
    return ", ".join(f"{name}: {number}" for name, number in sorted(pairs))  # type: ignore[call-overload]


def with_run_section(text: str, section: str) -> str:
    """A pipeline file's text with the section in place of the one that it has, or at its end.
    Comments that stand before another key stay with that key."""
    lines = text.splitlines(keepends=True)
    begins = next((n for n, line in enumerate(lines) if re.match(r"run\s*:", line)), None)
    if begins is None:
        ending = "" if text.endswith("\n") or not text else "\n"
        return f"{text}{ending}\n{section}"
    ends = begins + 1
    while ends < len(lines) and not _TOP.match(lines[ends]):
        ends += 1
    # What stands unindented or blank before the next key is that key's.
    while ends > begins + 1 and not lines[ends - 1].startswith((" ", "\t")):
        ends -= 1
    return "".join([*lines[:begins], section, *lines[ends:]])


def write_run_section(file: Path, options: RunOptions) -> None:
    """Put the options into the file, whole or not at all.

    Raises:
        CommandError: it cannot be written, or would mean something else than was meant.
    """
    from imagelane import wiring  # noqa: PLC0415 - loads when it is needed

    beside = file.with_name(f".{os.getpid()}-{file.name}")
    try:
        text = with_run_section(file.read_text(encoding="utf-8"), run_section(options))
        beside.write_text(text, encoding="utf-8")
        if wiring.load(beside).options != options:
            raise CommandError(
                f"{file} would not say what was advised; put this into it by hand:\n"
                f"{run_section(options)}"
            )
        beside.replace(file)
    except OSError as error:
        raise CommandError(f"cannot write {file}: {error.strerror}") from None
    finally:
        beside.unlink(missing_ok=True)
