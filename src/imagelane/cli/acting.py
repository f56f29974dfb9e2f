"""What the commands that act on runs share: who acts, why, on which run, and what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from imagelane.adapters.owner import actor
from imagelane.cli.failures import WAITS, WRONG, CommandError
from imagelane.cli.seen import journal_of, the_run, workspace_option

if TYPE_CHECKING:
    from imagelane.control import Answer
    from imagelane.model.ids import Subject
    from imagelane.ports.journal import Journal, RunRow

F = TypeVar("F", bound=Callable[..., Any])

MOST = 10_000
"""Images that one pattern may mean."""

PATIENCE = 60.0
"""Seconds that a coordinator at work may take to do what it is asked for."""

wait_option = click.option(
    "--wait",
    type=click.FloatRange(0),
    default=PATIENCE,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the process that executes the run.",
)

reason_option = click.option(
    "--reason", required=True, help="Why; it is recorded, with who did it."
)

named_in_option = click.option(
    "--run", metavar="RUN", help="As this run names it; without it: the newest one."
)

run_argument = click.argument("run", required=False, metavar="[RUN]")


@dataclass(frozen=True, slots=True)
class Acting:
    """A run, its journal and the folder of both."""

    journal: Journal
    row: RunRow
    workspace: Path


def group_of(at: Acting, what: str) -> int:
    """The number of the group that is meant.

    Raises:
        CommandError: none is, or more than one.
    """
    from imagelane.report.find import NothingFoundError, find  # noqa: PLC0415

    try:
        found = find(at.journal, at.row, what)
    except NothingFoundError as error:
        raise CommandError(str(error)) from None
    groups = {subject.group for subject, _ in found.subjects if not subject.ordinal} - {0}
    if len(groups) != 1:
        listed = ", ".join(str(subject) for subject, _ in found.subjects[:5])
        raise CommandError(f"{what!r} can be any of {listed}: expected one group; give its number")
    return groups.pop()


def meant(at: Acting, what: str) -> list[Subject]:
    """The images of one group that are meant, or one group.

    Raises:
        CommandError: nothing is, or something that cannot be done at once.
    """
    from imagelane.report.find import NothingFoundError, find  # noqa: PLC0415

    try:
        found = find(at.journal, at.row, what, most=MOST)
    except NothingFoundError as error:
        raise CommandError(str(error)) from None
    subjects = [subject for subject, _ in found.subjects]
    listed = ", ".join(map(str, subjects[:5]))
    if found.count > 1 and not found.pattern:
        raise CommandError(f"{what!r} can be any of {found.count} ({listed}): give its number")
    one_kind = len({bool(subject.ordinal) for subject in subjects}) == 1
    if len({subject.group for subject in subjects}) > 1 or not one_kind or not subjects[0].group:
        raise CommandError(
            f"{what!r} means {found.count} of several groups ({listed}): expected one group, or "
            "images of one; name them group by group"
        )
    return subjects


@contextmanager
def acting(workspace: Path, run: str | None) -> Iterator[Acting]:
    """The run that is meant, to be acted on; what cannot be done to it becomes a clear message."""
    from imagelane.control import ControlError  # noqa: PLC0415 - loads when it is needed
    from imagelane.record.reopen import DecisionError  # noqa: PLC0415

    with journal_of(workspace) as journal:
        row = the_run(journal, run)
        try:
            yield Acting(journal, row, root_of(workspace))
        except (ControlError, DecisionError) as error:
            raise CommandError(str(error), WRONG) from None


def root_of(workspace: Path) -> Path:
    """The workspace's folder, where the folder that holds one was named."""
    inside = workspace / ".imagelane"
    return inside if inside.is_dir() else workspace


def told(answer: Answer, done: str, asked: str, later: str = "") -> None:
    """Say what came of it; exits with 3 where the coordinator has not done it yet."""
    if answer.waits:
        click.echo(f"{asked}; it has not done so yet", err=True)
        raise SystemExit(WAITS)
    click.echo(done if answer.asked or not later else f"{done}; {later}")


__all__ = ["Acting", "acting", "actor", "run_argument", "told", "wait_option", "workspace_option"]
