"""`imagelane resume`: go on with a run that stands still."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from imagelane.cli.acting import acting, run_argument, workspace_option
from imagelane.cli.executing import execute, progress_options
from imagelane.cli.failures import CommandError
from imagelane.cli.options import chosen, execution_options
from imagelane.model.states import RunStatus


@click.command()
@run_argument
@workspace_option
@execution_options
@progress_options
def resume(
    run: str | None,
    *,
    workspace: Path,
    quiet: bool,
    json_lines: bool,
    inline: bool,
    **given: Any,
) -> None:
    """Go on with RUN, with the pipeline that it began with. Without RUN: with the newest run.

    Where images or groups are held, decide first: `imagelane resolve`.
    """
    from imagelane import control  # noqa: PLC0415 - loads when it is needed

    with acting(workspace, run) as at:
        row = at.row
        if row.status is RunStatus.FINISHED:
            raise CommandError(
                f"run {row.run} is finished: there is nothing to resume; `imagelane dead-letters` "
                "lists what failed, `imagelane redrive` sends it round again"
            )
        spec = control.spec_of(row)
    options = chosen(spec.options, given)
    sys.exit(
        execute(spec, options, resume=row.run, quiet=quiet, json_lines=json_lines, inline=inline)
    )
