"""Progress where nothing can be drawn: a line now and then, for logs and pipes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TextIO

from imagelane.adapters.observers.steady import Steady
from imagelane.model.events import AlertRaised, Event
from imagelane.model.plan import PhysicalPlan
from imagelane.model.run import RunState
from imagelane.model.states import GroupState
from imagelane.ports.observer import Pulse
from imagelane.report.clean import visible
from imagelane.report.ink import Ink
from imagelane.report.progress import GroupNews, Progress, Snapshot
from imagelane.report.sentences import group_summary
from imagelane.report.summary import Whereabouts, summary
from imagelane.report.wording import about, count, number, stopwatch

EVERY = 10.0
"""Seconds between two lines about the run as a whole."""
NEWS_EVERY = 1.0
"""Seconds between two lines about groups, so that a million of them do not fill a log."""
TOLD = 3
"""Groups that are told apart at a time; more are counted."""


class Plain:
    """Lines without escape codes: how far it is every ten seconds, and each gallery as it goes
    live."""

    def __init__(
        self,
        stream: TextIO,
        where: Whereabouts,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._out = Steady(stream)
        self._where = where
        self._clock = clock
        self._progress: Progress | None = None
        self._began = clock()
        self._said = 0.0
        self._waits = False
        self._news_said = float("-inf")

    def opened(self, plan: PhysicalPlan, run: str, expected: tuple[int, int]) -> None:
        self._progress = Progress(plan, run, expected)
        self._began = self._clock()
        images, groups = expected
        self._out.line(
            f"{visible(plan.logical.name)}: {count(images, 'image')} in "
            f"{count(groups, 'group')}, {plan.model}, run {run}"
        )

    def recorded(self, events: Sequence[Event]) -> None:
        if self._progress is None:
            return
        self._progress.recorded(events)
        for event in events:
            if isinstance(event, AlertRaised):
                self._say(self._clock() - self._began, f"alert: {visible(event.message)}")

    def pulse(self, state: RunState, pulse: Pulse) -> None:
        if self._progress is None:
            return
        self._wait(pulse)
        if pulse.elapsed - self._news_said >= NEWS_EVERY:
            self._news(pulse.elapsed)
        # The estimate learns from every snapshot, so one is taken each time, told or not.
        snapshot = self._progress.snapshot(state, pulse)
        if pulse.elapsed - self._said >= EVERY:
            self._said = pulse.elapsed
            self._say(pulse.elapsed, _how_far(snapshot))

    def closed(self, state: RunState) -> None:
        if self._progress is None:
            return
        elapsed = self._clock() - self._began
        self._news(elapsed)
        for line in summary(self._progress, state, elapsed, self._where, ink=Ink(), width=100):
            self._out.line(line)

    def _wait(self, pulse: Pulse) -> None:
        if bool(pulse.waiting) == self._waits:
            return
        self._waits = bool(pulse.waiting)
        self._say(
            pulse.elapsed,
            f"waiting: {visible(pulse.waiting)}" if pulse.waiting else "there is room: it goes on",
        )

    def _news(self, elapsed: float) -> None:
        news, more = self._progress.take_news() if self._progress else ((), 0)
        if not news:
            return
        self._news_said = elapsed
        if len(news) + more <= TOLD:
            for one in news:
                self._say(elapsed, _became(one))
        else:
            live = sum(one.state in {GroupState.PUBLISHED, GroupState.PARTIAL} for one in news)
            self._say(elapsed, f"{count(len(news) + more, 'group')} settled, {live + more} live")

    def _say(self, elapsed: float, text: str) -> None:
        self._out.line(f"[{stopwatch(elapsed)}] {text}")


def _became(one: GroupNews) -> str:
    name = visible(one.name)
    reason = f": {visible(one.reason)}" if one.reason else ""
    match one.state:
        case GroupState.PUBLISHED:
            return f"{name} is live: {group_summary(one.images)}"
        case GroupState.PARTIAL:
            return f"{name} is live, not whole: {group_summary(one.images)}"
        case GroupState.HELD:
            return f"{name} is held{reason}"
        case _:
            return f"{name} is {one.state}{reason}"


def _how_far(snapshot: Snapshot) -> str:
    parts = [
        f"{number(snapshot.settled)} of {count(snapshot.images_expected, 'image')} done",
        f"{number(snapshot.live)} of {count(snapshot.groups_expected, 'group')} live",
    ]
    if snapshot.failed:
        parts.append(f"{number(snapshot.failed)} failed")
    if snapshot.left is not None:
        held = f" (bottleneck: {snapshot.bottleneck})" if snapshot.bottleneck else ""
        parts.append(f"{about(snapshot.left)} left{held}")
    if snapshot.short_of_memory:
        parts.append("waiting for memory")
    return ", ".join(parts)
