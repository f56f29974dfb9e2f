"""`moderate`: may this be shown?"""

from __future__ import annotations

from typing import ClassVar

from pydantic import model_validator

from imagelane.declare.stages.base import StageParameters
from imagelane.declare.values import Share, mistake
from imagelane.model.spec import Extent, StageTraits


class Moderate(StageParameters):
    """Let a model that runs on this machine score the picture, from 0 (safe) to 1. Below `review`
    it is approved, from there on it waits for a human, and from `reject` on it is out. An error is
    never an approval. Needs the extra: pip install 'imagelane[moderation]'."""

    KIND: ClassVar[str] = "moderate"
    TRAITS: ClassVar[StageTraits] = StageTraits(facts=frozenset({"nsfw"}))

    review: Share = 0.5
    """The score from which a human decides."""
    reject: Share = 0.85
    """The score from which the picture is rejected."""

    def extent(self) -> Extent:
        return Extent(256, 256, "cover")

    @model_validator(mode="after")
    def _ordered(self) -> Moderate:
        review, reject = float(self.review), float(self.reject)
        if review > reject:
            raise mistake(f"found {review}", f"at most `reject`, {reject}", at="review")
        return self
