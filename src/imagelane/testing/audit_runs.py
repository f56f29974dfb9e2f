"""A run of any length, as workers side by side would record it: for what looks at whole logs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from random import Random

from imagelane.model import events as e
from imagelane.model.audit import AuditPlan, AuditStage
from imagelane.model.event_form import encode, type_name
from imagelane.model.ids import Digest, RunId, StageName, Subject
from imagelane.model.outcome import Rendition
from imagelane.model.states import ErrorClass, GroupState, ImageState, RunStatus, Scope
from imagelane.ports.audit import Stored
from imagelane.ports.journal import Journal
from imagelane.record.audit.causes import Causes
from imagelane.record.audit.leaf import said_of

RUN = RunId("20261123-225900-k3f9")
GROUP = 20
"""Images in a group."""
BATCH = 1_000
"""Events in one append."""


def _stage(name: str, *needs: str, scope: Scope = Scope.IMAGE) -> AuditStage:
    return AuditStage(StageName(name), scope, tuple(map(StageName, needs)))


STAGES = (
    _stage("validate"),
    _stage("metadata", "validate"),
    _stage("thumbnails", "validate"),
    _stage("watermark", "metadata"),
    _stage("moderate", "validate"),
    _stage("store", "thumbnails", "watermark", "moderate"),
    _stage("contact-sheet", "thumbnails", scope=Scope.GROUP),
    _stage("publish", "store", "contact-sheet", scope=Scope.GROUP),
)
PLAN = AuditPlan(STAGES)


def events(length: int, seed: int = 0) -> Iterator[e.Event]:
    """At least ``length`` events of a run in which nothing goes wrong for good."""
    choose = Random(seed)
    yield e.RunStarted("news-gallery", "0" * 64, "parallel", {"workers": 8})
    number = told = 0
    while told < length:
        number += 1
        for event in _group(choose, number):
            told += 1
            yield event
    yield e.SourceExhausted(number, number * GROUP)
    yield e.RunSettled(RunStatus.FINISHED)


def record(journal: Journal, length: int, seed: int = 0) -> None:
    """Record such a run through a journal."""
    claimed = journal.create(RUN, {}, "owner")
    batch: list[tuple[float, e.Event]] = []
    for place, event in enumerate(events(length, seed)):
        batch.append((1_795_000_000.0 + place / 1024, event))
        if len(batch) == BATCH:
            journal.append(claimed, batch)
            batch = []
    journal.append(claimed, batch)


def derived(events: Iterable[e.Event], plan: AuditPlan) -> tuple[list[tuple[int, ...]], Causes]:
    """The parents of each event, and the causes at the end, which tell what was wrong."""
    causes = Causes(plan)
    parents = []
    for index, event in enumerate(events, 1):
        kind, subject = type_name(event), e.subject_of(event)
        body = json.dumps(encode(event), default=dict)
        said = said_of(Stored(RUN, index, 0.0, 0, kind, subject, None, body, None))
        parents.append(
            causes.parents(
                index, kind, subject, e.stage_of(event), role=said.role, outcome=said.outcome
            )
        )
    return parents, causes


def _group(choose: Random, number: int) -> Iterator[e.Event]:
    group = Subject(number)
    yield e.GroupOpened(group, f"harbour {number}")
    todo: dict[Subject, list[AuditStage]] = {}
    for ordinal in range(1, GROUP + 1):
        image = Subject(number, ordinal)
        name = f"quay {ordinal}.jpg"
        yield e.ImageReceived(
            image,
            (number - 1) * GROUP + ordinal - 1,
            name,
            f"/photos/{number}/{name}",
            4_000_000,
            1,
        )
        todo[image] = [stage for stage in STAGES if stage.scope is Scope.IMAGE]
    yield e.GroupClosed(group, GROUP, 5.0)
    while todo:
        image = choose.choice(list(todo))
        left = todo[image]
        waiting = {stage.name for stage in left}
        ready = [stage for stage in left if not waiting.intersection(stage.needs)]
        stage = choose.choice(ready)
        if choose.random() < 0.02:
            yield _failed(choose, image, stage.name)
            continue
        yield _succeeded(choose, image, stage.name)
        left.remove(stage)
        if not left:
            del todo[image]
            yield e.ImageSettled(image, ImageState.PROCESSING)
    for stage in STAGES:
        if stage.scope is Scope.GROUP:
            yield e.GateOpened(group, stage.name, GROUP, 0)
    for stage in STAGES:
        if stage.scope is Scope.GROUP:
            yield _succeeded(choose, group, stage.name)
    yield e.GroupSettled(group, GroupState.PUBLISHED, "", _digest(choose))


def _succeeded(choose: Random, subject: Subject, stage: StageName) -> e.TaskSucceeded:
    began = choose.random() * 1000
    made = tuple(
        Rendition(str(width), _digest(choose), 30_000 + width, "jpeg", width, width * 3 // 4)
        for width in ((160, 480, 1080) if stage == "thumbnails" else ())
    )
    return e.TaskSucceeded(
        subject,
        stage,
        1,
        made,
        {"caption": "The quay at dawn", "width": 4000} if stage == "metadata" else {},
        None,
        f"worker-{choose.randrange(8)}",
        began,
        began + choose.random(),
        choose.random(),
        48_000_000,
        _digest(choose),
    )


def _failed(choose: Random, subject: Subject, stage: StageName) -> e.TaskFailed:
    began = choose.random() * 1000
    return e.TaskFailed(
        subject,
        stage,
        1,
        ErrorClass.TRANSIENT,
        "answered with status 503",
        "",
        0.5,
        "worker-1",
        began,
        began + 0.1,
    )


def _digest(choose: Random) -> Digest:
    return Digest(f"{choose.getrandbits(256):064x}")
