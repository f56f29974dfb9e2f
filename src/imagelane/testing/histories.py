"""Histories of runs that could have happened, drawn at random: for properties over all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random

from imagelane.model import events as e
from imagelane.model.ids import Digest, StageName, Subject
from imagelane.model.outcome import Rendition
from imagelane.model.records import GroupRecord, ImageRecord, group_json, image_json
from imagelane.model.run import RunState, evolve
from imagelane.model.states import (
    GROUP_TRANSITIONS,
    LIVE_GROUPS,
    ErrorClass,
    GroupState,
    ImageState,
    RunStatus,
)

NAMES = ("harbour.jpg", "hafen ü.jpg", "line\nbreak.jpg", "undecodable \udcff.jpg", "e\u0301.jpg")
"""File names as faulty as real ones are."""

_STAGES = tuple(map(StageName, ("validate", "thumbnails", "moderate")))
_SETTLED = (
    ImageState.PROCESSING,
    ImageState.PARTIAL,
    ImageState.SKIPPED,
    ImageState.REJECTED,
    ImageState.DEAD,
    ImageState.HELD,
)
_OVER = (GroupState.PUBLISHED, GroupState.PARTIAL, GroupState.ABORTED)


@dataclass(slots=True)
class _Group:
    subject: Subject
    received: int = 0
    closed: bool = False
    flying: list[Subject] = field(default_factory=list)


@dataclass(slots=True)
class _Past:
    """What the fold has let go of, for events that take it up again."""

    state: RunState = field(default_factory=RunState)
    images: dict[Subject, tuple[ImageState, ImageRecord]] = field(default_factory=dict)
    groups: dict[Subject, tuple[GroupState, GroupRecord]] = field(default_factory=dict)

    def see(self, event: e.Event) -> None:
        match event:
            case e.ImageSettled():
                self.images[event.subject] = (event.state, self.state.images[event.subject])
            case e.GroupSettled() if event.state is not GroupState.HELD:
                self.groups[event.subject] = (event.state, self.state.groups[event.subject.group])
            case e.GroupRolledBack():
                self.groups[event.subject] = (event.state, self.groups[event.subject][1])
            case e.ImageReopened() | e.ImageErased():
                del self.images[event.subject]
            case e.GroupReopened():
                del self.groups[event.subject]
        evolve(self.state, event)

    def later(
        self, subject: Subject, flying: list[Subject], choose: Random
    ) -> Iterator[e.ImageReopened | e.ImageErased]:
        """A settled image of a group that is not over is taken up again, or erased."""
        settled, record = self.images[subject]
        if choose.randrange(4):
            flying.append(subject)
            kept = image_json(record)
            yield e.ImageReopened(subject, settled, "retry", "why", "somebody", kept)
        else:
            yield e.ImageErased(subject, settled, None, 7, "why", "somebody", "f" * 64)

    def rolled_back(self, subject: Subject, choose: Random) -> Iterator[e.GroupRolledBack]:
        settled, _ = self.groups[subject]
        following = sorted(GROUP_TRANSITIONS[settled] & LIVE_GROUPS)
        if following and choose.randrange(2):
            state, manifest = choose.choice(following), Digest("d" * 64)
            yield e.GroupRolledBack(
                subject, _STAGES[0], settled, state, manifest, None, "why", "somebody"
            )

    def group(self, subject: Subject) -> e.GroupReopened:
        settled, record = self.groups[subject]
        kept = group_json(replace(record, state=GroupState.CLOSED))
        return e.GroupReopened(subject, settled, "redrive", "why", "somebody", kept)


def history(choose: Random, length: int) -> Iterator[e.Event]:
    """About ``length`` events in an order that `imagelane.model.run.evolve` accepts."""
    past = _Past()
    for event in _draws(choose, length, past):
        past.see(event)
        yield event


def _draws(choose: Random, length: int, past: _Past) -> Iterator[e.Event]:
    yield e.RunStarted("gallery", "0" * 64, "parallel", {"fuse": True})
    groups: list[_Group] = []
    opened = sequence = alerts = 0
    for _ in range(length):
        busy = [group for group in groups if group.flying]
        settled = [
            (group, image)
            for group in groups
            for image in past.images
            if image.group == group.subject.group
        ]
        match choose.randrange(10):
            case 0:
                opened += 1
                groups.append(_Group(Subject(opened)))
                yield e.GroupOpened(Subject(opened), f"group {choose.choice(NAMES)}")
            case 1 | 2 if growing := [group for group in groups if not group.closed]:
                group = choose.choice(growing)
                group.received += 1
                image = Subject(group.subject.group, group.received)
                group.flying.append(image)
                yield received(image, sequence, choose.choice(NAMES))
                sequence += 1
            case 3 | 4 if busy:
                yield _task(choose, choose.choice(choose.choice(busy).flying))
            case 5 if busy:
                group = choose.choice(busy)
                image = group.flying.pop(choose.randrange(len(group.flying)))
                yield e.ImageSettled(
                    image, choose.choice(_SETTLED), choose.choice((None, *_STAGES)), "as drawn"
                )
            case 6 if growing := [group for group in groups if not group.closed]:
                group = choose.choice(growing)
                group.closed = True
                yield e.GroupClosed(group.subject, group.received, 17.0)
            case 7 if quiet := [group for group in groups if group.closed and not group.flying]:
                yield from _finish(choose, groups, choose.choice(quiet))
            case 8 if settled:
                group, image = choose.choice(settled)
                yield from past.later(image, group.flying, choose)
            case 9 if past.groups:
                yield from past.rolled_back(subject := choose.choice(list(past.groups)), choose)
                received_then = past.groups[subject][1].received
                groups.append(_Group(subject, received_then, closed=True))
                yield past.group(subject)
            case _:
                alerts += 1
                yield from _said(Subject(9, 9))
                yield from (e.MemoryShort(1 << 20, 1 << 33), e.MemoryEased(1 << 32, 1 << 33))
                yield e.WaitedForRoom("/photos/\udcff", 10, 1.5)
                yield from (e.BreakerOpened(_STAGES[0]), e.BreakerClosed(_STAGES[0]))
                yield e.StopDecided(RunStatus.HALTED, "moderate failed", "3.1")
                yield e.RunSettled(RunStatus.HALTED, "moderate failed")
                stage = choose.choice((None, *_STAGES))
                yield e.AlertRaised(stage, alerts, "run_halted", "hafen \udcff\x1b[31m", "3.1")
                yield e.AlertSettled(alerts, "webhook-2", 3, "answered with status 500")
                yield e.RunResumed("sequential")


def _said(image: Subject) -> Iterator[e.Event]:
    """What people say of an image of which the fold has let go."""
    name, path = "hafen \udcff", "/photos/\udcff.jpg"
    yield e.Withdrawn(image, name, path, 12, "e" * 64, "why \udcff", "somebody", Digest("f" * 64))
    yield e.HoldAdded(image, name, path, 12, "e" * 64, "why", "somebody")
    yield e.WithdrawalUndone(image, name, path, "e" * 64, "why", "somebody")
    yield e.Erased(image, _STAGES[0], "task_succeeded")
    yield e.HoldRemoved(image, name, path, "e" * 64, "why", "somebody")


def received(image: Subject, sequence: int = 0, name: str = "harbour.jpg") -> e.ImageReceived:
    """The arrival of an image, with all that a manifest's row can say."""
    return e.ImageReceived(
        subject=image,
        sequence=sequence,
        name=name,
        path=f"/photos/{image.group}/{name}",
        bytes=1_000_000_007,
        mtime_ns=1_795_390_000_123_456_789,
        role="primary" if image.ordinal == 1 else "",
        columns={"copyright": "© Gazette", "note": "\udcfe"},
    )


