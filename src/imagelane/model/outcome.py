"""What became of an attempt: said by a worker, recorded by the journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from imagelane.model.ids import Digest
from imagelane.model.obstacle import Obstacle
from imagelane.model.states import ErrorClass

Verdict = Literal["approve", "review", "reject"]

CODED = "coded"
"""The fact that says what had to be found for a stage's files, each by its name and ending, such as
``480.jpg``: its ``quality``, its score (``ssimulacra2``), how many files were written (``tries``),
and what held it back (``limit``), if anything did."""


@dataclass(frozen=True, slots=True)
class Rendition:
    """One file that a stage made, already in the artifact store under its digest.

    ``name`` tells it from the stage's other files and becomes part of the published file name
    (``480`` in ``harbour-480.jpg``). Width and height are in pixels, 0 where it is no picture.
    """

    name: str
    digest: Digest
    bytes: int
    format: str
    width: int = 0
    height: int = 0

    @property
    def suffix(self) -> str:
        """The file name ending, without the dot."""
        return "jpg" if self.format == "jpeg" else self.format


@dataclass(frozen=True, slots=True)
class Success:
    """``facts`` are JSON values that later stages and templates may read."""

    renditions: tuple[Rendition, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """``message`` is one line for a person; ``detail`` (a traceback, a response) may be long.

    ``retry_after`` (seconds) is what the other side asked for, e.g. by HTTP's Retry-After. Where
    there was an ``obstacle`` the attempt does not count.
    """

    error: ErrorClass
    message: str
    detail: str = ""
    retry_after: float | None = None
    obstacle: Obstacle | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """Not executed, because something that it needs is missing."""

    reason: str


Outcome = Success | Failure | Skipped
