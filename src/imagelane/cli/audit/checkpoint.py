"""`imagelane audit checkpoint`: sign what is recorded."""

from __future__ import annotations

from pathlib import Path

import click

from imagelane.cli.audit.common import explained_audit, run_argument
from imagelane.cli.failures import ENVIRONMENT
from imagelane.cli.seen import journal_of, say, the_run, workspace_option


@click.command()
@run_argument
@click.option(
    "--anchor",
    multiple=True,
    metavar="WHERE",
    help="Keep a copy there as well: a file, a folder/, an https address that it is posted to, or "
    "'command:PROGRAM …', which gets it on its input. Repeatable.",
)
@click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Sign with this private key. Without it: with what IMAGELANE_AUDIT_KEY names, or the "
    "workspace's own.",
)
@workspace_option
def checkpoint(
    run: str | None, *, anchor: tuple[str, ...], key: Path | None, workspace: Path
) -> None:
    """Sign all that RUN has recorded so far, and print the checkpoint.

    It is refused where the record is not what an earlier checkpoint signed. The checkpoint is worth
    what the place is worth where it is kept: those who can change the journal must not reach it.
    """
    from imagelane.cli.acting import root_of  # noqa: PLC0415
    from imagelane.wiring import auditing  # noqa: PLC0415 - loads when it is needed

    with journal_of(workspace) as journal:
        row = the_run(journal, run)
    root = root_of(workspace)
    with explained_audit():
        made = auditing.checkpoint(root, row, key=auditing.signing_key(root, key), anchors=anchor)
    say([made.note.removesuffix("\n")])
    for where in made.anchored:
        click.echo(f"a copy is kept by {where}", err=True)
    for problem in made.problems:
        click.echo(f"imagelane: {problem}", err=True)
    if made.problems:
        raise SystemExit(ENVIRONMENT)
