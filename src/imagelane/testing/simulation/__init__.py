"""A simulated world: the real scheduler and the real fold, under time, workers and disks that are
made up.

Time passes only from one event to the next, so a run of hours takes milliseconds, and everything
that happens follows from the seed. What is promised is checked after every step: `promises.py`.
"""

from imagelane.testing.simulation.behaviour import Behaviour, Does
from imagelane.testing.simulation.broken import BrokenGuaranteeError
from imagelane.testing.simulation.faults import Fault, Kind
from imagelane.testing.simulation.sources import items_of
from imagelane.testing.simulation.workers import Interval
from imagelane.testing.simulation.world import EPOCH, World, fold

__all__ = [
    "EPOCH",
    "Behaviour",
    "BrokenGuaranteeError",
    "Does",
    "Fault",
    "Interval",
    "Kind",
    "World",
    "fold",
    "items_of",
]
