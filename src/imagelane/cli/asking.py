"""What the commands that predict share: how many images, and what the prediction is made from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from imagelane.advise.foretell import Question
    from imagelane.model.forecast import Price


class ImageCount(click.ParamType[int]):
    """A number of images, also as ``1e6`` or ``10k``."""

    name = "number"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        text = str(value).replace(",", "").replace("_", "").lower()
        units = {"k": 10**3, "m": 10**6}
        unit = units.get(text[-1:], 1)
        try:
            number = float(text[:-1] if unit > 1 else text) * unit
        except ValueError:
            number = 0.0
        if not 1 <= number <= 1e12:
            self.fail(f"{value!r}: expected a number such as 500, 10k or 1e6", param, ctx)
        return round(number)


images_option = click.option(
    "--images", type=ImageCount(), metavar="N", help="How many; default: those of the source."
)


def question_of(file: Path, images: int | None, cores: int | None, price: Price | None) -> Question:
    """What is asked of a pipeline, with the measurements that there are.

    Raises:
        ProfileError: there are none.
    """
    from imagelane import wiring  # noqa: PLC0415 - loads when it is needed
    from imagelane.wiring import profiling  # noqa: PLC0415

    return profiling.question(wiring.load(file), images=images, cores=cores, price=price)
