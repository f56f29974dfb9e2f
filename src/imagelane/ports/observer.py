"""Observers read the event stream of a run and cannot alter its flow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from imagelane.model.events import Event
from imagelane.model.ids import StageName
from imagelane.model.plan import PhysicalPlan
from imagelane.model.run import RunState


@dataclass(frozen=True, slots=True)
class Pulse:
    """How the run stands at one moment, beside its `RunState`.

    ``queued`` and ``running`` count tasks by stage. ``expected`` is (images, groups) in the
    source. ``elapsed`` is in seconds since this coordinator began. ``waiting`` says for what
    nothing is begun, and is empty while there is nothing to wait for. ``short_of_memory`` says
    that less is begun because the machine has too little memory left.
    """

    queued: dict[StageName, int] = field(default_factory=dict)
    running: dict[StageName, int] = field(default_factory=dict)
    expected: tuple[int, int] = (0, 0)
    elapsed: float = 0.0
    waiting: str = ""
    short_of_memory: bool = False


class Observer(Protocol):
    def opened(self, plan: PhysicalPlan, run: str, expected: tuple[int, int]) -> None:
        """The run begins or is resumed."""

    def recorded(self, events: Sequence[Event]) -> None:
        """These events are durable now."""

    def pulse(self, state: RunState, pulse: Pulse) -> None:
        """Called a few times a second; may draw."""

    def closed(self, state: RunState) -> None:
        """The run stands still."""
