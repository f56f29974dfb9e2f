"""What has been done on one image, group or the run, as long as it is in flight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from imagelane.model.ids import StageName
from imagelane.model.outcome import Rendition
from imagelane.model.states import LEFT_THE_GROUP, GroupState, ImageState
from imagelane.model.work import SourceFile


@dataclass(slots=True)
class SubjectState:
    """What has been done on one image, group or the run.

    ``done`` stages succeeded; ``missing`` failed for good or were skipped, with the reason;
    of those, ``failed`` gives (error class, message) of the ones that failed. ``attempts`` counts
    failed attempts by stage.
    """

    done: set[StageName] = field(default_factory=set)
    missing: dict[StageName, str] = field(default_factory=dict)
    failed: dict[StageName, tuple[str, str]] = field(default_factory=dict)
    attempts: Counter[StageName] = field(default_factory=Counter)
    facts: dict[StageName, Mapping[str, Any]] = field(default_factory=dict)
    renditions: dict[StageName, tuple[Rendition, ...]] = field(default_factory=dict)

    def resolved(self, stage: StageName) -> bool:
        return stage in self.done or stage in self.missing

    def undo(self, stage: StageName) -> None:
        """As if the stage had never been tried."""
        self.done.discard(stage)
        for known in (self.missing, self.failed, self.attempts, self.facts, self.renditions):
            known.pop(stage, None)


@dataclass(slots=True)
class ImageRecord(SubjectState):
    """An image in flight. ``decided`` is what a person made of it: it settles in that state, for
    that reason, whatever its stages say."""

    source: SourceFile = field(kw_only=True)
    sequence: int = field(kw_only=True)
    role: str = field(kw_only=True, default="")
    verdicts: dict[StageName, str] = field(default_factory=dict)
    decided: tuple[ImageState, str] | None = None

    def undo(self, stage: StageName) -> None:
        # Named, since a class with slots is made anew, and super() would mean the one before.
        SubjectState.undo(self, stage)
        self.verdicts.pop(stage, None)


@dataclass(slots=True)
class GroupRecord(SubjectState):
    """A group that is not over. ``settled`` counts members by the state they settled in;
    ``decided`` is as for an image."""

    name: str = field(kw_only=True)
    state: GroupState = GroupState.OPEN
    received: int = 0
    settled: Counter[ImageState] = field(default_factory=Counter)
    roles: dict[str, ImageState | None] = field(default_factory=dict)
    size: int | None = None
    closed_at: float | None = None
    opened_gates: set[StageName] = field(default_factory=set)
    primary: Mapping[str, Any] | None = None
    """Facts of the primary, once it is settled whole or in part."""
    primary_state: ImageState | None = None
    decided: tuple[GroupState, str] | None = None

    @property
    def settled_total(self) -> int:
        return self.settled.total()

    @property
    def gone(self) -> int:
        return sum(self.settled[state] for state in LEFT_THE_GROUP)


def image_json(record: ImageRecord) -> dict[str, Any]:
    """An image's record as JSON values, for the event that takes it up again."""
    return {
        **_json(record),
        "source": {**asdict(record.source), "columns": dict(record.source.columns)},
        "sequence": record.sequence,
        "role": record.role,
        "verdicts": dict(record.verdicts),
        "decided": record.decided,
    }


def image_record(values: Mapping[str, Any]) -> ImageRecord:
    """The inverse of `image_json`."""
    decided = values["decided"]
    return ImageRecord(
        **_fields(values),
        source=SourceFile(**values["source"]),
        sequence=values["sequence"],
        role=values["role"],
        verdicts=dict(values["verdicts"]),
        decided=(ImageState(decided[0]), decided[1]) if decided else None,
    )


def group_json(record: GroupRecord) -> dict[str, Any]:
    """A group's record as JSON values, for the event that takes it up again."""
    return {
        **_json(record),
        "name": record.name,
        "state": record.state,
        "received": record.received,
        "settled": {state.value: count for state, count in record.settled.items() if count},
        "roles": dict(record.roles),
        "size": record.size,
        "closed_at": record.closed_at,
        "opened_gates": sorted(record.opened_gates),
        "primary": None if record.primary is None else dict(record.primary),
        "primary_state": record.primary_state,
        "decided": record.decided,
    }


def group_record(values: Mapping[str, Any]) -> GroupRecord:
    """The inverse of `group_json`."""
    decided, primary = values["decided"], values["primary_state"]
    return GroupRecord(
        **_fields(values),
        name=values["name"],
        state=GroupState(values["state"]),
        received=values["received"],
        settled=Counter({ImageState(state): n for state, n in values["settled"].items()}),
        roles={
            role: None if state is None else ImageState(state)
            for role, state in values["roles"].items()
        },
        size=values["size"],
        closed_at=values["closed_at"],
        opened_gates=set(values["opened_gates"]),
        primary=values["primary"],
        primary_state=None if primary is None else ImageState(primary),
        decided=(GroupState(decided[0]), decided[1]) if decided else None,
    )


_RENDITION = ("name", "digest", "bytes", "format", "width", "height")


def _json(record: SubjectState) -> dict[str, Any]:
    return {
        "done": sorted(record.done),
        "missing": dict(record.missing),
        "failed": {stage: list(why) for stage, why in record.failed.items()},
        "attempts": dict(record.attempts),
        "facts": {stage: dict(facts) for stage, facts in record.facts.items()},
        "renditions": {
            stage: [[getattr(one, name) for name in _RENDITION] for one in made]
            for stage, made in record.renditions.items()
        },
    }


def _fields(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "done": set(values["done"]),
        "missing": dict(values["missing"]),
        "failed": {stage: (why[0], why[1]) for stage, why in values["failed"].items()},
        "attempts": Counter(values["attempts"]),
        "facts": dict(values["facts"]),
        "renditions": {
            stage: tuple(Rendition(*row) for row in rows)
            for stage, rows in values["renditions"].items()
        },
    }
