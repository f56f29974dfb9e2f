"""Memory: how much there still is before the kernel kills somebody for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Room:
    """``available`` bytes of the ``limit`` can still be taken by all that share it: the machine, or
    the tightest control group around this process. What the kernel can drop, such as cached files,
    counts as available. ``stalled`` is the share of the last ten seconds, from 0 to 1, in which
    everything that could have run waited for memory.
    """

    available: int
    limit: int
    stalled: float = 0.0


class Memory(Protocol):
    def room(self) -> Room | None:
        """How much there is now; None where the system does not say. Takes no time to speak of."""
