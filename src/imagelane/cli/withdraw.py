"""`imagelane withdraw`: take an image or a group out of what is live."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imagelane.adapters.owner import actor
from imagelane.cli.acting import (
    Acting,
    acting,
    meant,
    named_in_option,
    reason_option,
    wait_option,
    workspace_option,
)
from imagelane.cli.executing import execute, progress_options
from imagelane.cli.options import chosen, execution_options
from imagelane.model.states import RunStatus

if TYPE_CHECKING:
    from imagelane.model.ids import Subject
    from imagelane.versions.withdraw import Taken, Why


@click.command()
@click.argument("what", metavar="IMAGE|GROUP")
@reason_option
@click.option("--undo", is_flag=True, help="Let it be published again.")
@named_in_option
@workspace_option
@wait_option
@execution_options
@progress_options
def withdraw(
    what: str,
    *,
    reason: str,
    undo: bool,
    run: str | None,
    workspace: Path,
    wait: float,
    quiet: bool,
    json_lines: bool,
    inline: bool,
    **given: Any,
) -> None:
    """Show an image, images of one group, or a GROUP no more, from one atomic step on. Later runs
    do not publish it either, under the name that it has or any other, until that is undone.

    A contact sheet that shows an image leaves with it, and is made anew at once.
    """
    from imagelane import control  # noqa: PLC0415 - loads when it is needed
    from imagelane.versions.withdraw import Why as Because  # noqa: PLC0415

    with acting(workspace, run) as at:
        row = at.row
        subjects = meant(at, what)
        done = (_restore if undo else _withdraw)(at, subjects, Because(reason, actor()), wait)
        _tell(what, done, undo=undo)
        spec = control.spec_of(row)
    if not done.remade or done.paused or row.status is not RunStatus.FINISHED:
        if done.remade or done.paused:
            click.echo(f"`imagelane resume {row.run}` makes the rest of its group anew")
        return
    sys.exit(
        execute(
            spec,
            chosen(spec.options, given),
            resume=row.run,
            quiet=quiet,
            json_lines=json_lines,
            inline=inline,
        )
    )


def _withdraw(at: Acting, subjects: list[Subject], why: Why, wait: float) -> Taken:
    from imagelane.versions.withdraw import withdraw_group, withdraw_images  # noqa: PLC0415

    if subjects[0].ordinal:
        return withdraw_images(at.journal, at.workspace, at.row, subjects, why, wait)
    return withdraw_group(at.journal, at.workspace, at.row, subjects[0].group, why, wait)


def _restore(at: Acting, subjects: list[Subject], why: Why, wait: float) -> Taken:
    from imagelane.versions.withdraw import restore_group, restore_images  # noqa: PLC0415

    if subjects[0].ordinal:
        return restore_images(at.journal, at.workspace, at.row, subjects, why, wait)
    return restore_group(at.journal, at.workspace, at.row, subjects[0].group, why, wait)


def _tell(what: str, done: Taken, *, undo: bool) -> None:
    if undo:
        click.echo(f"{what} may be published again")
    else:
        was = "is not shown any more" if done.taken else "was not shown"
        click.echo(f"{what} {was}, and is withdrawn")
    for paused in done.paused:
        click.echo(f"run {paused} was paused for this: `imagelane resume {paused}` carries on")
