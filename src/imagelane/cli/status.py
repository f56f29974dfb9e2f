"""`imagelane status`: how a run stands."""

from __future__ import annotations

import json
from pathlib import Path

import click

from imagelane.cli.seen import columns, ink, journal_of, say, taking_up, the_run, workspace_option

AT_A_GLANCE = 20_000
"""Images beyond which reading all that was done takes more than a few seconds."""


@click.command()
@click.argument("run", required=False, metavar="[RUN]")
@workspace_option
@click.option("--all", "everything", is_flag=True, help="List every group, reason and image.")
@click.option("--runs", is_flag=True, help="List the runs of this workspace instead.")
@click.option("--json", "as_json", is_flag=True, help="The same for programs.")
def status(
    run: str | None, *, workspace: Path, everything: bool, runs: bool, as_json: bool
) -> None:
    """How RUN stands: counts that add up, what was left out and why. Without RUN: the newest one.

    RUN may be shortened to how it begins or ends.
    """
    from imagelane.report import text  # noqa: PLC0415 -- loads when it is needed
    from imagelane.report.data import run_data  # noqa: PLC0415
    from imagelane.report.outline import read_outline  # noqa: PLC0415
    from imagelane.report.read import EVERYTHING, Limits, read_run  # noqa: PLC0415

    with journal_of(workspace) as journal:
        if runs:
            rows = journal.runs()
            if as_json:
                listed = [{"run": row.run, "status": row.status.value} for row in rows]
                say([json.dumps(listed, indent=2)])
            else:
                say(text.runs(rows))
            return
        row = the_run(journal, run)
        large = sum(journal.image_counts(row.run).values()) > AT_A_GLANCE
        if large and not everything and not as_json:
            view = read_outline(journal, row, Limits())
        else:
            view = read_run(journal, row, EVERYTHING if everything else Limits(histories=1))
        if as_json:
            say([json.dumps(run_data(view), indent=2, default=dict)])
            return
        lines = text.status(
            view, ink(), columns(), everything=everything, interrupted=taking_up(row)
        )
        say(lines)
