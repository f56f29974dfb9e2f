"""`imagelane redrive`: send dead letters round again."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imagelane.cli.acting import acting, actor, run_argument, workspace_option
from imagelane.cli.dead_letters import chosen_filter, filter_options
from imagelane.cli.executing import execute, progress_options
from imagelane.cli.options import chosen, execution_options

if TYPE_CHECKING:
    from imagelane.model.decision import Decision
    from imagelane.model.ids import RunId
    from imagelane.ports.journal import Journal


@click.command()
@run_argument
@filter_options
@click.option(
    "--rate", type=click.FloatRange(0, min_open=True), metavar="N", help="Images a second at most."
)
@click.option("--reason", default="redrive", help="Why; it is recorded.")
@click.option("--dry-run", is_flag=True, help="Say what would go round again, and do nothing.")
@workspace_option
@execution_options
@progress_options
def redrive(
    run: str | None,
    *,
    stage: str | None,
    error: str | None,
    image: str | None,
    rate: float | None,
    reason: str,
    dry_run: bool,
    workspace: Path,
    quiet: bool,
    json_lines: bool,
    inline: bool,
    **given: Any,
) -> None:
    """Send what failed for good in RUN round again: only its unfinished part, with new attempts.

    Groups that are live stay so until their next version is whole. Without RUN: the newest run.
    """
    from imagelane import control, wiring  # noqa: PLC0415 - loads when it is needed

    which, who = chosen_filter(stage, error, image), actor()

    def decisions(journal: Journal, number: RunId) -> Iterator[Sequence[Decision]]:
        return control.redriven(journal, number, which, reason, who)

    with acting(workspace, run) as at:
        row = at.row
        if dry_run:
            announce(decisions(at.journal, row.run))
            return
        spec = control.spec_of(row)
    again = wiring.Again(decisions, refusal, rate)
    sys.exit(
        execute(
            spec,
            chosen(spec.options, given),
            resume=row.run,
            quiet=quiet,
            json_lines=json_lines,
            inline=inline,
            again=again,
        )
    )


def refusal(why: str) -> None:
    """Say what is left as it is."""
    click.echo(f"left as it is: {why}", err=True)


def announce(decisions: Iterator[Sequence[Decision]]) -> None:
    """Say what would be done, a line a subject."""
    count = 0
    for together in decisions:
        for decision in together:
            stages = f"  {', '.join(sorted(decision.again))} anew" if decision.again else ""
            click.echo(f"{decision.subject}{stages}")
            count += 1
    click.echo(f"{count} would go round again" if count else "nothing would go round again")
