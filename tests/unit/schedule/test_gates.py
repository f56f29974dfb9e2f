"""What a gate says of a group as it stands."""

from __future__ import annotations

from collections import Counter

import pytest

from imagelane.model.policy import GatePolicy
from imagelane.model.run import GroupRecord
from imagelane.model.states import ImageState
from imagelane.schedule.gates import GateAnswer, decide_gate

WHOLE, PARTIAL, SKIPPED, DEAD, HELD = (
    ImageState.PROCESSING,
    ImageState.PARTIAL,
    ImageState.SKIPPED,
    ImageState.DEAD,
    ImageState.HELD,
)


def group(size: int | None, **settled: int) -> GroupRecord:
    counts = Counter({ImageState[name.upper()]: count for name, count in settled.items()})
    return GroupRecord(name="g", size=size, settled=counts)


@pytest.mark.parametrize(
    ("require", "members", "answer"),
    [
        ("settled", group(None, processing=3), GateAnswer.WAIT),
        ("settled", group(3, processing=2), GateAnswer.WAIT),
        ("settled", group(3, processing=3), GateAnswer.OPEN),
        ("settled", group(3, processing=1, skipped=1, partial=1), GateAnswer.OPEN),
        ("settled", group(3, skipped=2, rejected=1), GateAnswer.NEVER),
        ("settled", group(3, processing=2, held=1), GateAnswer.HOLD),
        ("settled", group(3, processing=1, held=1), GateAnswer.WAIT),
        ("all", group(3, processing=2), GateAnswer.WAIT),
        ("all", group(3, processing=3), GateAnswer.OPEN),
        ("all", group(3, skipped=1), GateAnswer.NEVER),
        ("all", group(3, partial=1), GateAnswer.NEVER),
        (0.6, group(5, processing=3), GateAnswer.WAIT),
        (0.6, group(5, processing=3, skipped=2), GateAnswer.OPEN),
        (0.6, group(5, processing=2, skipped=2, partial=1), GateAnswer.NEVER),
        (1.0, group(2, processing=2), GateAnswer.OPEN),
    ],
)
def test_decisions(require: str | float, members: GroupRecord, answer: GateAnswer) -> None:
    policy = GatePolicy(require=require)  # type: ignore[arg-type]
    assert decide_gate(policy, members).answer is answer


def test_named_roles_must_be_whole() -> None:
    policy = GatePolicy(require=("primary", "back"))
    members = group(3, processing=2, skipped=1)
    members.roles = {"primary": WHOLE, "back": WHOLE, "side": SKIPPED}
    assert decide_gate(policy, members).answer is GateAnswer.OPEN
    members.roles["back"] = SKIPPED
    decision = decide_gate(policy, members)
    assert decision.answer is GateAnswer.NEVER
    assert decision.reason == "the gate requires primary, back; not whole: back"
    del members.roles["back"]
    assert decide_gate(policy, members).answer is GateAnswer.NEVER, "a role that never came"
