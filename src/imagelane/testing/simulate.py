"""`python -m imagelane.testing.simulate`: seeded worlds, for as long as one likes.

Says every ten seconds how far it is, and of each case that breaks a promise the seed, the command
that plays it again, and the smallest case found that breaks the same. Exits with 1 if one did.
"""

from __future__ import annotations

import sys
import time

import click

from imagelane.declare.values import seconds
from imagelane.testing.simulation.search import Search

PROGRESS = 10.0
"""Seconds between two lines that say how far it is."""


class _Duration(click.ParamType[float]):
    name = "duration"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        try:
            return seconds(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command()
@click.option("--seed", default=1, help="The first case; the next ones count on from it.")
@click.option("--steps", default=200_000, help="Stop after so many steps.", show_default=True)
@click.option("--for", "limit", type=_Duration(), help="Go on for so long instead: 10m, 1h.")
@click.option("--engine", is_flag=True, help="Play through the engine, not only its scheduler.")
def main(seed: int, steps: int, limit: float | None, *, engine: bool) -> None:
    """Play seeded cases and hold them against the promises."""
    search = Search(seed, engine=engine)
    began = said = time.monotonic()
    told = 0

    def enough() -> bool:
        nonlocal said, told
        now = time.monotonic()
        for found in search.found[told:]:
            click.echo(str(found))
        told = len(search.found)
        if now - said >= PROGRESS:
            said = now
            click.echo(_progress(search, now - began))
        return now - began >= limit if limit is not None else search.steps >= steps

    found = search.until(enough)
    click.echo(_progress(search, time.monotonic() - began))
    sys.exit(1 if found else 0)


def _progress(search: Search, passed: float) -> str:
    last = search.seed + search.cases - 1
    return (
        f"{search.steps:,} steps in {search.cases:,} cases, seeds {search.seed} to {last}, "
        f"in {passed:.0f} s; {len(search.found)} broke a promise"
    )


if __name__ == "__main__":
    main()
