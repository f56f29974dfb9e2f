"""`imagelane hold`: legal holds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

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

if TYPE_CHECKING:
    from imagelane.model.ids import RunId

F = TypeVar("F", bound=Callable[..., Any])


@click.group()
def hold() -> None:
    """Legal holds: what is under one is not erased, whoever asks for it."""


def _options(command: F) -> F:
    for option in (
        wait_option,
        workspace_option,
        named_in_option,
        reason_option,
        click.argument("what", metavar="IMAGE|GROUP"),
    ):
        command = option(command)
    return command


@hold.command()
@_options
def add(what: str, *, reason: str, run: str | None, workspace: Path, wait: float) -> None:
    """Put an image, images of one group, or a GROUP with all of its images under a hold."""
    from imagelane.versions.hold import add_hold  # noqa: PLC0415 - loads when it is needed
    from imagelane.versions.withdraw import Why  # noqa: PLC0415

    with acting(workspace, run) as at:
        subjects, why = meant(at, what), Why(reason, actor())
        paused = add_hold(at.journal, at.workspace, at.row, subjects, why, wait)
    _tell(f"{what} is under a legal hold", paused)


@hold.command()
@_options
def remove(what: str, *, reason: str, run: str | None, workspace: Path, wait: float) -> None:
    """End the hold on an image, images of one group, or a GROUP."""
    from imagelane.versions.hold import remove_hold  # noqa: PLC0415 - loads when it is needed
    from imagelane.versions.withdraw import Why  # noqa: PLC0415

    with acting(workspace, run) as at:
        subjects, why = meant(at, what), Why(reason, actor())
        paused = remove_hold(at.journal, at.workspace, at.row, subjects, why, wait)
    _tell(f"{what} is under no legal hold of its own any more", paused)


def _tell(said: str, paused: list[RunId]) -> None:
    click.echo(said)
    for one in paused:
        click.echo(f"run {one} was paused for this: `imagelane resume {one}` carries on")
