"""`imagelane history`: the versions of a group."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from imagelane.cli.acting import acting, group_of, workspace_option
from imagelane.cli.failures import CommandError
from imagelane.cli.seen import ink, say


@click.command()
@click.argument("group", metavar="GROUP")
@click.option("--run", metavar="RUN", help="As this run names it; without it: the newest one.")
@workspace_option
@click.option("--json", "as_json", is_flag=True, help="The same for programs.")
def history(group: str, *, run: str | None, workspace: Path, as_json: bool) -> None:
    """The versions of GROUP (a number, a name, or the name as it stands in an address), the newest
    first: since when they were live, by which run, how many images they show, and why.

    A version that is kept can be put back with `imagelane rollback GROUP --to VERSION`.
    """
    from imagelane.report.versions import Line, lines  # noqa: PLC0415 - loads when it is needed
    from imagelane.versions.listing import history as versions_of  # noqa: PLC0415
    from imagelane.versions.places import standing  # noqa: PLC0415

    with acting(workspace, run) as at:
        number = group_of(at, group)
        found = standing(at.journal, at.row, number)
        if found is None or not found.places:
            raise CommandError(f"run {at.row.run} has published nothing of {group!r} yet")
        for place in versions_of(at.journal, found):
            if as_json:
                listed = [asdict(one) for one in place.versions]
                head = {"group": found.row.name, "stage": place.stage, "slug": place.slug}
                say([json.dumps({**head, "versions": listed}, indent=2)])
                continue
            told = [Line(**asdict(one)) for one in place.versions]
            say(lines(found.row.name, place.slug, told, ink()))
