"""What subjects of a simulation will take: drawn from those that were measured."""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections.abc import Mapping, Sequence

from imagelane.advise.scaling import line
from imagelane.model.ids import StageName, Subject
from imagelane.model.profile import Effort, Profile, Specimen
from imagelane.model.states import Scope

NEAR = 5
"""Of so many specimens that are next to it in size one is taken."""
FURTHEST = 8.0
"""A specimen is stretched or shrunk by no more than this."""


class Draws:
    """Takes a measured subject of about the same size for each, and stretches what it took as the
    whole profile says that times go with size. An image's stages are drawn together, since what is
    slow to decode is slow to encode.

    Args:
        profile: what was measured.
        seed: of the draws.
        again: draw the profile itself anew, with replacement, so that what comes out of several
            seeds spreads as far as the profile may be off (the bootstrap; Efron, 1979).
        computing: how much longer than in the profile all computing takes.
    """

    def __init__(
        self, profile: Profile, seed: int, *, again: bool = False, computing: float = 1.0
    ) -> None:
        self._random = random.Random(seed)  # noqa: S311 - a seeded simulation, no secret
        self._computing = computing
        self._shelves = {scope: self._shelf(profile.specimens(scope), again) for scope in Scope}

    def _shelf(self, specimens: Sequence[Specimen], again: bool) -> _Shelf:  # noqa: FBT001
        drawn = self._random.choices(specimens, k=len(specimens)) if again else specimens
        return _Shelf(sorted(drawn or (), key=lambda one: one.size))

    def of(self, subject: Subject, size: float) -> Mapping[StageName, tuple[Effort, ...]]:
        """The attempts of a subject of a size, by stage; nothing where none was measured."""
        return self._shelves[subject.scope].draw(size, self._random, self._computing)


class _Shelf:
    """Specimens of one scope, by size."""

    def __init__(self, specimens: Sequence[Specimen]) -> None:
        self._specimens = specimens
        self._sizes = [one.size for one in specimens]
        names = {name for one in specimens for name in one.efforts}
        self._lines = {name: self._fitted(name) for name in names}

    def _fitted(self, name: StageName) -> tuple[tuple[float, float], ...]:
        """How computing, waiting, recording, decoded bytes and output go with size."""
        tried = [
            (one.size, effort)
            for one in self._specimens
            for effort in one.efforts.get(name, ())
            if effort.error is None
        ]
        return (
            line([(size, effort.cpu) for size, effort in tried]),
            line([(size, effort.waited) for size, effort in tried]),
            line([(size, effort.recorded) for size, effort in tried]),
            line([(size, float(effort.decoded)) for size, effort in tried]),
        )

    def draw(
        self, size: float, draw: random.Random, computing: float
    ) -> dict[StageName, tuple[Effort, ...]]:
        if not self._specimens:
            return {}
        near = min(NEAR, len(self._specimens))
        middle = bisect_left(self._sizes, size)
        first = min(max(0, middle - near // 2), len(self._specimens) - near)
        chosen = self._specimens[first + draw.randrange(near)]
        made = {}
        for name, efforts in chosen.efforts.items():
            cpu, waited, recorded, decoded = (
                _ratio(fitted, size, chosen.size) for fitted in self._lines[name]
            )
            made[name] = tuple(
                Effort(
                    one.cpu * cpu * computing,
                    one.waited * waited,
                    one.recorded * recorded,
                    int(one.decoded * decoded),
                    one.output,
                    one.error,
                )
                for one in efforts
            )
        return made


def _ratio(fitted: tuple[float, float], size: float, measured: float) -> float:
    at_zero, slope = fitted
    said, was = at_zero + slope * size, at_zero + slope * measured
    if said <= 0 or was <= 0:
        return 1.0
    return min(FURTHEST, max(1 / FURTHEST, said / was))


def spread_of(logarithms: Sequence[float]) -> float:
    """The standard deviation of logarithms; 0 where there are fewer than two."""
    if len(logarithms) < 2:
        return 0.0
    mean = math.fsum(logarithms) / len(logarithms)
    return math.sqrt(math.fsum((one - mean) ** 2 for one in logarithms) / (len(logarithms) - 1))
