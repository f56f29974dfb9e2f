"""States and the tables of allowed transitions. The docs' diagrams are drawn from these tables."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Scope(StrEnum):
    """What a stage is executed on: each image (map), each group or the run (reduce)."""

    IMAGE = "image"
    GROUP = "group"
    RUN = "run"


class ImageState(StrEnum):
    RECEIVED = "received"
    PROCESSING = "processing"
    PUBLISHED = "published"
    PARTIAL = "partial"
    SKIPPED = "skipped"
    REJECTED = "rejected"
    DEAD = "dead"
    HELD = "held"
    WITHDRAWN = "withdrawn"
    ERASED = "erased"


class GroupState(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    GATED = "gated"
    PUBLISHED = "published"
    PARTIAL = "partial"
    ABORTED = "aborted"
    HELD = "held"
    ROLLED_BACK = "rolled_back"
    WITHDRAWN = "withdrawn"


class RunStatus(StrEnum):
    RUNNING = "running"
    PAUSED = "paused"
    HALTED = "halted"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


TAKEN_UP = frozenset({RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.HALTED})
"""A run in one of these states is not over."""


class ErrorClass(StrEnum):
    """Why an attempt failed, which decides whether another one can help."""

    INVALID = "invalid"
    """Bad input: the same attempt would fail again. Never retried."""
    TRANSIENT = "transient"
    """May pass: retried with exponential backoff."""
    TIMEOUT = "timeout"
    """The attempt was killed at its deadline. Retried."""
    WORKER_DIED = "worker_died"
    """The process went away under the attempt. Retried, so that poison is found out."""
    BUG = "bug"
    """An exception in a stage's code. Not retried unless asked."""


TAKEN_AWAY = frozenset({ImageState.WITHDRAWN, ImageState.ERASED})
"""What a person can make of any image: it is no loss then, and no gate asks for it."""

IMAGE_TRANSITIONS: Mapping[ImageState, frozenset[ImageState]] = {
    ImageState.RECEIVED: TAKEN_AWAY
    | {
        ImageState.PROCESSING,
        ImageState.SKIPPED,
        ImageState.DEAD,
        ImageState.HELD,
        ImageState.PUBLISHED,
    },
    ImageState.PROCESSING: TAKEN_AWAY
    | {
        ImageState.PUBLISHED,
        ImageState.PARTIAL,
        ImageState.SKIPPED,
        ImageState.REJECTED,
        ImageState.DEAD,
        ImageState.HELD,
    },
    # What has settled can be taken up again.
    ImageState.PARTIAL: TAKEN_AWAY
    | {ImageState.PROCESSING, ImageState.PUBLISHED, ImageState.SKIPPED},
    ImageState.HELD: TAKEN_AWAY
    | {ImageState.PROCESSING, ImageState.SKIPPED, ImageState.REJECTED, ImageState.DEAD},
    ImageState.DEAD: TAKEN_AWAY | {ImageState.PROCESSING, ImageState.SKIPPED},
    ImageState.SKIPPED: TAKEN_AWAY | {ImageState.PROCESSING},
    ImageState.REJECTED: TAKEN_AWAY | {ImageState.PROCESSING},
    ImageState.PUBLISHED: TAKEN_AWAY | {ImageState.PARTIAL, ImageState.PROCESSING},
    ImageState.WITHDRAWN: frozenset(
        {ImageState.PROCESSING, ImageState.PUBLISHED, ImageState.PARTIAL, ImageState.ERASED}
    ),
    ImageState.ERASED: frozenset(),
}

GROUP_TRANSITIONS: Mapping[GroupState, frozenset[GroupState]] = {
    GroupState.OPEN: frozenset({GroupState.CLOSED, GroupState.ABORTED, GroupState.HELD}),
    GroupState.CLOSED: frozenset(
        {
            GroupState.GATED,
            GroupState.PUBLISHED,
            GroupState.PARTIAL,
            GroupState.ABORTED,
            GroupState.HELD,
        }
    ),
    GroupState.GATED: frozenset(
        {GroupState.PUBLISHED, GroupState.PARTIAL, GroupState.ABORTED, GroupState.HELD}
    ),
    GroupState.HELD: frozenset(
        {GroupState.CLOSED, GroupState.GATED, GroupState.ABORTED, GroupState.PUBLISHED}
    ),
    GroupState.PARTIAL: frozenset(
        {
            GroupState.PUBLISHED,
            GroupState.CLOSED,
            GroupState.ROLLED_BACK,
            GroupState.WITHDRAWN,
        }
    ),
    GroupState.PUBLISHED: frozenset(
        {
            GroupState.PARTIAL,
            GroupState.CLOSED,
            GroupState.ROLLED_BACK,
            GroupState.WITHDRAWN,
        }
    ),
    GroupState.ABORTED: frozenset({GroupState.CLOSED}),
    # Another version can be put back, also the one that the run had made; or a new one is made.
    GroupState.ROLLED_BACK: frozenset(
        {
            GroupState.PUBLISHED,
            GroupState.PARTIAL,
            GroupState.CLOSED,
            GroupState.WITHDRAWN,
        }
    ),
    GroupState.WITHDRAWN: frozenset(
        {
            GroupState.PUBLISHED,
            GroupState.PARTIAL,
            GroupState.CLOSED,
            GroupState.ROLLED_BACK,
        }
    ),
}

RUN_TRANSITIONS: Mapping[RunStatus, frozenset[RunStatus]] = {
    RunStatus.RUNNING: frozenset(
        {
            RunStatus.PAUSED,
            RunStatus.HALTED,
            RunStatus.FINISHED,
            RunStatus.FAILED,
            RunStatus.CANCELLED,
        }
    ),
    RunStatus.PAUSED: frozenset({RunStatus.RUNNING, RunStatus.CANCELLED}),
    RunStatus.HALTED: frozenset({RunStatus.RUNNING, RunStatus.CANCELLED}),
    RunStatus.FAILED: frozenset({RunStatus.RUNNING, RunStatus.PAUSED, RunStatus.CANCELLED}),
    # Dead letters go round again, and partial groups are completed, in the run that they are of;
    # it is paused where a decision was taken that is not carried out yet.
    RunStatus.FINISHED: frozenset({RunStatus.RUNNING, RunStatus.PAUSED}),
    RunStatus.CANCELLED: frozenset(),
}

LIVE_GROUPS = frozenset({GroupState.PUBLISHED, GroupState.PARTIAL, GroupState.ROLLED_BACK})
"""Groups in these states have a version that is live."""

LEFT_THE_GROUP = TAKEN_AWAY | {ImageState.SKIPPED, ImageState.REJECTED, ImageState.DEAD}
"""Images in these states are no longer members when a gate counts who is there."""
