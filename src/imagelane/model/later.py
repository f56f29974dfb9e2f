"""Events about what is over: settled images and groups that people take up again, or change the
later life of.

They are events like those in `imagelane.model.events`, where all are named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from imagelane.model.ids import Digest, StageName, Subject
from imagelane.model.states import GroupState, ImageState


@dataclass(frozen=True, slots=True)
class ImageReopened:
    """A settled image is taken up again, by a redrive, a regeneration or a person's decision.

    ``settled`` is the state that it had settled in. ``record`` holds what goes on being true of it
    (`imagelane.model.records.image_json`): what has been settled is in flight no more, so nobody
    else remembers it. ``decision`` is the word for it, ``actor`` who took it.
    """

    subject: Subject
    settled: ImageState
    decision: str
    reason: str
    actor: str
    record: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class GroupReopened:
    """A group that is over, or is held, is taken up again; fields as for an image. What is live of
    it stays live until its stages have made the next version."""

    subject: Subject
    settled: GroupState
    decision: str
    reason: str
    actor: str
    record: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class GroupRolledBack:
    """A version that is kept was made live by hand: ``manifest`` instead of ``before``, at the
    place of the publish stage ``stage``. The group was ``settled``, and is in ``state`` from here
    on: rolled back, or what it had settled in, where what the run had made was put back."""

    subject: Subject
    stage: StageName
    settled: GroupState
    state: GroupState
    manifest: Digest
    before: Digest | None
    reason: str
    actor: str
    images: Mapping[ImageState, int] = field(default_factory=dict)
    """Of a group that was withdrawn: its images by the state that they had settled in."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """An image or a group is shown no more, and is not published again until that is undone:
    neither under the ``path`` that it has, nor any image with the ``digest`` and ``bytes`` of its
    file. Of a group ``path`` is empty, ``settled`` what it was, and ``images`` are its images by
    the state that they had settled in. ``manifest`` is the version that was put in the place of
    the one that showed it; None: nothing was."""

    subject: Subject
    group: str
    path: str
    bytes: int
    digest: str
    reason: str
    actor: str
    manifest: Digest | None = None
    settled: GroupState | None = None
    images: Mapping[ImageState, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WithdrawalUndone:
    """It may be published again."""

    subject: Subject
    group: str
    path: str
    digest: str
    reason: str
    actor: str


@dataclass(frozen=True, slots=True)
class ImageErased:
    """What the record said of the image before this was erased, and with it every file that was
    made of it. ``settled`` is the state that it had settled in; ``over`` that of its group, None
    while that is not over. ``gone`` counts files that were removed. ``fingerprint`` tells the file
    again where a later run meets it, so that it is not published (`fingerprint_of`)."""

    subject: Subject
    settled: ImageState
    over: GroupState | None
    gone: int
    reason: str
    actor: str
    fingerprint: str = ""


@dataclass(frozen=True, slots=True)
class Erased:
    """An event of which only the type is left: what it said was erased. It changes nothing."""

    subject: Subject
    stage: StageName | None
    type: str


@dataclass(frozen=True, slots=True)
class HoldAdded:
    """A legal hold: nothing of the image or group may be erased or cleared away."""

    subject: Subject
    group: str
    path: str
    bytes: int
    digest: str
    reason: str
    actor: str


@dataclass(frozen=True, slots=True)
class HoldRemoved:
    """The legal hold is over."""

    subject: Subject
    group: str
    path: str
    digest: str
    reason: str
    actor: str
