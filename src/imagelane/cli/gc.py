"""`imagelane gc`: remove what no run names any more."""

from __future__ import annotations

import re
from pathlib import Path

import click

from imagelane.cli.acting import root_of
from imagelane.cli.failures import ENVIRONMENT, CommandError
from imagelane.cli.seen import near, say, workspace_option

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_LISTED = 20


def _age(_: click.Context, __: click.Parameter, text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhdw])", text.strip())
    if match is None:
        raise click.BadParameter(f"{text!r}: expected a time such as 12h, 7d or 2w")
    return float(match[1]) * _UNITS[match[2]]


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.option(
    "--older-than",
    default="7d",
    show_default=True,
    metavar="AGE",
    callback=_age,
    help="Keep what is younger: 12h, 7d, 2w.",
)
@workspace_option
def gc(*, dry_run: bool, older_than: float, workspace: Path) -> None:
    """Remove files of the artifact store that no run of the journal names, pictures in the raw of
    runs that are over, and folders of runs that never began.

    What is live, what could be rolled back to or taken from the record is named, so it stays.
    """
    from imagelane import wiring  # noqa: PLC0415 - loads when it is needed
    from imagelane.report.clean import visible  # noqa: PLC0415
    from imagelane.report.wording import count, size  # noqa: PLC0415

    number = total = 0
    with wiring.garbage(root_of(workspace), older_than) as found:
        for one in found:
            number += 1
            total += one.bytes
            if dry_run and number <= _LISTED:
                say([f"  {visible(near(one.path.absolute()))}  {size(one.bytes)}"])
            if not dry_run:
                try:
                    wiring.remove(one)
                except OSError as error:
                    said = f"cannot remove {one.path}: {error.strerror}"
                    raise CommandError(said, ENVIRONMENT) from None
    if dry_run and number > _LISTED:
        say([f"  and {number - _LISTED:,} more"])
    verb = "would be removed" if dry_run else "removed"
    say([f"{count(number, 'thing')} {verb}: {size(total)}" if number else "nothing to remove"])
