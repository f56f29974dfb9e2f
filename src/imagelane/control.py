"""What people do to runs: pause, cancel, decide, send dead letters round again, complete what is
partial. Where a coordinator is at work it is asked; where none is, the record is written here."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from imagelane.adapters.owner import alive, this_process
from imagelane.config import Workspace
from imagelane.model import events as e
from imagelane.model.codec import from_json
from imagelane.model.decision import Decision, Request, Verb
from imagelane.model.ids import RunId, StageName, Subject
from imagelane.model.spec import PipelineSpec
from imagelane.model.states import LIVE_GROUPS, GroupState, ImageState, RunStatus
from imagelane.plan.logical import logical_plan
from imagelane.record.dead_letters import Filter, by_group, dead_letters
from imagelane.record.decisions import Decider
from imagelane.record.recall import recall

if TYPE_CHECKING:
    from imagelane.ports.journal import Journal, RunRow

LOOK = 0.05
"""Seconds between two looks at whether a request was done."""


class ControlError(Exception):
    """What was asked for cannot be done: what was found, what was expected, what to do next."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``asked``: a coordinator at work was asked, and has done it unless ``waits``."""

    asked: bool
    waits: bool = False


def spec_of(row: RunRow) -> PipelineSpec:
    """The pipeline that a run was begun with."""
    return from_json(PipelineSpec, row.definition["spec"])


def pause(workspace: Path, row: RunRow, reason: str, actor: str, patience: float) -> Answer:
    """Let what is in flight finish and nothing more begin.

    Raises:
        ControlError: nobody executes the run.
    """
    if not _at_work(row):
        raise ControlError(
            f"run {row.run} is {_standing(row)}: expected one that is being executed; "
            f"`imagelane resume {row.run}` would go on with it"
        )
    return _ask(workspace, row, Request("pause", reason, actor), patience)


def cancel(
    journal: Journal, workspace: Path, row: RunRow, reason: str, actor: str, patience: float
) -> Answer:
    """End a run for good. What is live stays live.

    Raises:
        ControlError: the run is over.
    """
    if row.status in {RunStatus.FINISHED, RunStatus.CANCELLED}:
        raise ControlError(f"run {row.run} is {row.status} already: there is nothing to cancel")
    if _at_work(row):
        answer = _ask(workspace, row, Request("cancel", reason, actor), patience)
        if answer.asked:
            return answer
    claimed = journal.claim(row.run, this_process())
    journal.append(claimed, [(time.time(), e.RunSettled(RunStatus.CANCELLED, reason))])
    return Answer(asked=False)


def quieted(
    journal: Journal,
    workspace: Path,
    rows: Sequence[RunRow],
    reason: str,
    actor: str,
    patience: float,
) -> list[RunId]:
    """Have runs stand still that processes execute: what is done next is done to what they
    publish. Gives those that were paused for it.

    Raises:
        ControlError: one of them goes on for longer than ``patience`` (seconds).
    """
    busy = [row for row in rows if _at_work(row)]
    end = time.monotonic() + patience
    for row in busy:
        _ask(workspace, row, Request("pause", reason, actor), patience)
    waits = {row.run for row in busy}
    while waits := {row.run for row in journal.runs() if row.run in waits and _at_work(row)}:
        if time.monotonic() >= end:
            raise ControlError(
                f"run {', '.join(sorted(waits))} is at work on what would be changed: it was asked "
                "to pause, and finishes what is in flight; try again in a while, or with a longer "
                "--wait"
            )
        time.sleep(LOOK)
    return [row.run for row in busy]


def decide(
    journal: Journal,
    workspace: Path,
    row: RunRow,
    decisions: Sequence[Decision],
    patience: float,
) -> Answer:
    """Carry out what a person decided. What is to be executed again is, by the coordinator at work,
    or once the run is resumed.

    Raises:
        ControlError: the run was cancelled.
        DecisionError: one of them cannot be carried out; then none is.
    """
    if row.status is RunStatus.CANCELLED:
        raise ControlError(f"run {row.run} was cancelled: begin another with `imagelane run --new`")
    plan = logical_plan(spec_of(row))
    # Also where somebody else will do it: who asks shall hear what is wrong with it.
    decider = Decider(journal, row.run, plan)
    events = [event for group in decider.events(decisions) for event in group]
    if _at_work(row):
        first = decisions[0]
        request = Request("decide", first.reason, first.actor, tuple(decisions))
        answer = _ask(workspace, row, request, patience)
        if answer.asked:
            return answer
    claimed = journal.claim(row.run, this_process())
    now = time.time()
    recorded: list[tuple[float, e.Event]] = [(now, event) for event in events]
    if row.status in {RunStatus.FINISHED, RunStatus.FAILED}:
        waits = e.RunSettled(RunStatus.PAUSED, "a decision waits to be carried out")
        recorded.append((now, waits))
    journal.append(claimed, recorded)
    return Answer(asked=False)


