"""`imagelane replay`: every stage of one image executed anew, and compared with the record."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imagelane import __version__
from imagelane.cli.acting import Acting, acting, workspace_option
from imagelane.cli.failures import ENVIRONMENT, FINISHED, LOSSES, CommandError
from imagelane.cli.seen import ink, near, one_image, say

if TYPE_CHECKING:
    from imagelane.model.replay import Step
    from imagelane.reproduce.replay import Replay


@click.command()
@click.argument("image", metavar="IMAGE")
@click.option("--run", metavar="RUN", help="Of this run; without it: of the newest one.")
@click.option("--stage", metavar="STAGE", help="Up to this stage: it, and what it needs.")
@click.option("--step", is_flag=True, help="Stop after each step: go on, look at it, or leave.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep what each step made in this folder, which is made.",
)
@click.option("--html", is_flag=True, help="Write a page with the picture after every step.")
@click.option(
    "--debug", is_flag=True, help="Stop in a debugger where STAGE, a function of yours, begins."
)
@workspace_option
def replay(
    image: str,
    *,
    run: str | None,
    stage: str | None,
    step: bool,
    out: Path | None,
    html: bool,
    debug: bool,
    workspace: Path,
) -> None:
    """Execute the stages of one IMAGE of a run anew, one by one, and compare what each makes with
    what was recorded: every file, every fact, every kept picture. Says where it first differs, and
    why as far as that can be known.

    It happens in a scratch place, with the pipeline that the run was begun with. Nothing is
    recorded, nothing goes live, and no stage that acts on the world outside is executed.

    Exits with 0 where everything is as recorded and with 1 where something differs.
    """
    from imagelane.reproduce.replay import replay as replaying  # noqa: PLC0415 - when it is needed

    if debug and stage is None:
        raise CommandError("--debug stops in one stage: say which with --stage")
    if out is not None and out.exists() and any(out.iterdir()):
        raise CommandError(f"{near(out)} is not empty: --out names a folder that is made")
    with acting(workspace, run) as at:
        subject, name = one_image(at.journal, at.row, image)
        say([f"{ink().bold(name)}  {subject}  run {at.row.run}"])
        opened = replaying(
            at.journal,
            at.row,
            subject,
            at.workspace,
            stage=stage,
            looks=html or out is not None,
            inline=debug,
        )
        with opened as replayed:
            steps = list(_told(_debugged(replayed) if debug else replayed.steps(), step, replayed))
            if out is not None:
                _keep(steps, replayed.artifacts, out)
            if html:
                _write(at, f"{name}  {subject}", steps, replayed, out)
            _conclude(steps, replayed)
    sys.exit(LOSSES if any(one.likeness == "differs" for one in steps) else FINISHED)


def _debugged(replayed: Replay) -> Iterator[Step]:
    """The steps; in the last one, which is the stage that was named, the debugger stops."""
    from imagelane.reproduce.debug import place_of, stopping_at  # noqa: PLC0415

    *before, last = replayed.stages
    place = place_of(last.spec.uses, replayed.folder)
    steps = replayed.steps()
    for _ in before:
        yield next(steps)
    yield stopping_at(place, lambda: next(steps))
    yield from steps


def _told(steps: Iterator[Step], stops: bool, replayed: Replay) -> Iterator[Step]:  # noqa: FBT001
    """The steps, each told as it is over; ends where somebody has seen enough."""
    from imagelane.report.replaying import fact_lines, step_lines  # noqa: PLC0415

    paint = ink()
    names = max(len(one.name) for one in replayed.stages)
    asks = stops and sys.stdin.isatty()
    for step in steps:
        say(step_lines(step, names, paint))
        if stops and not asks:
            say(fact_lines(step, paint))
        yield step
        while asks and step.number < len(replayed.stages):
            answer = click.prompt(
                "      next, facts, quit",
                default="n",
                type=click.Choice(["n", "f", "q"]),
                show_choices=True,
            )
            if answer == "q":
                return
            if answer == "n":
                break
            say(fact_lines(step, paint))


def _conclude(steps: Sequence[Step], replayed: Replay) -> None:
    from imagelane.report.clean import visible  # noqa: PLC0415
    from imagelane.report.replaying import verdict  # noqa: PLC0415

    lead, *why = verdict(steps, replayed.causes, len(replayed.stages))
    say(["", ink().bold(lead), *(f"  {visible(one)}" for one in why)])


def _keep(steps: Sequence[Step], artifacts: Path, out: Path) -> None:
    """Copy what each step made into a folder of its own, with what it found."""
    from imagelane.ports.artifacts import object_path  # noqa: PLC0415

    try:
        for step in steps:
            folder = out / f"{step.number:02}-{step.stage}"
            folder.mkdir(parents=True)
            values = {"uses": step.uses, "with": step.parameters, "facts": step.facts}
            text = json.dumps(values, indent=2, default=dict, ensure_ascii=False)
            (folder / "step.json").write_text(f"{text}\n", encoding="utf-8")
            named = [(f"{one.name}.{one.suffix}", one) for one in step.renditions]
            named += [("picture.png", step.exact)] if step.exact else []
            for name, rendition in named:
                origin = artifacts / object_path(rendition.digest)
                if origin.exists():
                    shutil.copyfile(origin, folder / name)
    except OSError as error:
        raise CommandError(f"cannot write {out}: {error.strerror}", ENVIRONMENT) from None
    say(["", f"{near(out.absolute())}  what each step made"])


def _write(
    at: Acting, title: str, steps: Sequence[Step], replayed: Replay, out: Path | None
) -> None:
    from imagelane.adapters.artifacts.filesystem import FilesystemArtifacts  # noqa: PLC0415
    from imagelane.config import Workspace  # noqa: PLC0415
    from imagelane.report.strip import render  # noqa: PLC0415
    from imagelane.report.wording import size  # noqa: PLC0415

    store = FilesystemArtifacts(replayed.artifacts)
    page = render(title, at.row.run, steps, replayed.causes, store, version=__version__)
    data = page.encode("utf-8", "replace")
    subject = title.rpartition(" ")[2]
    home = Workspace(at.workspace).run(at.row.run)
    file = home / f"replay-{subject}.html" if out is None else out / "replay.html"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    except OSError as error:
        raise CommandError(f"cannot write {file}: {error.strerror}", ENVIRONMENT) from None
    say(["", f"{near(file.absolute())}  {size(len(data))}"])
