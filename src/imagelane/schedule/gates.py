"""Whether a group may go on into its group stages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from imagelane.model.policy import GatePolicy
from imagelane.model.run import GroupRecord
from imagelane.model.states import ImageState


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
    """
    if group.size is None:
        return _WAIT
    whole = group.settled[ImageState.PROCESSING]
    partial = group.settled[ImageState.PARTIAL]
    short = group.gone + partial
    if gate.require == "all" and short:
        return GateDecision(
            GateAnswer.NEVER,
            f"the gate requires all {group.size} images whole, and {short} "
            f"{'is' if short == 1 else 'are'} not",
        )
    if group.settled_total < group.size:
        return _WAIT
    if held := group.settled[ImageState.HELD]:
        return GateDecision(
            GateAnswer.HOLD, f"{held} of {group.size} images wait for a decision"
        )
    if whole + partial == 0:
        return GateDecision(
            GateAnswer.NEVER,
            f"none of its {group.size} images is left" if group.size else "it has no images",
        )
    match gate.require:
        case "settled" | "all":
            return _OPEN
        case tuple() as roles:
            lacking = [role for role in roles if group.roles.get(role) is not ImageState.PROCESSING]
            if lacking:
                return GateDecision(
                    GateAnswer.NEVER,
                    f"the gate requires {', '.join(roles)}; not whole: {', '.join(lacking)}",
                )
            return _OPEN
        case share:
            if whole < share * group.size:
                return GateDecision(
                    GateAnswer.NEVER,
                    f"the gate requires {share:.0%} of {group.size} images whole; "
                    f"{whole} {'is' if whole == 1 else 'are'}",
                )
            return _OPEN


def opens_without_the_late(gate: GatePolicy) -> bool:
    """Whether, at the gate's timeout, the members that are not settled are left behind (the share
    or the roles may be met without them) or the requirement has failed."""
    return not isinstance(gate.require, str)
