"""`imagelane dead-letters`: what failed for good, and why."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from imagelane.cli.acting import acting, run_argument, workspace_option
from imagelane.cli.seen import columns, ink, say
from imagelane.model.states import ErrorClass

if TYPE_CHECKING:
    from imagelane.record.dead_letters import Filter

F = TypeVar("F", bound=Callable[..., Any])


def filter_options(command: F) -> F:
    """Which letters are meant."""
    for option in (
        click.option("--image", metavar="IMAGE", help="Of this number, name or pattern."),
        click.option(
            "--error", type=click.Choice([one.value for one in ErrorClass]), help="Of this class."
        ),
        click.option("--stage", metavar="STAGE", help="Of this stage."),
    ):
        command = option(command)
    return command


def chosen_filter(stage: str | None, error: str | None, image: str | None) -> Filter:
    """The options as a filter."""
    from imagelane.record.dead_letters import Filter as Which  # noqa: PLC0415

    return Which(stage, None if error is None else ErrorClass(error), image)


@click.command("dead-letters")
@run_argument
@filter_options
@workspace_option
@click.option("--json", "as_json", is_flag=True, help="The same for programs, one object a line.")
def dead_letters(
    run: str | None,
    *,
    stage: str | None,
    error: str | None,
    image: str | None,
    workspace: Path,
    as_json: bool,
) -> None:
    """What failed for good in RUN and was not done since: what, why, how often, and the command
    that reproduces it. Without RUN: in the newest run."""
    from imagelane.record.dead_letters import dead_letters as letters_of  # noqa: PLC0415
    from imagelane.report.letters import letter_data, letters_text  # noqa: PLC0415

    with acting(workspace, run) as at:
        letters = letters_of(at.journal, at.row.run, chosen_filter(stage, error, image))
        if as_json:
            say(json.dumps(letter_data(asdict(one), at.row.run)) for one in letters)
        else:
            say(letters_text(letters, at.row.run, ink(), columns()))
