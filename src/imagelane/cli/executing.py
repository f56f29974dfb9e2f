"""What the commands that execute a run share: progress, signals, the exit code."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from imagelane.cli.failures import FINISHED, LOSSES, WAITS, CommandError
from imagelane.model.ids import RunId
from imagelane.model.policy import RunOptions, Sandbox
from imagelane.model.states import RunStatus

if TYPE_CHECKING:
    from imagelane.adapters.pools.reserve import Reserve
    from imagelane.engine import Engine
    from imagelane.model.spec import PipelineSpec
    from imagelane.ports.observer import Observer
    from imagelane.wiring import Again, Look, RunResult

F = TypeVar("F", bound=Callable[..., Any])

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def progress_options(command: F) -> F:
    """How much is said while it goes on, and where."""
    for option in (
        click.option("--inline", is_flag=True, help="Execute in this process, for a debugger."),
        click.option(
            "--json-lines", is_flag=True, help="One JSON object an event, on standard output."
        ),
        click.option("--quiet", "-q", is_flag=True, help="Say only what went wrong."),
    ):
        command = option(command)
    return command


def execute(
    spec: PipelineSpec,
    options: RunOptions,
    *,
    resume: RunId | None,
    quiet: bool,
    json_lines: bool,
    inline: bool,
    reserve: Reserve | None = None,
    again: Again | None = None,
    number: RunId | None = None,
    fresh: bool = False,
) -> int:
    """Execute a run to where it stands still; gives the exit code."""
    from imagelane import wiring  # noqa: PLC0415 - loads when it is needed

    if not inline:
        _say_what_is_lacking(options.sandbox)
    observers = _observers(spec, quiet=quiet, json_lines=json_lines)
    pool: wiring.PoolKind = "inline" if inline else "process"
    with (
        wiring.session(
            spec,
            options,
            observers,
            resume=resume,
            number=number,
            pool=pool,
            reserve=reserve,
            again=again,
            fresh=fresh,
            warn=lambda text: click.echo(f"imagelane: {text}", err=True),
        ) as (engine, run),
        _pausing(engine),
    ):
        result = wiring.result(engine.execute(), run, wiring.workspace_of(spec).root)
    return _code(result)


def nothing_to_do(look: Look, *, quiet: bool) -> NoReturn:
    """Say that everything is as a run left it, and exit as that run did."""
    from imagelane.report.summary import nothing_new  # noqa: PLC0415 - loads when it is needed

    done = look.done
    if done is None:
        raise AssertionError("there is something to do")
    if not quiet:
        for line in nothing_new(done.run, done.images, done.groups):
            click.echo(line, err=True)
    elif look.losses:
        click.echo(f"{look.losses} images are left out, as in run {done.run}", err=True)
    sys.exit(_code(done))


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


def _say_what_is_lacking(asked: Sandbox) -> None:
    from imagelane.config import sandbox_holes  # noqa: PLC0415

    if asked is Sandbox.AUTO and (holes := sandbox_holes()):
        said = f"decoders are not wholly shut in, for lack of {', '.join(holes)}"
        click.echo(f"{said}; `imagelane doctor` says what to do", err=True)


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
