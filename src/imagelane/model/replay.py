"""What a replay finds: stages of one image executed anew, each beside what was recorded of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from imagelane.model.ids import StageName
from imagelane.model.outcome import Failure, Rendition, Verdict


class Likeness(StrEnum):
    """How a step compares with the record."""

    SAME = "same"
    DIFFERS = "differs"
    UNRECORDED = "unrecorded"
    """The run has no outcome of it: it was not finished there."""
    KEPT = "kept"
    """Not executed, because it acts on the world outside: its outcome is the recorded one."""
    SKIPPED = "skipped"
    """Not executed, because something that it needs is missing."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """``differences`` are lines for a person; of what is the same, ``digests`` and ``facts`` count
    how much there was to compare. ``unseen``: the stage's picture was not kept in the run, so
    nobody can tell whether it is the same."""

    differences: tuple[str, ...] = ()
    digests: int = 0
    facts: int = 0
    unseen: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of an image, executed anew.

    ``took`` names the stage whose picture it worked on, None the source's, where it ``reads``
    pictures. ``before`` and ``after`` show the picture that it took and the one that it made.
    ``first`` is the step before it, if any, from which its differences may only follow. Times are
    in seconds.
    """

    number: int
    stage: StageName
    uses: str
    parameters: Mapping[str, Any]
    likeness: Likeness
    reason: str = ""
    comparison: Comparison = Comparison()
    first: StageName | None = None
    seconds: float = 0.0
    recorded_seconds: float | None = None
    renditions: tuple[Rendition, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    verdict: Verdict | None = None
    failure: Failure | None = None
    reads: bool = False
    took: StageName | None = None
    before: Rendition | None = None
    after: Rendition | None = None
    exact: Rendition | None = None
    """The picture that it made, without loss."""
