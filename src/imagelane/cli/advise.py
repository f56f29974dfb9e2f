"""`imagelane advise`: which model, how many workers, and why."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click

from imagelane.cli.asking import images_option, question_of
from imagelane.cli.options import pipeline_file
from imagelane.cli.seen import columns, ink, near, say
from imagelane.model.forecast import Price

_UNITS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


@click.command()
@pipeline_file
@images_option
@click.option(
    "--cores", type=click.IntRange(1), help="Of the machine it is for; default: this one."
)
@click.option("--deadline", metavar="TIME", help="When it must be over, such as 90s, 10m or 2h.")
@click.option("--cost", metavar="PRICE", help='Of a core for an hour, such as "€0.04/core-hour".')
@click.option("--write", is_flag=True, help="Put the advice into PIPELINE as its run section.")
@click.option("--json", "as_json", is_flag=True, help="The same for programs.")
def advise(
    file: Path,
    *,
    images: int | None,
    cores: int | None,
    deadline: str | None,
    cost: str | None,
    write: bool,
    as_json: bool,
) -> None:
    """Say how to run PIPELINE: which model, how many workers, what it will take, and why.

    Runs nothing. The real scheduler is driven in simulated time over what `imagelane profile`
    measured, or else over what earlier runs recorded.
    """
    from imagelane.advise.recommend import advise as recommend  # noqa: PLC0415 - loads when needed
    from imagelane.model.codec import to_json  # noqa: PLC0415
    from imagelane.report.forecasts import advice_text  # noqa: PLC0415

    question = question_of(file, images, cores, _price(cost))
    advice = recommend(question, deadline=_seconds(deadline))
    if as_json:
        say([json.dumps(to_json(advice), indent=2)])
    else:
        say(advice_text(advice, ink(), columns()))
    if write:
        from imagelane.cli.run_section import write_run_section  # noqa: PLC0415

        write_run_section(file, advice.chosen.options)
        click.echo(f"written to {near(file.absolute())}, under run", err=True)


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    match = re.fullmatch(r"([0-9.]+)\s*(s|m|min|h|d)", text.strip())
    if match is None:
        raise click.BadParameter(
            f"{text!r}: expected a time such as 90s, 10m or 2h", param_hint="--deadline"
        )
    return float(match[1]) * _UNITS[match[2]]


def _price(text: str | None) -> Price | None:
    if text is None:
        return None
    match = re.fullmatch(r"([^\d.,\s]*)\s*([0-9.]+)\s*(?:/\s*core-?hours?)?", text.strip())
    if match is None:
        raise click.BadParameter(
            f'{text!r}: expected a price such as "€0.04/core-hour"', param_hint="--cost"
        )
    return Price(float(match[2]), match[1])
