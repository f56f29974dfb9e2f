"""`imagelane cancel`: end a run for good."""

from __future__ import annotations

from pathlib import Path

import click

from imagelane.cli.acting import acting, actor, run_argument, told, wait_option, workspace_option


@click.command()
@run_argument
@click.option("--reason", required=True, help="Why; it is recorded.")
@workspace_option
@wait_option
def cancel(run: str | None, *, reason: str, workspace: Path, wait: float) -> None:
    """End RUN for good, after what is in flight. Without RUN: the newest run.

    What is live stays live; what was not published will not be, by this run.
    """
    from imagelane import control  # noqa: PLC0415 - loads when it is needed

    with acting(workspace, run) as at:
        who = actor()
        why = f"cancelled by {who}: {reason}"
        answer = control.cancel(at.journal, at.workspace, at.row, why, who, wait)
        told(answer, f"run {at.row.run} is cancelled", f"run {at.row.run} was asked to end")
