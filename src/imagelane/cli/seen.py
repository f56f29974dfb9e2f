"""What the commands that look at runs share: the workspace, the run that is meant, the output."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imagelane.cli.failures import CommandError
from imagelane.model.states import RunStatus

if TYPE_CHECKING:
    from imagelane.model.ids import Subject
    from imagelane.model.spec import PipelineSpec
    from imagelane.ports.journal import Journal, RunRow
    from imagelane.report.ink import Ink

workspace_option = click.option(
    "--workspace",
    type=click.Path(path_type=Path),
    default=Path(".imagelane"),
    show_default=True,
    help="The folder beside the pipeline file that holds the journal.",
)


@contextmanager
def journal_of(workspace: Path) -> Iterator[Journal]:
    """The journal of a workspace, or of the folder that holds one."""
    from imagelane import wiring  # noqa: PLC0415 -- loads when it is needed

    inside = workspace / ".imagelane"
    journal = wiring.open_journal(inside if inside.is_dir() else workspace)
    try:
        yield journal
    finally:
        journal.close()


def the_run(journal: Journal, word: str | None) -> RunRow:
    """The run that is meant.

    Raises:
        CommandError: none is, or more than one.
    """
    from imagelane.report.find import NothingFoundError, find_run  # noqa: PLC0415

    try:
        return find_run(journal.runs(), word)
    except NothingFoundError as error:
        raise CommandError(str(error)) from None


def one_image(journal: Journal, row: RunRow, word: str) -> tuple[Subject, str]:
    """The image that is meant, and its name.

    Raises:
        CommandError: none is, more than one, or a group.
    """
    from imagelane.report.clean import visible  # noqa: PLC0415
    from imagelane.report.find import NothingFoundError, find  # noqa: PLC0415

    try:
        found = find(journal, row, word)
    except NothingFoundError as error:
        raise CommandError(str(error)) from None
    subject, name = found.subjects[0]
    if found.count > 1 or not subject.ordinal:
        raise CommandError(f"{visible(word)!r} is not one image: give its number")
    return subject, visible(name)


def spec_of(row: RunRow) -> PipelineSpec | None:
    """The pipeline that the run was begun with; None if a later version wrote it."""
    from imagelane.model.codec import from_json  # noqa: PLC0415
    from imagelane.model.spec import PipelineSpec as Spec  # noqa: PLC0415

    try:
        return from_json(Spec, row.definition["spec"])
    except (KeyError, TypeError, ValueError):
        return None


def target_of(spec: PipelineSpec | None) -> Path | None:
    """Where the pipeline publishes, absolute; None if it does not."""
    for stage in spec.stages if spec else ():
        if stage.uses in {"store", "publish"} and (to := stage.parameters.get("to")):
            return Path(spec.folder, to) if spec else None
    return None


def near(path: Path) -> str:
    """The path as short as it can be typed here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def taking_up(row: RunRow) -> str:
    """The command that takes the run up if its process is gone; empty if it is not."""
    from imagelane.adapters.owner import alive  # noqa: PLC0415

    if row.status is not RunStatus.RUNNING or alive(row.owner):
        return ""
    spec = spec_of(row)
    file = near(Path(spec.file)) if spec and spec.file else "PIPELINE"
    return f"imagelane run {file}"


def ink() -> Ink:
    """Colour, if standard output is a terminal and nobody asked for none."""
    from imagelane.report.ink import ink_for  # noqa: PLC0415

    return ink_for(sys.stdout)


def columns() -> int:
    """How wide lines may be: as the terminal, and no wider than is good to read."""
    return min(140, shutil.get_terminal_size((100, 24)).columns)


def say(lines: Iterable[str]) -> None:
    """Print lines; what the output's encoding lacks is replaced. Whoever reads may leave early."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        for line in lines:
            click.echo(line.encode(encoding, "replace").decode(encoding), color=True)
    except BrokenPipeError:
        # What is left in the buffer would raise again when Python flushes it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
