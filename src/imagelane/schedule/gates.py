"""Whether a group may go on into its group stages."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from imagelane.model.policy import GatePolicy
from imagelane.model.run import GroupRecord
from imagelane.model.states import TAKEN_AWAY, ImageState


class GateAnswer(Enum):
    WAIT = "wait"
    OPEN = "open"
    HOLD = "hold"
    """Every other member is settled, but one waits for a human."""
    NEVER = "never"
    """The requirement cannot be met any more."""


@dataclass(frozen=True, slots=True)
class GateDecision:
    answer: GateAnswer
    reason: str = ""


_WAIT = GateDecision(GateAnswer.WAIT)
_OPEN = GateDecision(GateAnswer.OPEN)


def decide_gate(gate: GatePolicy, group: GroupRecord) -> GateDecision:
    """What the gate says of the group as it stands. Depends on nothing else.

    Skipped, rejected and dead members have left the group; partial ones are present, but not whole.
    Of those that a person has withdrawn nothing is required.
    """
    if group.size is None:
        return _WAIT
    taken = sum(group.settled[state] for state in TAKEN_AWAY)
    short = group.gone - taken + group.settled[ImageState.PARTIAL]
    if gate.require == "all" and short:
        return _never(
            f"the gate requires all {group.size - taken} images whole, and {short} "
            f"{'is' if short == 1 else 'are'} not"
        )
    if group.settled_total < group.size:
        return _WAIT
    if held := group.settled[ImageState.HELD]:
        return GateDecision(GateAnswer.HOLD, f"{held} of {group.size} images wait for a decision")
    if group.settled_total == group.gone:
        return _never(f"none of its {group.size} images is left")
    return _requirement(gate, group, group.size - taken)


def _requirement(gate: GatePolicy, group: GroupRecord, size: int) -> GateDecision:
    """The answer when every member is settled and some are left."""
    if isinstance(gate.require, tuple):
        lacking = [
            role for role in gate.require if group.roles.get(role) is not ImageState.PROCESSING
        ]
        if lacking:
            return _never(
                f"the gate requires {', '.join(gate.require)}; not whole: {', '.join(lacking)}"
            )
    elif isinstance(gate.require, float | int):
        whole = group.settled[ImageState.PROCESSING]
        if whole < gate.require * size:
            return _never(
                f"the gate requires {gate.require:.0%} of {size} images whole; "
                f"{whole} {'is' if whole == 1 else 'are'}"
            )
    return _OPEN


def _never(reason: str) -> GateDecision:
    return GateDecision(GateAnswer.NEVER, reason)


class GateTimeouts:
    """When gates have waited enough: by wall clock, so that it holds over restarts."""

    def __init__(self, gates: Sequence[GatePolicy]) -> None:
        self._gates = gates
        self._queue: list[tuple[float, int, int, float]] = []

    def watch(self, number: int, group: GroupRecord) -> None:
        """From the closing of a group its time runs; before that nothing happens."""
        if group.closed_at is None:
            return
        for index, gate in enumerate(self._gates):
            if gate.timeout is not None:
                due = group.closed_at + gate.timeout
                heapq.heappush(self._queue, (due, number, index, group.closed_at))

    def due(
        self, wall: float, groups: Mapping[int, GroupRecord]
    ) -> Iterator[tuple[int, GatePolicy]]:
        """The groups whose time has passed, each told once for a gate. One that was taken up again
        since has all of its time anew."""
        while self._queue and self._queue[0][0] <= wall:
            _, number, index, closed_at = heapq.heappop(self._queue)
            group = groups.get(number)
            if group is not None and group.closed_at == closed_at:
                yield number, self._gates[index]

    def wake_at(self) -> float | None:
        """When the next one passes."""
        return self._queue[0][0] if self._queue else None


def late_reason(names: Sequence[str]) -> str:
    """Why a group is late: who is missing, by name."""
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"the gate's timeout passed without {', '.join(names[:5])}{more}"


def opens_without_the_late(gate: GatePolicy) -> bool:
    """Whether, at the gate's timeout, the members that are not settled are left behind (the share
    or the roles may be met without them) or the requirement has failed."""
    return not isinstance(gate.require, str)
