"""`imagelane simulate`: what would happen, with other numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from imagelane.cli.asking import images_option, question_of
from imagelane.cli.options import chosen, execution_options, pipeline_file
from imagelane.cli.seen import columns, ink, say


@click.command()
@pipeline_file
@images_option
@click.option(
    "--cores", type=click.IntRange(1), help="Of the machine it is for; default: this one."
)
@execution_options
@click.option(
    "--one-by-one",
    type=click.IntRange(1),
    default=100_000,
    show_default=True,
    help="Images that are simulated at most; of more, the rest goes on at their rate.",
)
@click.option(
    "--seeds",
    type=click.IntRange(0),
    default=5,
    show_default=True,
    help="Further simulations, of up to 2,000 images, that the intervals are from.",
)
@click.option("--json", "as_json", is_flag=True, help="The same for programs.")
def simulate(
    file: Path,
    *,
    images: int | None,
    cores: int | None,
    one_by_one: int,
    seeds: int,
    as_json: bool,
    **given: Any,
) -> None:
    """Say what a run of PIPELINE would be like, with any model, workers and number of images.

    Runs nothing: it is simulated over what `imagelane profile` measured, or earlier runs recorded.
    """
    from imagelane.advise.foretell import foretell  # noqa: PLC0415 - loads when it is needed
    from imagelane.model.codec import to_json  # noqa: PLC0415
    from imagelane.report.forecasts import forecast_text  # noqa: PLC0415

    question = question_of(file, images, cores, None)
    options = chosen(question.options, given)
    forecast = foretell(
        question, options.model.value, options, one_by_one=one_by_one, seeds=range(1, seeds + 1)
    )
    if as_json:
        say([json.dumps(to_json(forecast), indent=2)])
        return
    say(forecast_text(forecast, ink(), columns()))
