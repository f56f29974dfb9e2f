"""Progress drawn in place, on a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import IO, TextIO, cast

from rich.console import Console as RichConsole
from rich.console import Group
from rich.live import Live
from rich.text import Text

from imagelane.adapters.observers.frame import ASCII, Look, Title, frame
from imagelane.adapters.observers.steady import Steady
from imagelane.model.events import Event
from imagelane.model.plan import PhysicalPlan
from imagelane.model.run import RunState
from imagelane.ports.observer import Pulse
from imagelane.report.clean import left, visible
from imagelane.report.ink import ink_for
from imagelane.report.progress import Progress
from imagelane.report.summary import Whereabouts, summary

EVERY = 0.2
"""Seconds between two frames at least: fast enough to seem alive, slow enough to cost nothing."""


class Drawn:
    """Draws how the run stands, in place, and leaves a summary when it stands still."""

    def __init__(
        self,
        stream: TextIO,
        where: Whereabouts,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._out = Steady(stream)
        self._ink = ink_for(stream)
        self._where = where
        self._clock = clock
        self._screen = RichConsole(
            file=cast("IO[str]", self._out), highlight=False, markup=False, emoji=False
        )
        self._look = Look() if "utf" in self._out.encoding.lower() else ASCII
        self._progress: Progress | None = None
        self._live: Live | None = None
        self._title = Title("", "", "")
        self._began = clock()
        self._drawn = float("-inf")

    def opened(self, plan: PhysicalPlan, run: str, expected: tuple[int, int]) -> None:
        self._progress = Progress(plan, run, expected)
        self._title = Title(plan.logical.name, plan.model, run)
        self._began = self._clock()
        self._live = Live(
            console=self._screen,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._live.start()
        # Rich hides the cursor; a run that is killed would leave the terminal without one.
        self._screen.show_cursor(show=True)

    def recorded(self, events: Sequence[Event]) -> None:
        if self._progress is not None:
            self._progress.recorded(events)

    def pulse(self, state: RunState, pulse: Pulse) -> None:
        now = self._clock()
        if self._progress is None or self._live is None or now - self._drawn < EVERY:
            return
        self._drawn = now
        self._progress.take_news()
        size = self._screen.size
        snapshot = self._progress.snapshot(state, pulse)
        waits = [Text(left(visible(pulse.waiting), size.width - 1), "yellow")]
        above = waits if pulse.waiting else []
        height = size.height - 1 - len(above)
        lines = above + frame(self._title, snapshot, size.width - 1, height, self._look)
        self._live.update(Group(*lines), refresh=True)

    def closed(self, state: RunState) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
        if self._progress is None:
            return
        elapsed = self._clock() - self._began
        width = min(self._screen.size.width, 120)
        for line in summary(
            self._progress, state, elapsed, self._where, ink=self._ink, width=width
        ):
            self._out.line(line)
