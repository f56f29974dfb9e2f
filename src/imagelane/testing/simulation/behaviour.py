"""What attempts do in a simulated world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b

from imagelane.model.ids import StageName, Subject
from imagelane.model.outcome import Outcome, Success


@dataclass(frozen=True, slots=True)
class Does:
    """What an attempt does: how long it takes, what comes of it, what it decodes (bytes)."""

    seconds: float
    outcome: Outcome = field(default_factory=Success)
    decodes: int = 0


Behaviour = Callable[[StageName, Subject, int], Does]
"""(stage, subject, attempt) to what the attempt does."""


def drawn(*what: object) -> float:
    """A number in [0, 1) that depends on ``what`` alone: not on what was drawn before, so taking a
    stage or an image out of a world changes nothing for the others."""
    digest = blake2b("/".join(map(str, what)).encode(), digest_size=8).digest()
    return int.from_bytes(digest) / (1 << 64)
