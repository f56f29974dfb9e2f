"""Errors only, for scripts and schedulers."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TextIO

from imagelane.adapters.observers.steady import Steady
from imagelane.model import events as e
from imagelane.model.ids import Subject
from imagelane.model.plan import PhysicalPlan
from imagelane.model.run import RunState
from imagelane.model.states import GroupState, RunStatus
from imagelane.ports.observer import Pulse
from imagelane.report.calls import not_delivered
from imagelane.report.clean import visible
from imagelane.report.wording import count

MOST = 100
"""Lines about single failures; what comes after is counted."""


class Quiet:
    """Says what failed for good and what did not go live, a line each, and nothing else."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """``stream`` is standard error unless said otherwise."""
        self._out = Steady(stream or sys.stderr)
        self._names: dict[Subject, str] = {}
        self._said = 0
        self._waits = False

    def opened(self, plan: PhysicalPlan, run: str, expected: tuple[int, int]) -> None:
        """Says nothing."""

    def recorded(self, events: Sequence[e.Event]) -> None:
        for event in events:
            match event:
                case e.ImageReceived():
                    self._names[event.subject] = event.name
                case e.ImageSettled():
                    self._names.pop(event.subject, None)
                case e.GroupOpened():
                    self._names[event.subject] = event.name
                case e.TaskFailed() if event.retry_in is None:
                    self._error(event.subject, f"{event.stage}: {event.error}: {event.message}")
                case e.AlertRaised() | e.AlertSettled():
                    self._alert(event)
                case e.GroupSettled():
                    if event.state in {GroupState.ABORTED, GroupState.HELD}:
                        self._error(event.subject, f"{event.state}: {event.reason}")
                    if event.state is not GroupState.HELD:
                        self._names.pop(event.subject, None)

    def pulse(self, state: RunState, pulse: Pulse) -> None:  # noqa: ARG002 - as the port has it
        """Says that the run waits, once each time."""
        if pulse.waiting and not self._waits:
            self._out.line(f"waiting: {visible(pulse.waiting)}")
        self._waits = bool(pulse.waiting)

    def closed(self, state: RunState) -> None:
        if self._said > MOST:
            more = count(self._said - MOST, "more error")
            self._out.line(f"and {more}; `imagelane status` lists them")
        if state.status is not RunStatus.FINISHED:
            reason = f": {visible(state.reason)}" if state.reason else ""
            self._out.line(f"the run is {state.status}{reason}")

    def _settled(self, event: e.GroupSettled) -> None:
        if event.state in {GroupState.ABORTED, GroupState.HELD}:
            self._error(event.subject, f"{event.state}: {event.reason}")
        if event.state is not GroupState.HELD:
            self._names.pop(event.subject, None)

    def _alert(self, event: e.AlertRaised | e.AlertSettled) -> None:
        if isinstance(event, e.AlertRaised):
            self._out.line(f"alert: {visible(event.message)}")
        elif event.problem:
            self._out.line(not_delivered(event.channel, event.tries, event.problem))

    def _error(self, subject: Subject, what: str) -> None:
        self._said += 1
        if self._said <= MOST:
            name = visible(self._names.get(subject, ""))
            self._out.line(f"{subject}{' ' if name else ''}{name}: {visible(what)}")
