"""`imagelane audit export`: the trail for others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imagelane.cli.audit.common import explained_audit, out_option, put, run_argument
from imagelane.cli.seen import journal_of, spec_of, the_run, workspace_option

if TYPE_CHECKING:
    from imagelane.ports.journal import RunRow


@click.command()
@run_argument
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "csv", "premis", "prov"]),
    default="jsonl",
    show_default=True,
    help="jsonl: all that `audit verify FILE` needs; csv: a table; premis: PREMIS 3 in XML; prov: "
    "W3C PROV in JSON.",
)
@out_option
@workspace_option
def export(run: str | None, *, form: str, out: Path | None, workspace: Path) -> None:
    """Write the audit trail of RUN for others; without RUN: of the newest one."""
    from imagelane.cli.acting import root_of  # noqa: PLC0415 - loads when it is needed

    with journal_of(workspace) as journal:
        row = the_run(journal, run)
    with explained_audit():
        put(_pieces(root_of(workspace), row, form), out)


def _pieces(root: Path, row: RunRow, form: str) -> Iterator[str]:
    from imagelane.model.audit import Told  # noqa: PLC0415
    from imagelane.record.audit.export import export as lines  # noqa: PLC0415
    from imagelane.record.audit.reading import trail  # noqa: PLC0415
    from imagelane.wiring import auditing  # noqa: PLC0415

    with auditing.open_audit_log(root) as log:
        if form == "jsonl":
            yield from lines(log, auditing.audit_header(root, row))
            return
        plan = auditing.audit_plan(row)

        def events() -> Iterator[Told]:
            return trail(log, row.run, plan)

        if form == "csv":
            from imagelane.report.audit.table import table  # noqa: PLC0415

            yield from table(events())
        elif form == "premis":
            from imagelane.report.audit.premis import premis  # noqa: PLC0415

            spec = spec_of(row)
            yield from premis(events, {one.name: one.uses for one in spec.stages} if spec else {})
        else:
            from imagelane.report.audit.prov import prov  # noqa: PLC0415

            yield from prov(events)
