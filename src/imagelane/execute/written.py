"""How the stages that write pictures do it: as they were told, or at a quality that is found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from imagelane.execute import presets
from imagelane.execute.attempt import Attempt, Result
from imagelane.execute.encoders import Encoding, encode
from imagelane.execute.picture import Picture
from imagelane.execute.probing import Target, find
from imagelane.model.outcome import CODED, Rendition


class Written(NamedTuple):
    """A rendition in the artifact store; ``found`` is empty where nothing had to be found."""

    rendition: Rendition
    found: Mapping[str, Any]


def write(
    attempt: Attempt, name: str, picture: Picture, how: Encoding, target: Target | None
) -> Written:
    """A picture as a rendition of that name. What is lossless has no quality to be found.

    Raises:
        InvalidError: it is larger than the target allows, whatever its quality.
        BugError: the format cannot hold it, or is not built in.
    """
    if target is None or how.format in presets.LOSSLESS:
        return Written(attempt.save(name, how.format, encode(picture, how), picture), {})
    found = find(picture, how, target, attempt.piece.allowance)
    return Written(attempt.save(name, how.format, found.data, picture), found.facts)


def result(written: Iterable[Written], picture: Picture | None = None) -> Result:
    """What a stage hands back that wrote these, in this order."""
    ones = tuple(written)
    coded = {f"{one.name}.{one.suffix}": found for one, found in ones if found}
    facts = {CODED: coded} if coded else {}
    return Result(tuple(one for one, _ in ones), facts, picture=picture)
