"""`imagelane audit prove`: one event, to somebody who has only a public key."""

from __future__ import annotations

from pathlib import Path

import click

from imagelane.cli.audit.common import explained_audit, out_option, put
from imagelane.cli.failures import CommandError
from imagelane.cli.seen import journal_of, the_run, workspace_option


@click.command()
@click.argument("event", metavar="EVENT")
@click.option("--withhold", is_flag=True, help="Prove that it happened, and not what it says.")
@out_option
@workspace_option
def prove(event: str, *, withhold: bool, out: Path | None, workspace: Path) -> None:
    """Prove that EVENT is in the record, without showing the rest of it.

    EVENT is a number such as 4711, of the newest run, or RUN/4711. `imagelane audit verify FILE`
    checks the proof, and so does whatever knows c2sp.org/tlog-proof.
    """
    from imagelane.cli.acting import root_of  # noqa: PLC0415
    from imagelane.wiring import auditing  # noqa: PLC0415 - loads when it is needed

    word, _, number = event.rpartition("/")
    number = number.replace(",", "")
    if not number.isdecimal() or int(number) < 1:
        raise CommandError(f"{event!r} is no event: expected a number such as 4711, or RUN/4711")
    with journal_of(workspace) as journal:
        row = the_run(journal, word or None)
    with explained_audit():
        proof = auditing.prove_event(root_of(workspace), row, int(number), withhold=withhold)
    put(iter([str(proof)]), out)
