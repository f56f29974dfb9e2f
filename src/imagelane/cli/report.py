"""`imagelane report`: one HTML file about a run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imagelane import __version__
from imagelane.cli.failures import ENVIRONMENT, CommandError
from imagelane.cli.seen import (
    journal_of,
    near,
    say,
    spec_of,
    target_of,
    the_run,
    workspace_option,
)

if TYPE_CHECKING:
    from imagelane.model.spec import PipelineSpec
    from imagelane.report.view import RunView


@click.command()
@click.argument("run", required=False, metavar="[RUN]")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it here.")
@click.option("--no-pictures", is_flag=True, help="Leave the pictures out: text and times only.")
@click.option("--open", "opened", is_flag=True, help="Show it in the browser.")
@workspace_option
def report(
    run: str | None, *, out: Path | None, no_pictures: bool, opened: bool, workspace: Path
) -> None:
    """Write RUN's report: one HTML file with all that it shows inside. Without RUN: the newest one.

    It is written whole or not at all; without --out into the run's own folder of the workspace.
    """
    from imagelane.config import Workspace  # noqa: PLC0415 -- loads when it is needed
    from imagelane.report.clean import visible  # noqa: PLC0415
    from imagelane.report.html import render  # noqa: PLC0415
    from imagelane.report.pictures import Pictures, read_pictures  # noqa: PLC0415
    from imagelane.report.read import read_run  # noqa: PLC0415
    from imagelane.report.wording import size  # noqa: PLC0415

    inside = workspace / ".imagelane"
    place = Workspace(inside if inside.is_dir() else workspace)
    with journal_of(workspace) as journal:
        row = the_run(journal, run)
        view = read_run(journal, row)
    pictures = Pictures()
    if not no_pictures:
        from imagelane.adapters.artifacts.filesystem import FilesystemArtifacts  # noqa: PLC0415

        pictures = read_pictures(view, FilesystemArtifacts(place.artifacts))
    spec = spec_of(row)
    target = target_of(spec)
    page = render(
        view,
        pictures,
        plan=_plan(spec, view),
        target=near(target) if target else "",
        version=__version__,
    ).encode("utf-8", "replace")
    file = out or place.run(row.run) / "report.html"
    _write(file, page, make_folder=out is None)
    say([f"{visible(near(file.absolute()))}  {size(len(page))}"])
    if opened:
        click.launch(str(file.absolute()))


def _plan(spec: PipelineSpec | None, view: RunView) -> str:
    """The plan as text, as this version explains it; empty if it cannot."""
    from imagelane import wiring  # noqa: PLC0415
    from imagelane.model.codec import from_json  # noqa: PLC0415
    from imagelane.model.policy import RunOptions  # noqa: PLC0415
    from imagelane.plan.explain import explain  # noqa: PLC0415
    from imagelane.plan.logical import PlanError  # noqa: PLC0415

    if spec is None:
        return ""
    known = {name: view.options[name] for name in RunOptions.__slots__ if name in view.options}
    try:
        return explain(wiring.plan(spec, from_json(RunOptions, known)))
    except (PlanError, KeyError, TypeError, ValueError):
        return ""


def _write(file: Path, page: bytes, *, make_folder: bool) -> None:
    """Write beside it, then rename: a reader sees the old report or the new one."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        if make_folder:
            file.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(page)
        beside.replace(file)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise CommandError(
            f"cannot write {file}: {error.strerror}; --out FILE names another place", ENVIRONMENT
        ) from None
