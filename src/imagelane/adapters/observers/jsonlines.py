"""The event stream for programs: one JSON object a line."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any, TextIO

from imagelane.adapters.observers.steady import Steady
from imagelane.model.event_form import encode, type_name
from imagelane.model.events import Event, stage_of, subject_of
from imagelane.model.plan import PhysicalPlan
from imagelane.model.run import RunState
from imagelane.ports.observer import Pulse
from imagelane.report.progress import image_counts


class JsonLines:
    """Each recorded event as ``{"type", "subject", "stage"?, ...}`` in the order of recording,
    between a first line of type ``opened`` and a last one of type ``closed``.

    All text is ASCII: what is not, or would move a terminal's cursor, is escaped as JSON does.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        """``stream`` is standard output unless said otherwise."""
        self._out = Steady(stream or sys.stdout)
        self._run = ""

    def opened(self, plan: PhysicalPlan, run: str, expected: tuple[int, int]) -> None:
        self._run = run
        images, groups = expected
        self._say(
            type="opened",
            run=run,
            pipeline=plan.logical.name,
            plan=plan.logical.digest,
            model=plan.model,
            images=images,
            groups=groups,
        )

    def recorded(self, events: Sequence[Event]) -> None:
        for event in events:
            stage = stage_of(event)
            of_stage = {} if stage is None else {"stage": stage}
            named = {"type": type_name(event), "subject": str(subject_of(event)), **of_stage}
            self._write(named | encode(event))
        self._out.flush()

    def pulse(self, state: RunState, pulse: Pulse) -> None:
        """Says nothing: only what is recorded is said."""

    def closed(self, state: RunState) -> None:
        groups = dict(state.group_counts)
        for group in state.groups.values():
            groups[group.state] = groups.get(group.state, 0) + 1
        self._say(
            type="closed",
            run=self._run,
            status=state.status.value,
            reason=state.reason,
            received=state.received,
            images=image_counts(state),
            groups=groups,
        )

    def _say(self, **values: Any) -> None:
        self._write(values)
        self._out.flush()

    def _write(self, values: dict[str, Any]) -> None:
        self._out.write(json.dumps(values, separators=(",", ":"), default=dict) + "\n")
