"""`imagelane resolve`: decide what becomes of what is held, dead or left out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from imagelane.cli.acting import Acting, acting, actor, told, wait_option, workspace_option
from imagelane.cli.failures import CommandError
from imagelane.model.decision import RESOLVES, Decision, Verb
from imagelane.model.states import GroupState, ImageState

if TYPE_CHECKING:
    from imagelane.model.ids import Subject

MOST = 100_000
"""Subjects that one pattern may mean."""


@click.command()
@click.argument("what", metavar="IMAGE|GROUP")
@click.argument("verb", type=click.Choice([verb.value for verb in RESOLVES]))
@click.option("--reason", required=True, help="Why; it is recorded, with who decided.")
@click.option("--run", metavar="RUN", help="In this run; without it: in the newest one.")
@workspace_option
@wait_option
def resolve(
    what: str, verb: str, *, reason: str, run: str | None, workspace: Path, wait: float
) -> None:
    """Decide what becomes of an image that is held, dead, skipped, rejected or partial.

    IMAGE is a number such as 3.12, a file name, a path or a pattern; `held` means all that are
    held. A group that is held can be retried or aborted.

    \b
    retry    what failed is tried again, with new attempts
    skip     it leaves its group, which goes live without it
    abort    nothing of its group goes live
    approve  the verdict that kept it back is overruled
    reject   it is left out, as if a stage had rejected it
    """  # noqa: D301 - the letter that keeps click from filling the lines
    from imagelane import control  # noqa: PLC0415 - loads when it is needed

    with acting(workspace, run) as at:
        who = actor()
        subjects = _meant(at, what)
        decisions = [Decision(subject, Verb(verb), reason, who) for subject in subjects]
        answer = control.decide(at.journal, at.workspace, at.row, decisions, wait)
        listed = ", ".join(map(str, subjects[:5])) + (" …" if len(subjects) > 5 else "")
        told(
            answer,
            f"{verb}: {listed} ({len(subjects)} in all)" if subjects[1:] else f"{verb}: {listed}",
            f"the process that executes run {at.row.run} was asked",
            f"`imagelane resume {at.row.run}` carries on",
        )


def _meant(at: Acting, what: str) -> list[Subject]:
    from imagelane.report.find import NothingFoundError, find  # noqa: PLC0415

    if what == "held":
        subjects = _held(at)
        if not subjects:
            raise CommandError(f"nothing is held in run {at.row.run}")
        return subjects
    try:
        found = find(at.journal, at.row, what, most=MOST)
    except NothingFoundError as error:
        raise CommandError(str(error)) from None
    if found.count > 1 and not found.pattern:
        listed = ", ".join(str(subject) for subject, _ in found.subjects[:5])
        raise CommandError(f"{what!r} can be any of {found.count} ({listed}): give its number")
    if found.count > len(found.subjects):
        raise CommandError(f"{what!r} means {found.count:,}: at most {MOST:,} at once")
    return [subject for subject, _ in found.subjects]


def _held(at: Acting) -> list[Subject]:
    """Images that are held; and groups that are, although none of their images is."""
    from imagelane.model.ids import Subject  # noqa: PLC0415

    run = at.row.run
    held = frozenset({ImageState.HELD})
    subjects = [row.subject for row in at.journal.images(run, states=held)]
    groups = {subject.group for subject in subjects}
    subjects += [
        Subject(row.group)
        for row in at.journal.groups(run)
        if row.state is GroupState.HELD and row.group not in groups
    ]
    return subjects
