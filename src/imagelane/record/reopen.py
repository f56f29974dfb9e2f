"""From decisions to the events that carry them out: what goes on being true of a subject that is
taken up again, and what is undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from imagelane.model import events as e
from imagelane.model.decision import BECOMES, TAKES, Decision, Verb
from imagelane.model.ids import StageName
from imagelane.model.plan import LogicalPlan
from imagelane.model.records import (
    GroupRecord,
    ImageRecord,
    group_json,
    group_record,
    image_json,
    image_record,
)
from imagelane.model.states import GroupState, ImageState
from imagelane.record.recall import RecalledGroup, SettledImage

_KEEPS_BACK = frozenset({"review", "reject"})


class DecisionError(Exception):
    """A decision cannot be carried out: what was found, what was expected, what to do next."""


class NotNowError(DecisionError):
    """It cannot be carried out at this moment, and can be in a while."""


@dataclass(frozen=True, slots=True)
class Followers:
    """The image stages that come after each one, by name."""

    after: Mapping[StageName, frozenset[StageName]]

    @classmethod
    def of(cls, plan: LogicalPlan) -> Followers:
        return cls(
            {
                stage.name: frozenset(
                    one.name for one in plan.stages if stage.name in one.ancestors
                )
                for stage in plan.stages
            }
        )


def reopenings(
    group: RecalledGroup, decisions: Sequence[Decision], followers: Followers, at: float
) -> list[e.GroupReopened | e.ImageReopened]:
    """The events that carry out decisions of one group and of its images, the group's first.

    With an aborted group come back those of its images that were left out only because of it, and
    with a primary those that waited for it. ``at`` is wall-clock time in seconds of the epoch: the
    timeouts of the group's gates count from there.

    Raises:
        DecisionError: one of them cannot be carried out; then none is.
        NotNowError: the group is being published, without the image or with it as it is.
    """
    of_group = next((one for one in decisions if not one.subject.ordinal), None)
    gated = group.over is None and group.record.state is GroupState.GATED and of_group is None
    # A withdrawal is carried out while nobody executes the run, so nothing is being published.
    withdraws = decisions[0].verb is Verb.WITHDRAW
    if gated and not withdraws:
        raise NotNowError(
            f"group {group.subject} is being published: expected one that is over, or waits; "
            "ask again in a while, or resume the run if nobody executes it"
        )
    images = [
        _image(_settled(group, one), one, followers) for one in decisions if one.subject.ordinal
    ]
    named = {one.subject for one in decisions}
    lead = decisions[0]
    if group.over is GroupState.ABORTED or any(
        one.settled is ImageState.DEAD or group.images[one.subject].record.role == "primary"
        for one in images
    ):
        images += [
            _image(settled, replace(lead, subject=subject, verb=Verb.RETRY), followers)
            for subject, settled in group.images.items()
            if settled.by_its_group and subject not in named
        ]
    if of_group is None and group.over is None and not gated:
        return list(images)
    return [_group(group, of_group or lead, at, whole=of_group is None), *images]


def _settled(group: RecalledGroup, decision: Decision) -> SettledImage:
    subject, verb = decision.subject, decision.verb
    settled = group.images.get(subject)
    if settled is None:
        raise DecisionError(
            f"{subject} is not settled: expected an image that is "
            f"{_listed(TAKES[verb])}; `imagelane show {subject}` says how it stands"
        )
    if settled.state not in TAKES[verb] and not decision.again:
        name = "whole" if settled.state is ImageState.PROCESSING else settled.state
        raise DecisionError(
            f"{subject} is {name}: expected one that is {_listed(TAKES[verb])} to {verb} it"
        )
    if verb is Verb.APPROVE and not _kept_back(settled.record):
        raise DecisionError(
            f"{subject} is {settled.state} because a stage failed, not by a verdict: "
            "expected `retry`, `skip` or `abort`"
        )
    return settled


def _image(settled: SettledImage, decision: Decision, followers: Followers) -> e.ImageReopened:
    # A copy: what was settled stays what it was.
    record = image_record(image_json(settled.record))
    record.decided = None
    kept_back = _kept_back(record)
    match decision.verb:
        case Verb.APPROVE:
            for stage in kept_back:
                record.verdicts[stage] = "approve"
        case Verb.RETRY | Verb.RESTORE:
            again = {*record.missing, *record.failed, *kept_back, *decision.again}
            for stage in again.union(*(followers.after[stage] for stage in again)):
                record.undo(stage)
            record.attempts.clear()
        case verb:
            record.decided = (BECOMES[verb], f"decided by {decision.actor}: {decision.reason}")
    return e.ImageReopened(
        decision.subject,
        settled.state,
        decision.word or decision.verb.value,
        decision.reason,
        decision.actor,
        image_json(record),
    )


def _group(group: RecalledGroup, decision: Decision, at: float, *, whole: bool) -> e.GroupReopened:
    """``whole``: its images have changed, so all of its own stages are done anew."""
    if not whole and group.over is None and group.record.state is not GroupState.HELD:
        raise DecisionError(
            f"group {group.subject} is {group.record.state}: expected one that is held, partial or "
            "aborted"
        )
    record: GroupRecord = group_record(group_json(group.record))
    for stage in [*record.done, *record.missing] if whole or group.over else [*record.missing]:
        record.undo(stage)
    record.attempts.clear()
    record.opened_gates.clear()
    record.decided = None
    record.state, record.closed_at = GroupState.CLOSED, at
    match decision.verb:
        case Verb.RETRY | Verb.RESTORE:
            pass
        case Verb.ABORT if not whole:
            reason = f"decided by {decision.actor}: {decision.reason}"
            record.decided = (GroupState.ABORTED, reason)
        case verb if not whole:
            raise DecisionError(
                f"group {group.subject} can be retried or aborted; expected an image to {verb}"
            )
    return e.GroupReopened(
        group.subject,
        group.over or group.record.state,
        decision.word or decision.verb.value,
        decision.reason,
        decision.actor,
        group_json(record),
    )


def _kept_back(record: ImageRecord) -> list[StageName]:
    return [stage for stage, verdict in record.verdicts.items() if verdict in _KEEPS_BACK]


def _listed(states: frozenset[ImageState]) -> str:
    *first, last = sorted(states)
    return f"{', '.join(first)} or {last}" if first else str(last)
