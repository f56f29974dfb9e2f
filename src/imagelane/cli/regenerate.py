"""`imagelane regenerate`: complete what is partial, make anew what is gone."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imagelane.cli.acting import acting, actor, workspace_option
from imagelane.cli.executing import execute, progress_options
from imagelane.cli.options import chosen, execution_options
from imagelane.cli.redrive import announce, refusal

if TYPE_CHECKING:
    from imagelane.model.decision import Decision
    from imagelane.model.ids import RunId
    from imagelane.ports.journal import Journal


@click.command()
@click.argument("group", required=False, metavar="[GROUP]")
@click.option("--run", metavar="RUN", help="In this run; without it: in the newest one.")
@click.option("--missing", is_flag=True, help="Only what partial groups lack.")
@click.option("--stale", is_flag=True, help="Only what the artifact store lost.")
@click.option("--reason", default="regenerate", help="Why; it is recorded.")
@click.option("--dry-run", is_flag=True, help="Say what would be made, and do nothing.")
@workspace_option
@execution_options
@progress_options
def regenerate(
    group: str | None,
    *,
    run: str | None,
    missing: bool,
    stale: bool,
    reason: str,
    dry_run: bool,
    workspace: Path,
    quiet: bool,
    json_lines: bool,
    inline: bool,
    **given: Any,
) -> None:
    """Complete partial groups, and make anew what is not in the artifact store any more; then
    publish each group again, in one step. GROUP is a number, a name or a pattern.

    Without --missing or --stale: both. Looking for what is stale reads every artifact.
    """
    from imagelane import control, wiring  # noqa: PLC0415 - loads when it is needed

    wanting = control.Wanting(
        missing=missing or not stale, stale=stale or not missing, group=_meant(group)
    )
    who = actor()
    with acting(workspace, run) as at:
        row = at.row
        damaged = wiring.damaged(at.workspace)

        def decisions(journal: Journal, number: RunId) -> Iterator[Sequence[Decision]]:
            return control.regenerated(journal, number, wanting, damaged, reason, who)

        if dry_run:
            announce(decisions(at.journal, row.run))
            return
        spec = control.spec_of(row)
    sys.exit(
        execute(
            spec,
            chosen(spec.options, given),
            resume=row.run,
            quiet=quiet,
            json_lines=json_lines,
            inline=inline,
            again=wiring.Again(decisions, refusal),
        )
    )


def _meant(word: str | None) -> Callable[[int, str], bool]:
    def meant(number: int, name: str) -> bool:
        return word is None or str(number) == word or fnmatchcase(name, word)

    return meant
