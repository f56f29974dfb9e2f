"""`imagelane rollback`: put an earlier version back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imagelane.adapters.owner import actor
from imagelane.cli.acting import (
    Acting,
    acting,
    group_of,
    named_in_option,
    wait_option,
    workspace_option,
)
from imagelane.cli.failures import LOSSES, CommandError

if TYPE_CHECKING:
    from imagelane.ports.journal import RunRow
    from imagelane.versions.rollback import Rollback, Wish


@click.command()
@click.argument("what", metavar="GROUP|RUN")
@click.option("--to", metavar="VERSION", help="A number of `imagelane history`, or a digest.")
@click.option("--reason", default="", help="Why; it is recorded, with who did it.")
@named_in_option
@workspace_option
@wait_option
def rollback(
    what: str, *, to: str | None, reason: str, run: str | None, workspace: Path, wait: float
) -> None:
    """Make an earlier version of GROUP live again, in one atomic step; or a later one, with --to.
    Of a RUN: of all groups that show what it has published.

    Without --to it is the version before that which the run published, however often it is said.
    All files of the version are read before; what is missing is said, and nothing is changed.
    """
    from imagelane.versions.rollback import Wish as Wished  # noqa: PLC0415 - when it is needed

    wish = Wished(reason, actor(), to)
    with acting(workspace, None if _is_run(what) else run) as at:
        row = _run_of(at, what)
        if row is None:
            _tell(_one(at, at.row, group_of(at, what), wish, wait))
            return
        if to is not None:
            raise CommandError("--to is for one group: each group has versions of its own")
        left = _whole_run(at, row, wish, wait)
    sys.exit(LOSSES if left else 0)


def _one(at: Acting, row: RunRow, number: int, wish: Wish, wait: float) -> Rollback:
    from imagelane.versions.rollback import rollback as put_back  # noqa: PLC0415

    return put_back(at.journal, at.workspace, row, number, wish, wait)


def _whole_run(at: Acting, row: RunRow, wish: Wish, wait: float) -> int:
    """Roll back each group that shows what the run has published; gives how many were left."""
    from imagelane.control import ControlError  # noqa: PLC0415
    from imagelane.model.states import LIVE_GROUPS  # noqa: PLC0415
    from imagelane.versions.places import shows_another, standing  # noqa: PLC0415

    done = left = 0
    for group in at.journal.groups(row.run):
        if group.state not in LIVE_GROUPS:
            continue
        found = standing(at.journal, row, group.group)
        if found is not None and shows_another(found):
            click.echo(f"{group.name}: left as it is, something else was published since", err=True)
            left += 1
            continue
        try:
            _tell(_one(at, row, group.group, wish, wait))
            done += 1
        except ControlError as error:
            click.echo(f"{group.name}: left as it is: {error}", err=True)
            left += 1
    click.echo(f"{done} rolled back, {left} left as they are")
    return left


def _tell(done: Rollback) -> None:
    for put in done.put:
        was = "shows" if put.changed else "showed already"
        click.echo(f"{done.group}: {put.place.slug} {was} version {put.digest[:16]}")
    for paused in done.paused:
        click.echo(f"run {paused} was paused for this: `imagelane resume {paused}` carries on")


def _is_run(what: str) -> bool:
    """Whether it has the form of a run's name."""
    day, _, rest = what.partition("-")
    return len(day) == 8 and day.isdecimal() and len(rest.partition("-")[0]) == 6


def _run_of(at: Acting, what: str) -> RunRow | None:
    return next((row for row in at.journal.runs() if row.run == what), None)
