"""`imagelane erase`: erase an image, and prove it gone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imagelane.adapters.owner import actor
from imagelane.cli.acting import (
    acting,
    meant,
    named_in_option,
    reason_option,
    wait_option,
    workspace_option,
)
from imagelane.cli.executing import execute, progress_options
from imagelane.cli.failures import LOSSES, WAITS, CommandError
from imagelane.cli.options import chosen, execution_options
from imagelane.cli.seen import near
from imagelane.model.states import RunStatus

if TYPE_CHECKING:
    from imagelane.versions.erase import Findings, Proof

_UNREACHED = (
    "backups, copies elsewhere, caches of browsers and of a content delivery network, exports and "
    "checkpoints' copies made before, and free blocks of the disk"
)


@click.command()
@click.argument("what", metavar="IMAGE")
@reason_option
@click.option("--dry-run", is_flag=True, help="Say what would be erased, and do nothing.")
@named_in_option
@workspace_option
@wait_option
@execution_options
@progress_options
def erase(
    what: str,
    *,
    reason: str,
    dry_run: bool,
    run: str | None,
    workspace: Path,
    wait: float,
    quiet: bool,
    json_lines: bool,
    inline: bool,
    **given: Any,
) -> None:
    """Erase IMAGE: every file that was made of it, every version that shows it, and what the record
    says of it, in all runs of this workspace; then search for it, by digest and by name.

    It is withdrawn first. Under a legal hold nothing is erased. The audit trail stays verifiable.
    The source file is yours: it stays, and is named.
    """
    from imagelane import control  # noqa: PLC0415 - loads when it is needed
    from imagelane.versions import erase as erasing  # noqa: PLC0415
    from imagelane.versions.withdraw import Why, withdraw_images  # noqa: PLC0415

    why = Why(reason, actor())
    with acting(workspace, run) as at:
        subjects = meant(at, what)
        if len(subjects) != 1 or not subjects[0].ordinal:
            raise CommandError(f"{what!r} means {len(subjects)} subjects: expected one image")
        found = erasing.find(at.journal, at.row, subjects[0])
        if dry_run:
            _announce(found)
            return
        row, spec = at.row, control.spec_of(at.row)
        taken = withdraw_images(at.journal, at.workspace, row, subjects, why, wait)
    if taken.remade and row.status is RunStatus.FINISHED and not taken.paused:
        execute(
            spec,
            chosen(spec.options, given),
            resume=row.run,
            quiet=quiet,
            json_lines=json_lines,
            inline=inline,
        )
    elif taken.remade:
        click.echo(
            f"it is shown no more; `imagelane resume {row.run}` settles it, then erase it again",
            err=True,
        )
        sys.exit(WAITS)
    with acting(workspace, row.run) as at:
        found = erasing.find(at.journal, at.row, subjects[0])
        proof = erasing.erase(at.journal, at.workspace, found, why, wait)
    _tell(found, proof)
    sys.exit(LOSSES if proof.left else 0)


def _announce(found: Findings) -> None:
    for one in found.appearances:
        click.echo(f"run {one.row.run}: all that the record says of {one.subject}")
    for place, digest in found.versions:
        click.echo(f"version {digest[:16]} of {place.slug}, with all of its files")
    for artifact in sorted(found.own):
        click.echo(f"artifact {artifact}")
    _shared(found)
    click.echo(f"the source stays: {found.thing.path}")


def _shared(found: Findings) -> None:
    for digest, subject in sorted(found.shared.items()):
        click.echo(f"stays: {digest[:16]} is also a file of {subject}", err=True)


def _tell(found: Findings, proof: Proof) -> None:
    runs = len({one.row.run for one in found.appearances})
    click.echo(
        f"erased: {proof.gone} files, {len(found.versions)} versions, and what {runs} "
        f"{'run' if runs == 1 else 'runs'} had recorded of it"
    )
    _shared(found)
    for run, indices in proof.named:
        listed = ", ".join(map(str, indices[:10]))
        click.echo(
            f"still names it: events {listed} of run {run}, which are about others", err=True
        )
    for trace in proof.left:
        click.echo(f"left: {near(trace.file)} {trace.what}", err=True)
    if not proof.left:
        click.echo("searched for by digest and by name, in target and workspace: nothing is left")
    click.echo(f"The source stays, and a later run notes and withholds it: {found.thing.path}")
    click.echo(f"Not reached: {_UNREACHED}.")
