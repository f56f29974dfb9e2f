"""What was declared: the value that both fronts (YAML and Python) produce, and plans begin with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256
from typing import Any, Literal

from imagelane.model.canonical import canonical
from imagelane.model.codec import to_json
from imagelane.model.ids import Digest, StageName
from imagelane.model.policy import (
    BreakerPolicy,
    FailurePolicy,
    GatePolicy,
    RetryPolicy,
    RunOptions,
    Tolerance,
)
from imagelane.model.states import Scope


class Place(StrEnum):
    """Where a stage's code is executed."""

    PROCESS = "process"
    """Alone in a supervised worker process: whatever touches pixels."""
    THREAD = "thread"
    """On a thread of the waiting host: whatever mostly waits. Holds no worker process."""
    COORDINATOR = "coordinator"
    """By the engine itself: only the promotion of what is recorded."""


class Reads(StrEnum):
    """What a stage takes in hand."""

    SOURCE = "source"
    """The source file's bytes."""
    PICTURE = "picture"
    """Decoded pixels: of the source, or as changed by the stage that `takes` names."""
    RENDITIONS = "renditions"
    """The files that stages before it made."""
    NOTHING = "nothing"
    """Facts and names only."""


class Resampler(StrEnum):
    """What makes pictures smaller or larger. They agree to the eye and not to the byte, so a plan
    names one, and every worker of its runs takes that one."""

    LIBVIPS = "libvips"
    FAST_IMAGE_RESIZE = "fast_image_resize"
    """In two thirds of the time. Its binding, cykooz-resizer, is not built for every machine."""

    @property
    def module(self) -> str:
        """What is imported for it."""
        return "pyvips" if self is Resampler.LIBVIPS else "cykooz_resizer"


@dataclass(frozen=True, slots=True)
class Extent:
    """The largest picture that a stage can make use of, in pixels; a side that is None is free.

    ``inside`` fits the picture into the box, ``cover`` fills the box. Both sides None: full size.
    """

    width: int | None = None
    height: int | None = None
    fit: Literal["inside", "cover"] = "inside"


@dataclass(frozen=True, slots=True)
class StageTraits:
    """What the planner must know of a stage's kind.

    ``makes_picture``: stages that need it see the picture as it left it; ``keeps_size``: that
    picture is as large as the one it takes, so no larger than its own takers ask for.
    ``gathers``: it takes what there is, so a missing input does not skip it. ``facts`` are the
    names that it adds (``*``: not known in advance). ``contained``: where it decodes, it does so in
    a worker that reaches nothing but its own image. ``version`` is part of every result's key and
    changes when its bytes do.
    """

    scopes: frozenset[Scope] = frozenset({Scope.IMAGE})
    place: Place = Place.PROCESS
    pool: str = "cpu"
    reads: Reads = Reads.PICTURE
    makes_picture: bool = False
    keeps_size: bool = False
    makes_renditions: bool = False
    gathers: bool = False
    facts: frozenset[str] = frozenset()
    contained: bool = True
    version: str = "1"


@dataclass(frozen=True, slots=True)
class Location:
    """Where something stands in a pipeline file; line and column count from 1."""

    file: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Described:
    """What is known of a user's function after a separate process has looked at it.

    ``parameters`` are normalised, defaults filled in. ``errors`` pairs a parameter's name (or an
    empty string: the function as a whole) with one line that says what is wrong.
    """

    traits: StageTraits = StageTraits()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    extent: Extent | None = None
    errors: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class StageSpec:
    """One declared stage.

    ``needs`` None means: not said. ``takes`` names the stage whose picture it works on, where more
    than one reaches it. ``parameters`` are normalised JSON, defaults filled in. ``extent`` is None
    for stages that use no picture. ``reads_facts`` are the fact names in its templates, dotted
    (``primary.icc``). ``reuse`` says whether an outcome that is recorded for the same input may be
    taken instead of executing it again; None: as its kind allows.
    """

    name: StageName
    uses: str
    traits: StageTraits
    needs: tuple[StageName, ...] | None = None
    takes: StageName | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    scope: Scope = Scope.IMAGE
    extent: Extent | None = None
    reads_facts: frozenset[str] = frozenset()
    workers: int | None = None
    pool: str | None = None
    timeout: float | None = None
    retry: RetryPolicy = RetryPolicy()
    on_failure: FailurePolicy = FailurePolicy.SKIP
    gate: GatePolicy | None = None
    location: Location | None = None
    breaker: BreakerPolicy | None = None
    reuse: bool | None = None


def stage_digest(stage: StageSpec) -> Digest:
    """A digest of a stage as it was declared, wherever it stands in its file: with what it uses,
    its version, its parameters and its policies."""
    declared = to_json(replace(stage, location=None))
    return Digest(sha256(canonical(declared)).hexdigest())


@dataclass(frozen=True, slots=True)
class GroupSpec:
    """Which images belong together.

    ``by`` is ``folder``, ``pattern`` (a regular expression with a group called ``group``, matched
    against the file name), ``column`` (of a manifest) or ``none``: each image alone.
    """

    by: Literal["folder", "pattern", "column", "none"] = "folder"
    pattern: str | None = None
    column: str | None = None


@dataclass(frozen=True, slots=True)
class PrimarySpec:
    """Which image of a group is its primary: the first in order, or the one that matches.

    ``pattern`` is a glob on file names, ``column`` and ``value`` a manifest's column.
    ``on_failure`` says what becomes of the group when its primary fails: ``abort`` it, go on
    without its facts (``partial``), or ``halt`` the run.
    """

    which: Literal["first", "pattern", "column"] = "first"
    pattern: str | None = None
    column: str | None = None
    value: str | None = None
    on_failure: Literal["abort", "partial", "halt"] = "abort"


@dataclass(frozen=True, slots=True)
class ImagesSpec:
    """Where images come from, how they form groups, and in which order they are shown.

    ``origin`` is as declared (a folder, a glob or a manifest file), relative to the pipeline's
    folder. ``path_column`` is the manifest column that holds paths, relative to the manifest.
    """

    origin: str
    group: GroupSpec = GroupSpec()
    order: Literal["name", "captured", "manifest"] = "name"
    primary: PrimarySpec | None = None
    path_column: str = "path"


@dataclass(frozen=True, slots=True)
class AlertSpec:
    """One way in which people are alerted. ``channel`` names it in the record: its kind, with a
    number where there are several of one kind. ``parameters`` are normalised JSON."""

    channel: str
    kind: Literal["log", "webhook", "command", "mail", "apprise"]
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PipelineSpec:
    """A whole declared pipeline. ``folder`` is absolute: relative paths are meant from there.

    ``resampler`` is chosen once, where the pipeline is declared, by what is installed there. (What
    was recorded before there was a choice was resized by libvips.)
    """

    name: str
    images: ImagesSpec
    stages: tuple[StageSpec, ...]
    folder: str
    options: RunOptions = RunOptions()
    workspace: str = ".imagelane"
    file: str | None = None
    tolerance: Tolerance = Tolerance()
    alerts: tuple[AlertSpec, ...] = ()
    resampler: Resampler = Resampler.LIBVIPS

    def stage(self, name: str) -> StageSpec:
        for stage in self.stages:
            if stage.name == name:
                return stage
        raise KeyError(name)
