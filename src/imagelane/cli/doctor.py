"""`imagelane doctor`: can this machine do the work, and what to do if it cannot."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imagelane.cli.checks import Finding
from imagelane.cli.failures import ENVIRONMENT
from imagelane.cli.seen import ink, say, workspace_option

if TYPE_CHECKING:
    from imagelane.report.ink import Ink


@click.command()
@workspace_option
@click.option("--json", "as_json", is_flag=True, help="The same for programs.")
def doctor(*, workspace: Path, as_json: bool) -> None:
    """Try what a run needs: every format decoded and encoded, text drawn, the disk, the limits, the
    layers of a sandbox. Exit code 4 if something is missing without which nothing runs."""
    findings = list(_examine(workspace))
    well = all(one.level != "missing" for one in findings)
    if as_json:
        say([json.dumps({"ok": well, "findings": [asdict(one) for one in findings]}, indent=2)])
    else:
        say(_lines(findings, ink()))
    if not well:
        sys.exit(ENVIRONMENT)


def _examine(workspace: Path) -> Iterator[Finding]:
    from imagelane.cli.checks_disk import disk_checks  # noqa: PLC0415 -- loads when it is needed
    from imagelane.cli.checks_formats import format_checks, probed  # noqa: PLC0415
    from imagelane.cli.checks_machine import machine_checks  # noqa: PLC0415
    from imagelane.cli.checks_sandbox import sandbox_checks, tried  # noqa: PLC0415

    yield from machine_checks()
    yield from format_checks(probed())
    yield from disk_checks(workspace)
    yield from sandbox_checks(tried())


def _lines(findings: Iterable[Finding], ink: Ink) -> Iterator[str]:
    area, counts = "", {"ok": 0, "warning": 0, "missing": 0}
    paint = {"ok": ink.good, "warning": ink.warn, "missing": ink.bad}
    for one in findings:
        if one.area != area:
            if area:
                yield ""
            area = one.area
            yield ink.bold(area)
        counts[one.level] += 1
        yield f"  {paint[one.level](one.level.ljust(7))}  {one.found}"
        if one.then:
            yield f"           {ink.soft('next: ' + one.then)}"
    yield ""
    if counts["missing"]:
        yield ink.bad("Something is missing without which nothing runs; see the next steps above.")
    elif counts["warning"]:
        yield "Everything that is required is there; see the warnings above."
    else:
        yield ink.good("Everything is there.")
