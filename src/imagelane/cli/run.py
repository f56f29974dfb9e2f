"""`imagelane run`: execute a pipeline, or take up what was interrupted."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imagelane.cli.executing import execute, nothing_to_do, progress_options
from imagelane.cli.options import chosen, execution_options, pipeline_file
from imagelane.model.ids import RunId

if TYPE_CHECKING:
    from imagelane.model.spec import PipelineSpec


@click.command()
@pipeline_file
@execution_options
@click.option("--from", "origin", metavar="SOURCE", help="Images from here, not as the file says.")
@click.option("--new", is_flag=True, help="Begin a new run even if an earlier one is not over.")
@click.option(
    "--fresh",
    is_flag=True,
    help="Begin a new run that executes everything, whatever is recorded for the same input.",
)
@click.option("--resume", metavar="RUN", help="Take up this run, whatever the file says now.")
@progress_options
def run(
    file: Path,
    *,
    origin: str | None,
    new: bool,
    fresh: bool,
    resume: str | None,
    quiet: bool,
    json_lines: bool,
    inline: bool,
    **given: Any,
) -> None:
    """Run PIPELINE. If its last run was interrupted, that one is taken up where it stood; if
    neither the pipeline nor its source has changed since, there is nothing to do. What earlier runs
    recorded for the same input is taken from there, not executed again.

    Ctrl-C finishes what is in flight and pauses; a second one stops at once. Nothing that was
    recorded is lost or done again.
    """
    from imagelane import wiring  # noqa: PLC0415 - loads when it is needed

    if (new or fresh) and resume:
        word = "--new" if new else "--fresh"
        raise click.UsageError(f"{word} begins a run and --resume takes one up: say one of them")
    with nullcontext() if inline else wiring.reserve(file) as reserve:
        spec = wiring.load(file)
        if origin is not None:
            folder = str(Path(origin).absolute()) if Path(origin).exists() else origin
            spec = replace(spec, images=replace(spec.images, origin=folder))
        options = chosen(spec.options, given)
        taken_up = _taken_up(spec, new=new or fresh, asked=resume, quiet=quiet or json_lines)
        look = None if new or fresh or taken_up else wiring.look(spec)
        if look is not None and look.done is not None:
            nothing_to_do(look, quiet=quiet or json_lines)
        code = execute(
            spec,
            options,
            resume=taken_up,
            number=look.number if look else None,
            fresh=fresh,
            quiet=quiet,
            json_lines=json_lines,
            inline=inline,
            reserve=reserve,
        )
    sys.exit(code)


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
