"""Progress for people: drawn on a terminal, told in lines everywhere else."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TextIO

from imagelane.adapters.observers.plain import Plain
from imagelane.model.events import Event
from imagelane.model.plan import PhysicalPlan
from imagelane.model.run import RunState
from imagelane.ports.observer import Observer, Pulse
from imagelane.report.ink import on_terminal
from imagelane.report.summary import Whereabouts


class Console:
    """A live display where the stream is a terminal, plain lines where it is a pipe or a file.

    The summary at the end is the same in both.
    """

    def __init__(self, stream: TextIO | None = None, where: Whereabouts | None = None) -> None:
        """``stream`` is standard error unless said otherwise: standard output stays free."""
        chosen = stream or sys.stderr
        self._shown: Observer
        if on_terminal(chosen):
            from imagelane.adapters.observers.live import Drawn  # noqa: PLC0415 -- rich is not light

            self._shown = Drawn(chosen, where or Whereabouts())
        else:
            self._shown = Plain(chosen, where or Whereabouts())

    def opened(self, plan: PhysicalPlan, run: str, expected: tuple[int, int]) -> None:
        self._shown.opened(plan, run, expected)

    def recorded(self, events: Sequence[Event]) -> None:
        self._shown.recorded(events)

    def pulse(self, state: RunState, pulse: Pulse) -> None:
        self._shown.pulse(state, pulse)

    def closed(self, state: RunState) -> None:
        self._shown.closed(state)
