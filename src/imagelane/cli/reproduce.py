"""`imagelane reproduce`: try a stage on an image of a run anew, on the side."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from imagelane.cli.acting import acting, workspace_option
from imagelane.cli.failures import FINISHED, LOSSES
from imagelane.cli.seen import one_image, say
from imagelane.model.outcome import Failure


@click.command()
@click.argument("image", metavar="IMAGE")
@click.option("--stage", required=True, help="The stage to try; what it needs goes before it.")
@click.option("--run", metavar="RUN", help="Of this run; without it: of the newest one.")
@click.option("--inline", is_flag=True, help="Execute in this process, for a debugger.")
@workspace_option
def reproduce(image: str, *, stage: str, run: str | None, inline: bool, workspace: Path) -> None:
    """Try a stage on one IMAGE of a run anew, in a scratch place: nothing is recorded, nothing goes
    live. A stage that acts on the world outside does so again.

    Exits with 0 where it succeeds and with 1 where it fails.
    """
    from imagelane.report.clean import visible  # noqa: PLC0415 - loads when it is needed
    from imagelane.report.wording import seconds  # noqa: PLC0415
    from imagelane.reproduce.once import reproduce as tried  # noqa: PLC0415

    code = FINISHED
    with acting(workspace, run) as at:
        subject, name = one_image(at.journal, at.row, image)
        say([f"{subject}  {name}"])
        for report in tried(at.journal, at.row, subject, stage, inline=inline):
            took = seconds(report.finished - report.started)
            if isinstance(report.outcome, Failure):
                code = LOSSES
                failure = report.outcome
                say([f"  {report.stage}  failed after {took}: {failure.error}: {failure.message}"])
                say(f"    {line}" for line in visible(failure.detail, lines=True).splitlines())
            else:
                say([f"  {report.stage}  done in {took}"])
    sys.exit(code)