def _task(choose: Random, subject: Subject) -> e.Event:
    stage = choose.choice(_STAGES)
    match choose.randrange(3):
        case 0:
            return e.TaskSkipped(subject, stage, "what it needs is missing")
        case 1:
            return e.TaskFailed(
                subject=subject,
                stage=stage,
                attempt=1,
                error=choose.choice(list(ErrorClass)),
                message="it did not work",
                detail="Traceback …",
                retry_in=choose.choice((None, 0.5)),
                worker="worker-1",
                started=1.5,
                finished=2.25,
            )
        case _:
            return e.TaskSucceeded(
                subject=subject,
                stage=stage,
                attempt=1,
                renditions=(Rendition("480", Digest("a" * 64), 12_345, "jpeg", 480, 320),),
                facts={"width": 480, "nsfw": 0.125, "title": "Hafen \udcff\u202e\x1b[31m"},
                verdict=choose.choice((None, "approve", "reject")),
                worker="worker-2",
                started=1.5,
                finished=2.25,
                cpu=0.5,
                decoded_bytes=1 << 33,
                source_digest="b" * 64,
            )


def _finish(choose: Random, groups: list[_Group], group: _Group) -> Iterator[e.Event]:
    match choose.randrange(4):
        case 0:
            yield e.GateOpened(group.subject, StageName("publish"), group.received, 0)
        case 1:
            yield e.GroupSettled(group.subject, GroupState.HELD, "a human is asked")
        case _:
            groups.remove(group)
            yield e.GroupSettled(group.subject, choose.choice(_OVER), "as drawn", Digest("c" * 64))