def redriven(
    journal: Journal, run: RunId, which: Filter, reason: str, actor: str
) -> Iterator[list[Decision]]:
    """The decisions of a redrive, group by group: dead letters that match are tried again."""
    for letters in by_group(dead_letters(journal, run, which)):
        subjects = sorted({one.subject for one in letters if one.subject.group})
        if subjects:
            yield [Decision(one, Verb.RETRY, reason, actor, "redrive") for one in subjects]


@dataclass(frozen=True, slots=True)
class Wanting:
    """What `regenerate` makes anew: what is ``missing`` from partial groups, and what is ``stale``:
    made once, and gone or damaged in the artifact store."""

    missing: bool = True
    stale: bool = True
    group: Callable[[int, str], bool] = lambda _number, _name: True


def regenerated(
    journal: Journal,
    run: RunId,
    wanting: Wanting,
    damaged: Callable[[str], bool],
    reason: str,
    actor: str,
) -> Iterator[list[Decision]]:
    """The decisions of a regeneration, group by group. ``damaged`` tells of a digest whether the
    artifact store holds its bytes no more."""

    def again(subject: Subject, stages: frozenset[StageName] = frozenset()) -> Decision:
        return Decision(subject, Verb.RETRY, reason, actor, "regenerate", stages)

    for group in journal.groups(run):
        live = group.state in LIVE_GROUPS
        if not live or not wanting.group(group.group, group.name):
            continue
        found: dict[Subject, Decision] = {}
        if wanting.missing and group.state is GroupState.PARTIAL:
            rows = journal.images(run, group=group.group, states=frozenset({ImageState.PARTIAL}))
            # Without a partial image it is a stage of the group's own that is missing.
            subjects = [image.subject for image in rows] or [Subject(group.group)]
            found = {subject: again(subject) for subject in subjects}
        if wanting.stale:
            for subject, stages in _stale(journal, run, group.group, damaged).items():
                found[subject] = again(subject, stages)
        if found:
            yield list(found.values())


def _stale(
    journal: Journal, run: RunId, group: int, damaged: Callable[[str], bool]
) -> Mapping[Subject, frozenset[StageName]]:
    """By image, the stages whose files are not what they were."""
    recalled = recall(journal, run, group)
    stale: dict[Subject, frozenset[StageName]] = {}
    for subject, settled in recalled.images.items() if recalled else ():
        if settled.state not in {ImageState.PROCESSING, ImageState.PARTIAL}:
            continue
        stages = frozenset(
            stage
            for stage, renditions in settled.record.renditions.items()
            if any(one.format != "raw" and damaged(one.digest) for one in renditions)
        )
        if stages:
            stale[subject] = stages
    return stale


def _at_work(row: RunRow) -> bool:
    return row.status is RunStatus.RUNNING and alive(row.owner)


def _standing(row: RunRow) -> str:
    return "interrupted" if row.status is RunStatus.RUNNING else row.status.value


def _ask(workspace: Path, row: RunRow, request: Request, patience: float) -> Answer:
    """Post a request and wait for it to be done. Where the coordinator went away meanwhile it is
    taken back: ``asked`` is False, and the record is the caller's to write."""
    from imagelane.adapters.requests import FolderRequests  # noqa: PLC0415 - only for this

    requests = FolderRequests(Workspace(workspace).run)
    ticket = requests.post(row.run, request)
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if ticket not in {waiting for waiting, _ in requests.waiting(row.run)}:
            return Answer(asked=True)
        if not alive(row.owner):
            return Answer(asked=not requests.done(row.run, ticket))
        time.sleep(LOOK)
    return Answer(asked=True, waits=True)
