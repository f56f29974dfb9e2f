"""The values of the audit trail: what is hashed of an event, and what is not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from imagelane.model.canonical import number
from imagelane.model.ids import RunId, StageName, Subject
from imagelane.model.merkle import leaf_hash
from imagelane.model.plan import LogicalStage
from imagelane.model.states import Scope

VERSION = 1
"""Of the form of leaves."""


@dataclass(frozen=True, slots=True)
class AuditStage:
    """What must be known of a stage to tell what may come before what."""

    name: StageName
    scope: Scope
    needs: tuple[StageName, ...]
    gathers: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "scope": self.scope.value,
            "needs": list(self.needs),
            "gathers": self.gathers,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> AuditStage:
        """The inverse of `as_json`.

        Raises:
            KeyError, TypeError, ValueError: it is none.
        """
        needs = tuple(StageName(str(need)) for need in values["needs"])
        name = StageName(str(values["name"]))
        return cls(name, Scope(values["scope"]), needs, bool(values["gathers"]))


@dataclass(frozen=True, slots=True)
class AuditPlan:
    """The stages of a run in the order of its plan; ``primary``: groups begin with their primary,
    and its other images after it."""

    stages: tuple[AuditStage, ...]
    primary: bool = False

    def as_json(self) -> dict[str, Any]:
        return {"primary": self.primary, "stages": [stage.as_json() for stage in self.stages]}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> AuditPlan:
        """The inverse of `as_json`.

        Raises:
            KeyError, TypeError, ValueError: it is none.
        """
        stages = tuple(AuditStage.from_json(one) for one in values["stages"])
        return cls(stages, bool(values["primary"]))

    @classmethod
    def of(cls, stages: Iterable[LogicalStage], *, primary: bool) -> AuditPlan:
        return cls(
            tuple(
                AuditStage(one.name, one.scope, one.needs, one.spec.traits.gathers)
                for one in stages
            ),
            primary,
        )


@dataclass(frozen=True, slots=True)
class Content:
    """What happened: when, to what, and a commitment to all the rest. Nothing in it is about a
    person or from inside a picture.

    ``role`` (of an image received) and ``outcome`` (the state that something settled in, or the
    class of an error) are kept when the payload is erased. ``payload`` is the commitment, in
    hexadecimal digits. ``at`` is wall-clock time in seconds of the epoch.
    """

    run: RunId
    at: float
    fence: int
    type: str
    subject: Subject
    stage: str | None
    role: str
    outcome: str
    payload: str

    def text(self) -> str:
        """As canonical JSON."""
        # Names in the order of RFC 8785. By hand, since every event comes through here.
        group, ordinal = self.subject
        stage = "null" if self.stage is None else _quoted(self.stage)
        return (
            f'{{"at":{number(self.at)},"fence":{self.fence},"group":{group},"ordinal":{ordinal},'
            f'"outcome":{_quoted(self.outcome)},"payload":{_quoted(self.payload)},'
            f'"role":{_quoted(self.role)},"run":{_quoted(self.run)},"stage":{stage},'
            f'"type":{_quoted(self.type)}}}'
        )

    def digest(self) -> str:
        """Tells the event from all others, wherever it stands in the log."""
        return sha256(self.text().encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        return {
            "at": self.at,
            "fence": self.fence,
            "group": self.subject.group,
            "ordinal": self.subject.ordinal,
            "outcome": self.outcome,
            "payload": self.payload,
            "role": self.role,
            "run": self.run,
            "stage": self.stage,
            "type": self.type,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Content:
        """The inverse of `as_json`.

        Raises:
            KeyError, TypeError, ValueError: it is none.
        """
        stage = values["stage"]
        return cls(
            run=RunId(_text_of(values["run"])),
            at=float(values["at"]),
            fence=_whole(values["fence"]),
            type=_text_of(values["type"]),
            subject=Subject(_whole(values["group"]), _whole(values["ordinal"])),
            stage=None if stage is None else _text_of(stage),
            role=_text_of(values["role"]),
            outcome=_text_of(values["outcome"]),
            payload=_text_of(values["payload"]),
        )


@dataclass(frozen=True, slots=True)
class Leaf:
    """What is hashed into the tree: the digest of an event's content, the event's place in the log,
    from 1, and its parents: the places of the events that had to be before it."""

    content: str
    index: int
    parents: tuple[int, ...]

    def text(self) -> str:
        """As canonical JSON."""
        parents = ",".join(map(str, self.parents))
        return (
            f'{{"content":"{self.content}","index":{self.index},"parents":[{parents}],'
            f'"version":{VERSION}}}'
        )

    def hash(self) -> bytes:
        return leaf_hash(self.text().encode())


@dataclass(frozen=True, slots=True)
class Told:
    """An event of the trail with what it says; ``body`` is None where that was erased."""

    leaf: Leaf
    content: Content
    body: Mapping[str, Any] | None

    @property
    def index(self) -> int:
        return self.leaf.index


_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_. ")


def _quoted(text: str) -> str:
    """As canonical JSON writes it."""
    return f'"{text}"' if _PLAIN.issuperset(text) else json.dumps(text, ensure_ascii=False)


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"found {value!r}, expected a whole number")
    return value


def _text_of(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"found {value!r}, expected text")
    return value
