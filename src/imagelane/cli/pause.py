"""`imagelane pause`: let a run stand still."""

from __future__ import annotations

from pathlib import Path

import click

from imagelane.cli.acting import acting, actor, run_argument, told, wait_option, workspace_option


@click.command()
@run_argument
@click.option("--reason", default="", help="Why; it is recorded.")
@workspace_option
@wait_option
def pause(run: str | None, *, reason: str, workspace: Path, wait: float) -> None:
    """Let what is in flight finish, and begin nothing more. Without RUN: the newest run.

    `imagelane resume` goes on with it.
    """
    from imagelane import control  # noqa: PLC0415 - loads when it is needed

    with acting(workspace, run) as at:
        who = actor()
        why = f"paused by {who}{f': {reason}' if reason else ''}"
        answer = control.pause(at.workspace, at.row, why, who, wait)
        told(
            answer,
            f"run {at.row.run} begins nothing more; `imagelane resume {at.row.run}` goes on",
            f"run {at.row.run} was asked to pause",
        )
