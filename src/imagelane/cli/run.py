"""`imagelane run`: execute a pipeline, or take up what was interrupted."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from imagelane.cli.failures import FINISHED, LOSSES, WAITS, CommandError
from imagelane.cli.options import chosen, execution_options, pipeline_file
from imagelane.model.ids import RunId
from imagelane.model.policy import Sandbox
from imagelane.model.states import RunStatus

if TYPE_CHECKING:
    from imagelane.engine import Engine
    from imagelane.model.spec import PipelineSpec
    from imagelane.ports.observer import Observer
    from imagelane.wiring import RunResult

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.command()
@pipeline_file
@execution_options
@click.option("--from", "origin", metavar="SOURCE", help="Images from here, not as the file says.")
@click.option("--new", is_flag=True, help="Begin a new run even if an earlier one is not over.")
@click.option("--resume", metavar="RUN", help="Take up this run, whatever the file says now.")
@click.option("--quiet", "-q", is_flag=True, help="Say only what went wrong.")
@click.option("--json-lines", is_flag=True, help="One JSON object an event, on standard output.")
@click.option("--inline", is_flag=True, help="Execute in this process, for a debugger.")
def run(
    file: Path,
    *,
    origin: str | None,
    new: bool,
    resume: str | None,
    quiet: bool,
    json_lines: bool,
    inline: bool,
    **given: Any,
) -> None:
    """Run PIPELINE. If its last run was interrupted, that one is taken up where it stood.

    Ctrl-C finishes what is in flight and pauses; a second one stops at once. Nothing that was
    recorded is lost or done again.
    """
    from imagelane import wiring  # noqa: PLC0415 - loads when it is needed

    if new and resume:
        raise click.UsageError("--new begins a run and --resume takes one up: say one of them")
    spec = wiring.load(file)
    if origin is not None:
        folder = str(Path(origin).absolute()) if Path(origin).exists() else origin
        spec = replace(spec, images=replace(spec.images, origin=folder))
    options = chosen(spec.options, given)
    if not inline:
        _say_what_is_lacking(options.sandbox)
    taken_up = _taken_up(spec, new=new, asked=resume, quiet=quiet or json_lines)
    observers = _observers(spec, quiet=quiet, json_lines=json_lines)
    pool: Any = "inline" if inline else "process"
    with (
        wiring.session(spec, options, observers, resume=taken_up, pool=pool) as (engine, number),
        _pausing(engine),
    ):
        result = wiring.result(engine.execute(), number, wiring.workspace_of(spec).root)
    sys.exit(_code(result))


def _say_what_is_lacking(asked: Sandbox) -> None:
    from imagelane.config import sandbox_holes  # noqa: PLC0415

    if asked is Sandbox.AUTO and (holes := sandbox_holes()):
        said = f"decoders are not wholly shut in, for lack of {', '.join(holes)}"
        click.echo(f"{said}; `imagelane doctor` says what to do", err=True)


def _taken_up(spec: PipelineSpec, *, new: bool, asked: str | None, quiet: bool) -> RunId | None:
    from imagelane import wiring  # noqa: PLC0415

    if asked:
        return RunId(asked)
    earlier = None if new else wiring.unfinished(spec)
    if earlier is None:
        return None
    if not quiet:
        click.echo(f"taking up run {earlier.run}, which is {earlier.status}", err=True)
    return earlier.run


def _observers(spec: PipelineSpec, *, quiet: bool, json_lines: bool) -> list[Observer]:
    from imagelane import wiring  # noqa: PLC0415

    if quiet and json_lines:
        raise click.UsageError("--quiet says nothing and --json-lines everything: say one of them")
    if json_lines:
        from imagelane.adapters.observers.jsonlines import JsonLines  # noqa: PLC0415

        return [JsonLines(sys.stdout)]
    if quiet:
        from imagelane.adapters.observers.quiet import Quiet  # noqa: PLC0415

        return [Quiet(sys.stderr)]
    from imagelane.adapters.observers.console import Console  # noqa: PLC0415
    from imagelane.report.summary import Whereabouts  # noqa: PLC0415

    targets = [str(path) for path in wiring.targets(spec)]
    return [Console(where=Whereabouts(targets[-1] if targets else "", spec.file or ""))]


@contextmanager
def _pausing(engine: Engine) -> Iterator[None]:
    """The first signal pauses, the next one stops at once."""
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    asked = False

    def pause(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        del frame
        if asked:
            raise KeyboardInterrupt
        asked = True
        name = "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name
        engine.pause(f"paused by {name}")

    for number in _SIGNALS:
        signal.signal(number, pause)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _code(result: RunResult) -> int:
    match result.status:
        case RunStatus.PAUSED | RunStatus.HALTED | RunStatus.RUNNING:
            return WAITS
        case RunStatus.FINISHED:
            return FINISHED if result.whole else LOSSES
        case RunStatus.FAILED | RunStatus.CANCELLED:
            return LOSSES
    raise CommandError(f"the run ended as {result.status}")
