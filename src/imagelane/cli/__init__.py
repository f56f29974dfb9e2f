"""The command line. One file a command; each is imported when it is called."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click

from imagelane.cli.lazy import LazyCommands

_COMMANDS: Mapping[str, tuple[str, str]] = {
    "init": ("init", "Write a commented pipeline file for this folder."),
    "plan": ("plan", "Show what a pipeline will do: stages, segments, limits."),
    "profile": ("profile", "Measure what each stage takes, from a sample or earlier runs."),
    "advise": ("advise", "Which model, how many workers, what it will take, and why."),
    "simulate": ("simulate", "What a run would be like, with other numbers."),
    "run": ("run", "Run a pipeline, or take up the run that was interrupted."),
    "status": ("status", "How a run stands: states, counts, what failed and why."),
    "show": ("show", "The history of one image or group, step by step."),
    "pause": ("pause", "Let a run stand still after what is in flight."),
    "resume": ("resume", "Go on with a run that stands still."),
    "cancel": ("cancel", "End a run for good."),
    "dead-letters": ("dead_letters", "What failed for good: what, why, how often."),
    "redrive": ("redrive", "Send dead letters round again, only their unfinished part."),
    "resolve": ("resolve", "Decide what becomes of what is held, dead or left out."),
    "regenerate": ("regenerate", "Complete partial groups; make anew what is gone."),
    "replay": ("replay", "Execute one image's stages anew; compare with the record."),
    "reproduce": ("reproduce", "Try a stage on one image anew, on the side."),
    "history": ("history", "The versions of a group: since when, by which run, and why."),
    "rollback": ("rollback", "Put an earlier version of a group, or of a run's groups, back."),
    "withdraw": ("withdraw", "Take an image or a group out of what is live, or let it in again."),
    "hold": ("hold", "Put an image or a group under a legal hold, or end it."),
    "erase": ("erase", "Erase an image and all that was made of it, and prove it gone."),
    "gc": ("gc", "Remove what no run names any more."),
    "audit": ("audit", "Verify, show, export and sign the audit trail."),
    "report": ("report", "Write a run's report: one self-contained HTML file."),
    "doctor": ("doctor", "Check this machine: codecs, fonts, limits, sandbox, disk."),
}
"""Each command's module, and what `imagelane --help` says of it without importing that."""


class _Commands(LazyCommands):
    """What was interrupted has an exit code of its own."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            from imagelane.cli.failures import StoppedError  # noqa: PLC0415 - not needed for --help

            raise StoppedError from None


@click.group(
    cls=_Commands,
    package="imagelane.cli",
    known=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 finished, everything live · 1 finished with losses · 2 wrong command "
    "line, pipeline file or source · 3 stands still and waits for a human · 4 disk, permission or "
    "missing codec · 5 internal error · 130 interrupted.",
)
@click.version_option(package_name="imagelane", message="imagelane %(version)s")
def commands() -> None:
    """One image pipeline, run sequentially, in parallel or hybrid, with the same bytes out."""


def main() -> None:
    """The entry point. Every failure is one clear message and a documented exit code."""
    from imagelane.cli.failures import explained  # noqa: PLC0415 - not needed for --help

    with explained():
        sys.exit(commands.main(prog_name="imagelane", standalone_mode=True))
