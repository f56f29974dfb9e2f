"""Looking for cases that break a promise: one seed after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from imagelane.testing.simulation.broken import BrokenGuaranteeError
from imagelane.testing.simulation.cases import Case, case_of
from imagelane.testing.simulation.engines import play_with_engine
from imagelane.testing.simulation.play import play
from imagelane.testing.simulation.shrink import Play, broken, shrink


@dataclass(frozen=True, slots=True)
class Found:
    """A case that breaks a promise. Its text says how to see it again, and what is left of it when
    it is made small."""

    seed: int
    error: BrokenGuaranteeError
    small: Case
    how: BrokenGuaranteeError
    engine: bool

    def __str__(self) -> str:
        engine = " --engine" if self.engine else ""
        return (
            f"seed {self.seed}: {self.error}\n"
            f"  again: python -m imagelane.testing.simulate --seed {self.seed} --steps 1{engine}\n"
            f"  made small: {self.small}\n"
            f"  which says: {self.how}"
        )


@dataclass(slots=True)
class Search:
    """Plays the cases of ``seed``, ``seed + 1`` and so on; with ``engine``, through the real one.

    ``steps`` and ``cases`` count what was played, ``found`` holds what broke.
    """

    seed: int
    engine: bool = False
    steps: int = 0
    cases: int = 0
    found: list[Found] = field(default_factory=list)

    def until(self, enough: Callable[[], bool]) -> list[Found]:
        """Play at least one case, and on until there is enough. Gives all that was found."""
        while True:
            self._next()
            if enough():
                return self.found

    def _next(self) -> None:
        case = case_of(self.seed + self.cases)
        playing: Play = play_with_engine if self.engine else play
        steps = 0

        def counted(one: Case) -> int:
            nonlocal steps
            steps = playing(one)
            return steps

        error = broken(case, counted)
        self.steps += steps
        self.cases += 1
        if error is not None:
            small, how = shrink(case, error, playing)
            self.found.append(Found(case.seed, error, small, how, self.engine))
