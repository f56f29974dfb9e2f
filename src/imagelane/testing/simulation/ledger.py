"""What is recorded of a run, kept a second time: simply, completely, and without the fold.

Promises are checked against this, so that a fold that loses count is found out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from imagelane.model import events as e
from imagelane.model.ids import THE_RUN, StageName, Subject
from imagelane.model.plan import LogicalPlan, LogicalStage
from imagelane.model.policy import FailurePolicy
from imagelane.model.states import ErrorClass, GroupState, ImageState, RunStatus, Scope
from imagelane.ports.source import SourceItem


@dataclass(slots=True)
class Page:
    """All that is recorded of one subject. ``tries`` counts failed attempts; ``lacking`` are the
    stages that failed for good or were skipped, ``failed`` those of them that failed."""

    tries: Counter[StageName] = field(default_factory=Counter)
    done: dict[StageName, Mapping[str, Any]] = field(default_factory=dict)
    lacking: set[StageName] = field(default_factory=set)
    failed: dict[StageName, ErrorClass] = field(default_factory=dict)
    verdicts: dict[StageName, str] = field(default_factory=dict)

    def resolved(self, stage: StageName) -> bool:
        return stage in self.done or stage in self.lacking


@dataclass(slots=True)
class ImagePage(Page):
    sequence: int = 0
    role: str = ""
    settled: ImageState | None = None
    decided: bool = False
    """A person has said what becomes of it."""
    again: bool = False
    """It was taken up again."""


@dataclass(slots=True)
class GroupPage(Page):
    state: GroupState = GroupState.OPEN
    members: dict[Subject, ImagePage] = field(default_factory=dict)
    size: int | None = None
    closed_at: float = 0.0
    gates: set[StageName] = field(default_factory=set)
    primary: ImagePage | None = None
    decided: bool = False

    def count(self, *states: ImageState | None) -> int:
        return sum(member.settled in states for member in self.members.values())

    @property
    def over(self) -> bool:
        return self.state in {GroupState.PUBLISHED, GroupState.PARTIAL, GroupState.ABORTED}


class Ledger:
    """The record of one run. ``fence`` is that of the last coordinator that wrote; ``live`` gives
    for each subject that is visible the fence under which, and the manifest; ``kept`` is that of
    when it was taken up again."""

    def __init__(self, plan: LogicalPlan, items: Sequence[SourceItem]) -> None:
        self.plan = plan
        self.items = items
        self.stages: dict[StageName, LogicalStage] = {one.name: one for one in plan.stages}
        self.of_scope = {scope: [one.name for one in plan.of_scope(scope)] for scope in Scope}
        self.images: dict[Subject, ImagePage] = {}
        self.groups: dict[int, GroupPage] = {}
        self.run = Page()
        self.status = RunStatus.RUNNING
        self.fence = 0
        self.exhausted = False
        self.in_flight: dict[Subject, ImagePage] = {}
        self.open: dict[int, GroupPage] = {}
        self.final: Counter[ImageState] = Counter()
        self.final_groups: Counter[GroupState] = Counter()
        self.halted = False
        self.asked_to_stop = False
        self.accepted = False
        self.decided: RunStatus | None = None
        self.reopened = False
        self.live: dict[Subject, tuple[int, str]] = {}
        self.kept: dict[Subject, tuple[int, str] | None] = {}
        self._spared: Counter[tuple[StageName, Subject]] = Counter()

    def of(self, subject: Subject) -> Page:
        if subject == THE_RUN:
            return self.run
        return self.images[subject] if subject.ordinal else self.groups[subject.group]

    def policy(self, stage: StageName) -> FailurePolicy:
        return self.stages[stage].spec.on_failure

    def spared(self, stage: StageName, subject: Subject) -> int:
        """How many attempts were made on probation and are not counted."""
        return self._spared[stage, subject]

    def manifest(self, subject: Subject) -> str:
        """What a manifest made from the record would say, shortly."""
        if subject == THE_RUN:
            return f"index of {len(self.groups)}"
        members = [
            f"{member.ordinal}:{page.settled}:{','.join(sorted(page.done))}"
            for member, page in sorted(self.groups[subject.group].members.items())
        ]
        return f"manifest of {subject}: {'; '.join(members)}"

    def follow(self, event: e.Event) -> None:  # noqa: C901, PLR0912, PLR0915 -- one arm an event
        """Write an event down."""
        match event:
            case e.RunStarted() | e.RunResumed():
                if self.status in {RunStatus.FINISHED, RunStatus.FAILED}:
                    for stage in list(self.run.lacking):
                        self.run.lacking.discard(stage)
                        self.run.failed.pop(stage, None)
                        self.run.tries.pop(stage, None)
                self.accepted |= self.status is RunStatus.FAILED
                self.status, self.halted, self.asked_to_stop = RunStatus.RUNNING, False, False
            case e.GroupOpened():
                self.groups[event.subject.group] = GroupPage()
                self.open[event.subject.group] = self.groups[event.subject.group]
            case e.ImageReceived():
                image = ImagePage(sequence=event.sequence, role=event.role)
                group = self.groups[event.subject.group]
                self.images[event.subject] = group.members[event.subject] = image
                self.in_flight[event.subject] = image
                if event.role == "primary":
                    group.primary = image
            case e.GroupClosed():
                group = self.groups[event.subject.group]
                group.state = GroupState.CLOSED
                group.size, group.closed_at = event.images, event.at
            case e.SourceExhausted():
                self.exhausted = True
            case e.TaskSucceeded():
                page = self.of(event.subject)
                page.done[event.stage] = event.facts
                if event.verdict is not None:
                    page.verdicts[event.stage] = event.verdict
            case e.TaskFailed():
                page = self.of(event.subject)
                page.tries[event.stage] += event.counted
                self._spared[event.stage, event.subject] += not event.counted
                if event.retry_in is None:
                    page.lacking.add(event.stage)
                    page.failed[event.stage] = event.error
                    self.halted |= self.policy(event.stage) is FailurePolicy.HALT
            case e.TaskSkipped():
                self.of(event.subject).lacking.add(event.stage)
            case e.GateOpened():
                self.groups[event.subject.group].state = GroupState.GATED
                self.groups[event.subject.group].gates.add(event.stage)
            case e.ImageSettled():
                image = self.images[event.subject]
                image.settled = event.state
                del self.in_flight[event.subject]
                self.halted |= image.role == "primary" and self._halts(event.state)
            case e.GroupSettled():
                group = self.groups[event.subject.group]
                group.state = event.state
                if event.state is not GroupState.HELD:
                    self._close(event.subject.group, group)
            case e.StopDecided():
                self.decided = event.status
            case e.ImageReopened():
                self._reopen_image(event)
            case e.GroupReopened():
                self._reopen_group(event)
            case e.RunSettled():
                self.status, self.decided = event.status, None

    def _reopen_image(self, event: e.ImageReopened) -> None:
        image = self.images[event.subject]
        _go_back(image, event.record)
        image.settled, image.again = None, True
        image.decided = event.record["decided"] is not None
        image.verdicts = dict(event.record["verdicts"])
        self.in_flight[event.subject] = image
        self.reopened = True
        group = self.groups[event.subject.group]
        if group.state is GroupState.HELD:
            group.state = GroupState.CLOSED

    def _reopen_group(self, event: e.GroupReopened) -> None:
        number = event.subject.group
        group = self.groups[number]
        self.kept[event.subject] = self.live.get(event.subject)
        if number not in self.open:
            self.final_groups[group.state] -= 1
            for member in group.members.values():
                self.final[_final(member.settled, group.state)] -= 1
            self.open[number] = group
        _go_back(group, event.record)
        group.state, group.closed_at = GroupState.CLOSED, event.record["closed_at"]
        group.gates.clear()
        group.decided = event.record["decided"] is not None
        self.run = Page()

    def _halts(self, primary: ImageState) -> bool:
        spec = self.plan.images.primary
        whole = {ImageState.PROCESSING, ImageState.PARTIAL}
        return spec is not None and spec.on_failure == "halt" and primary not in whole

    def _close(self, number: int, group: GroupPage) -> None:
        del self.open[number]
        self.final_groups[group.state] += 1
        for member in group.members.values():
            self.final[_final(member.settled, group.state)] += 1


def _go_back(page: Page, record: Mapping[str, Any]) -> None:
    """To what goes on being true of a subject that is taken up again."""
    page.done = {stage: record["facts"].get(stage, {}) for stage in record["done"]}
    page.lacking = set(record["missing"])
    page.failed = {stage: ErrorClass(why[0]) for stage, why in record["failed"].items()}
    page.tries = Counter(record["attempts"])


def _final(settled: ImageState | None, group: GroupState) -> ImageState:
    """Whole images go live with their group; of an aborted one nothing does."""
    if settled is None:
        return ImageState.RECEIVED
    if settled in {ImageState.PROCESSING, ImageState.PARTIAL} and group is GroupState.ABORTED:
        return ImageState.SKIPPED
    return ImageState.PUBLISHED if settled is ImageState.PROCESSING else settled
