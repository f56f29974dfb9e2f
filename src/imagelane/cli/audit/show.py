"""`imagelane audit show`: the history of one image, as it is in the audit trail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imagelane.cli.audit.common import explained_audit
from imagelane.cli.failures import CommandError
from imagelane.cli.seen import ink, journal_of, say, the_run, workspace_option

if TYPE_CHECKING:
    from imagelane.model.ids import Subject


@click.command()
@click.argument("what", metavar="IMAGE|GROUP")
@click.option("--graph", is_flag=True, help="The branches, as a Mermaid graph.")
@click.option("--run", metavar="RUN", help="In this run; without it: in the newest one.")
@workspace_option
@click.option("--json", "as_json", is_flag=True, help="The same for programs.")
def show(what: str, *, graph: bool, run: str | None, workspace: Path, as_json: bool) -> None:
    """The history of an image or a group as one straight line, however it was executed.

    Every event stands after those that had to be before it, which its last column names; where that
    leaves it free, in the order of the plan. With --graph: what ran side by side stands side by
    side. IMAGE and GROUP are understood as by `imagelane show`.
    """
    from imagelane.cli.acting import root_of  # noqa: PLC0415
    from imagelane.record.audit.reading import trail  # noqa: PLC0415
    from imagelane.report.audit import history  # noqa: PLC0415
    from imagelane.report.audit.line import straight  # noqa: PLC0415
    from imagelane.wiring import auditing  # noqa: PLC0415 - loads when it is needed

    with journal_of(workspace) as journal:
        row = the_run(journal, run)
        from imagelane.report.find import NothingFoundError, find  # noqa: PLC0415

        try:
            found = find(journal, row, what)
        except NothingFoundError as error:
            raise CommandError(str(error)) from None
    subject: Subject = found.subjects[0][0]
    if found.count > 1:
        listed = ", ".join(f"{one} ({name})" for one, name in found.subjects[:5])
        raise CommandError(f"{what!r} can be any of {found.count}: {listed}; say its number")
    root = root_of(workspace)
    with explained_audit(), auditing.open_audit_log(root) as log:
        plan = auditing.audit_plan(row)
        own = [one for one in trail(log, row.run, plan) if one.content.subject == subject]
    line = straight(own, [stage.name for stage in plan.stages])
    if as_json:
        data = [
            {
                "index": one.index,
                "parents": list(one.leaf.parents),
                **one.content.as_json(),
                "says": None if one.body is None else dict(one.body),
            }
            for one in line
        ]
        say([json.dumps(data, indent=2)])
    elif graph:
        say(history.graph_lines(line))
    else:
        say(
            [
                f"{found.subjects[0][1]}  {subject}  run {row.run}",
                "",
                *history.line_lines(line, ink()),
            ]
        )
