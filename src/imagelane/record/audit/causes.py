"""What had to happen before an event could: its parents. One at a fork, several at a join.

They follow from the events before it and from the plan, so they are derived, never recorded; and
an event that could not have happened where it stands is found on the way. Only what leaves say is
looked at, so that an erased payload changes nothing.

Parents are signed with the leaves. So what they are for a history that was possible never changes
within a version of leaves (`imagelane.model.audit.VERSION`): another rule is another version, and
the old rule stays for what was signed by it.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field

from imagelane.model.audit import AuditPlan, AuditStage
from imagelane.model.ids import THE_RUN, StageName, Subject
from imagelane.model.states import RUN_TRANSITIONS, GroupState, ImageState, RunStatus

_TASKS = frozenset({"task_succeeded", "task_failed", "task_skipped"})
_HELD = GroupState.HELD.value
_IMAGE_ENDS = frozenset(set(ImageState) - {ImageState.RECEIVED, ImageState.PUBLISHED})
_GROUP_ENDS = frozenset(set(GroupState) - {GroupState.OPEN, GroupState.CLOSED, GroupState.GATED})


@dataclass(slots=True)
class _Work:
    """Of a subject that is under way. ``base`` is the event that it began with, or was taken up
    again with (``again``); ``last`` gives each stage's newest event, ``kinds`` its type. ``heads``
    are events that nothing of this subject has followed yet."""

    base: int
    again: bool = False
    last: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    heads: set[int] = field(default_factory=set)
    role: str = ""

    def add(self, index: int, parents: Iterable[int]) -> None:
        self.heads.difference_update(parents)
        self.heads.add(index)


@dataclass(slots=True)
class _Group:
    """``work`` is that of the group's own stages. ``settled`` are its settled images, of which
    ``joined`` were parents of a gate already."""

    opened: int
    work: _Work
    newest: int
    closed: int | None = None
    gates: dict[str, int] = field(default_factory=dict)
    settled: dict[int, int] = field(default_factory=dict)
    joined: set[int] = field(default_factory=set)
    primary: int | None = None


@dataclass(frozen=True, slots=True)
class Violation:
    """An event that cannot have happened where it stands, and why."""

    index: int
    message: str


class Causes:
    """Derives parents, event by event, in the order of the log.

    Takes memory for what is under way, and a number for every group that is over.
    """

    def __init__(self, plan: AuditPlan) -> None:
        self._stages = {stage.name: stage for stage in plan.stages}
        self._primary = plan.primary
        self._images: dict[Subject, _Work] = {}
        self._groups: dict[int, _Group] = {}
        self._over: dict[int, int] = {}
        self._run = _Work(0)
        self._begun = 0
        self._newest = 0
        self._ended: set[int] = set()
        self._fence = 0
        self._status = RunStatus.RUNNING
        self.violations: list[Violation] = []

    def copy(self) -> Causes:
        """The same at this moment, to go on from later."""
        return deepcopy(self)

    def parents(
        self,
        index: int,
        kind: str,
        subject: Subject,
        stage: str | None,
        *,
        role: str = "",
        outcome: str = "",
        fence: int = 0,
    ) -> tuple[int, ...]:
        """The parents of the next event, in rising order."""
        if fence < self._fence:
            self._wrong(index, "was recorded by a coordinator that another had replaced")
        self._fence = max(self._fence, fence)
        if subject.ordinal:
            found = self._of_image(index, kind, subject, stage, role)
            if kind == "image_settled" and outcome not in _IMAGE_ENDS:
                self._wrong(index, f"settles image {subject} as {outcome!r}")
        elif subject.group:
            found = self._of_group(index, kind, subject.group, stage, outcome)
        else:
            found = self._of_run(index, kind, stage, outcome)
        return tuple(sorted(found))

    # Images

    def _of_image(
        self, index: int, kind: str, subject: Subject, stage: str | None, role: str
    ) -> set[int]:
        group = self._groups.get(subject.group)
        if kind == "image_received":
            return self._received(index, subject, group, role)
        if kind == "image_reopened":
            return self._image_reopened(index, subject, group)
        work = self._images.get(subject)
        if group is None or work is None:
            return self._late(index, kind, subject, group)
        if kind in _TASKS:
            found = self._attempt(index, kind, subject, stage, work)
            first = stage not in work.last
            if first and found == {work.base} and self._waits(group, work):
                found.add(group.primary or work.base)
            work.last[stage or ""], work.kinds[stage or ""] = index, kind
        elif kind == "image_settled":
            found = set(work.heads)
            del self._images[subject]
            group.settled[subject.ordinal] = index
            if work.role == "primary":
                group.primary = index
            return found
        else:
            found = set(work.heads)
        work.add(index, found)
        return found

    def _received(self, index: int, subject: Subject, group: _Group | None, role: str) -> set[int]:
        if group is None or group.closed is not None:
            state = "never opened" if group is None else "closed"
            self._wrong(index, f"received image {subject} into a group that was {state}")
            return {self._begun}
        if subject in self._images or subject.ordinal in group.settled:
            self._wrong(index, f"received image {subject} a second time")
        self._images[subject] = _Work(index, heads={index}, role=role)
        group.newest = index
        group.work.heads.discard(group.opened)
        return {group.opened}

    def _image_reopened(self, index: int, subject: Subject, group: _Group | None) -> set[int]:
        if subject in self._images or group is None:
            was = "was not settled" if group is not None else "whose group is over"
            self._wrong(index, f"takes up image {subject}, which {was}")
        settled = None
        if group is not None:
            settled = group.settled.pop(subject.ordinal, group.work.base)
            group.joined.discard(settled)
        self._images[subject] = _Work(index, again=True, heads={index})
        return {settled if settled is not None else self._begun}

    def _late(self, index: int, kind: str, subject: Subject, group: _Group | None) -> set[int]:
        """Of an image that is not under way."""
        if kind in _TASKS or kind == "image_settled":
            known = group is not None and subject.ordinal in group.settled
            why = "is settled" if known else "was not received, or is over"
            self._wrong(index, f"tells of image {subject}, which {why}")
        if group is None:
            return {self._over.get(subject.group, self._begun)}
        return {group.settled.get(subject.ordinal, group.work.base)}

    def _waits(self, group: _Group, work: _Work) -> bool:
        return (
            self._primary
            and not work.again
            and work.role != "primary"
            and group.primary is not None
        )

    # Groups

    def _of_group(
        self, index: int, kind: str, number: int, stage: str | None, outcome: str
    ) -> set[int]:
        if kind == "group_opened":
            if number in self._groups or number in self._over:
                self._wrong(index, f"opens group {number} a second time")
            self._groups[number] = _Group(index, _Work(index, heads={index}), index)
            return {self._begun}
        if kind == "group_reopened":
            return self._group_reopened(index, number)
        group = self._groups.get(number)
        if group is None:
            if kind in _TASKS or kind in {"group_closed", "gate_opened", "group_settled"}:
                self._wrong(index, f"tells of group {number}, which was not opened, or is over")
            return {self._over.get(number, self._begun)}
        match kind:
            case "group_closed":
                if group.closed is not None:
                    self._wrong(index, f"closes group {number} a second time")
                group.closed = index
                found = {group.newest}
            case "gate_opened":
                found = self._gate_opened(index, number, stage, group)
            case "group_settled":
                found = self._group_settled(index, number, group, outcome)
            case _:
                found = self._work_on_group(index, kind, number, stage, group)
        group.work.add(index, found)
        return found

    def _work_on_group(
        self, index: int, kind: str, number: int, stage: str | None, group: _Group
    ) -> set[int]:
        if kind not in _TASKS:
            return set(group.work.heads)
        found = self._attempt(index, kind, Subject(number), stage, group.work)
        if stage not in group.work.last and not group.work.again:
            found = found - {group.work.base} | self._through_gate(index, number, stage, group)
        group.work.last[stage or ""], group.work.kinds[stage or ""] = index, kind
        return found

    def _group_reopened(self, index: int, number: int) -> set[int]:
        group = self._groups.get(number)
        before = group.work.heads if group is not None else None
        settled = self._over.pop(number, None)
        if settled is None and before is None:
            self._wrong(index, f"takes up group {number}, which was never there")
        found = set(before) if before else {settled or self._begun}
        self._ended.discard(settled or 0)
        # What was made of the whole run was made of what this group was.
        self._run = _Work(self._newest)
        again = _Work(index, again=True, heads={index})
        kept = group.settled if group is not None else {}
        self._groups[number] = _Group(index, again, index, closed=index, settled=kept)
        return found

    def _gate_opened(self, index: int, number: int, stage: str | None, group: _Group) -> set[int]:
        if group.closed is None:
            self._wrong(index, f"opens a gate of group {number}, which is not closed")
        if any(member.group == number for member in self._images):
            self._wrong(index, f"opens a gate of group {number}, whose images are not all settled")
        before = group.closed if group.closed is not None else group.opened
        found = {before, *(one for one in group.settled.values() if one not in group.joined)}
        found.update(group.gates.values())
        group.joined.update(group.settled.values())
        group.gates[stage or ""] = index
        return found

    def _through_gate(self, index: int, number: int, stage: str | None, group: _Group) -> set[int]:
        gate = group.gates.get(stage or "")
        if gate is None:
            self._wrong(index, f"tells of {stage} on group {number}, whose gate had not opened")
            return {group.work.base}
        return {gate}

    def _group_settled(self, index: int, number: int, group: _Group, outcome: str) -> set[int]:
        unjoined = {one for one in group.settled.values() if one not in group.joined}
        found = group.work.heads | unjoined
        if outcome not in _GROUP_ENDS:
            self._wrong(index, f"settles group {number} as {outcome!r}")
        if outcome != _HELD:
            if any(member.group == number for member in self._images):
                self._wrong(index, f"settles group {number}, whose images are not all settled")
            del self._groups[number]
            self._over[number] = index
            self._ended.add(index)
        return found

    # The run

    def _of_run(self, index: int, kind: str, stage: str | None, outcome: str) -> set[int]:
        if kind in _TASKS:
            self._run.base = self._newest
            found = self._attempt(index, kind, THE_RUN, stage, self._run)
            if stage not in self._run.last and found == {self._run.base}:
                found = {self._run.base, *self._ended}
            self._run.last[stage or ""], self._run.kinds[stage or ""] = index, kind
            self._run.add(index, found)
            return found
        found = {self._newest} if self._newest else set()
        match kind:
            case "run_started":
                if self._newest:
                    self._wrong(index, "begins the run a second time")
                self._begun = index
            case "run_resumed":
                if self._status is RunStatus.CANCELLED:
                    self._wrong(index, "takes up a run that was cancelled")
                self._begun = index
                self._run, self._status = _Work(index), RunStatus.RUNNING
            case "run_settled":
                if outcome not in RUN_TRANSITIONS[self._status]:
                    self._wrong(index, f"settles the run, which was {self._status}, as {outcome!r}")
                else:
                    self._status = RunStatus(outcome)
                found |= self._run.heads | self._ended
                self._run, self._ended = _Work(index), set()
        if not self._newest and kind != "run_started":
            self._wrong(index, "comes before the run had begun")
        self._newest = index
        return found

    # Attempts

    def _attempt(
        self, index: int, kind: str, subject: Subject, stage: str | None, work: _Work
    ) -> set[int]:
        known = self._stages.get(StageName(stage or ""))
        if known is None:
            self._wrong(index, f"tells of a stage {stage!r}, which the plan has not")
            return {work.base}
        before = work.last.get(known.name)
        if before is not None:
            if work.kinds[known.name] != "task_failed":
                self._wrong(index, f"tells of {stage} on {subject}, which was over")
            return {before}
        needs = [need for need in known.needs if self._stages[need].scope is known.scope]
        if kind != "task_skipped":
            self._check_needs(index, known, needs, subject, work)
        return {work.last[need] for need in needs if need in work.last} or {work.base}

    def _check_needs(
        self, index: int, stage: AuditStage, needs: Iterable[str], subject: Subject, work: _Work
    ) -> None:
        for need in needs:
            kind = work.kinds.get(need, "task_succeeded" if work.again else None)
            if subject is THE_RUN and kind is None and self._begun != 1:
                continue  # done before the run was taken up
            if kind is None or (kind != "task_succeeded" and not stage.gathers):
                self._wrong(
                    index, f"tells of {stage.name} on {subject} before {need}, which it needs"
                )

    def _wrong(self, index: int, message: str) -> None:
        self.violations.append(Violation(index, message))
