"""`imagelane profile`: measure a pipeline's stages."""

from __future__ import annotations

import json
from pathlib import Path

import click

from imagelane.cli.options import pipeline_file
from imagelane.cli.seen import ink, near, say


@click.command()
@pipeline_file
@click.option(
    "--sample", type=click.IntRange(1), default=50, show_default=True, help="Images to measure."
)
@click.option(
    "--seconds",
    type=click.FloatRange(1),
    default=40.0,
    show_default=True,
    help="How long it may take, about.",
)
@click.option(
    "--from-journal", is_flag=True, help="Run nothing: read what earlier runs have recorded."
)
@click.option("--json", "as_json", is_flag=True, help="The same for programs.")
def profile(file: Path, *, sample: int, seconds: float, from_journal: bool, as_json: bool) -> None:
    """Measure PIPELINE: what each stage takes alone, by the size of the picture, and in company.

    A sample of its images is run several times on the side: one at a time, then two and more side
    by side. Nothing is published or recorded; but stages that call a service do call it. What is
    found is kept in the workspace, for `imagelane advise` and `imagelane simulate`.
    """
    from imagelane import wiring  # noqa: PLC0415 - loads when it is needed
    from imagelane.model.codec import to_json  # noqa: PLC0415
    from imagelane.report.profiles import profile_text  # noqa: PLC0415
    from imagelane.wiring import profiling  # noqa: PLC0415

    spec = wiring.load(file)
    if from_journal:
        found = profiling.from_journal(spec)
    else:
        found = profiling.measure(
            spec, sample=sample, seconds=seconds, say=lambda line: click.echo(line, err=True)
        )
    kept = profiling.keep_profile(spec, found)
    if as_json:
        say([json.dumps(to_json(found), indent=2)])
        return
    say([*profile_text(found, ink()), f"kept in {near(kept)}"])
