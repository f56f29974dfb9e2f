"""What a stage's failure means, when a gate opens, and how a run is to be executed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from imagelane.model.states import ErrorClass

SERVICE_BUDGET = 0.2
"""The retry budget of stages that call a service, where nothing is said."""
RETRIED = frozenset({ErrorClass.TRANSIENT, ErrorClass.TIMEOUT, ErrorClass.WORKER_DIED})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Another attempt, when it can help.

    The delay before attempt n + 1 is drawn from [0, min(max, initial * backoff ** (n - 1))] under
    full jitter, and is that bound itself under none. Times are in seconds. ``budget`` is the share
    of a stage's first attempts that its further attempts may come to; what goes beyond it waits.
    None: no limit.
    """

    attempts: int = 3
    initial: float = 0.5
    backoff: float = 2.0
    max: float = 30.0
    jitter: Literal["full", "none"] = "full"
    on: frozenset[ErrorClass] = RETRIED
    budget: float | None = None


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When a stage is left alone for a while, because what it calls does not answer.

    It opens when ``failures`` of the last ``of`` attempts were transient or timeouts. After
    ``pause`` seconds one attempt is let through; each that fails doubles the pause, up to ``max``.
    """

    failures: int = 8
    of: int = 10
    pause: float = 5.0
    max: float = 300.0


@dataclass(frozen=True, slots=True)
class Tolerance:
    """The share of images, from 0 to 1, that may be lost (skipped or dead) before the run fails,
    or their group is aborted. None: any."""

    run: float | None = None
    group: float | None = None


class FailurePolicy(StrEnum):
    """What becomes of an image whose attempts at a stage are used up."""

    SKIP = "skip"
    PARTIAL = "partial"
    ABORT = "abort"
    ABORT_RUN = "abort-run"
    HALT = "halt"


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """When a group stage may run.

    ``require`` is ``settled`` (every member is in a terminal state), ``all`` (every accepted member
    is whole), a share of the accepted members in (0, 1], or the roles that must be whole.
    ``timeout`` (seconds) counts from the closing of the group. Where the requirement cannot be met
    any more the group goes to the state that ``on_failure`` names.
    """

    require: Literal["settled", "all"] | float | tuple[str, ...] = "settled"
    timeout: float | None = None
    on_failure: Literal["held", "aborted"] = "aborted"


class ExecutionModel(StrEnum):
    SEQUENTIAL = "sequential"
    PARALLEL = "parallel"
    HYBRID = "hybrid"


class Sandbox(StrEnum):
    """Whether what decodes is shut in."""

    AUTO = "auto"
    """By every layer that the system has; what it lacks is said."""
    REQUIRE = "require"
    """By all that keep a captured decoder in; where one is lacking, nothing is begun."""
    OFF = "off"
    """Not at all, for debuggers and profilers."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to execute: everything that changes speed and memory and never the bytes that come out.

    ``workers`` are limits of single stages, ``pools`` the sizes of the named pools (``cpu`` is the
    number of worker processes), ``parallel`` the stages that were moved out of a sequential run's
    lane. ``decoded_bytes`` bounds width x height x bands x frames of all pictures that are decoded
    at one moment; 0 lets the machine's memory decide.
    """

    model: ExecutionModel = ExecutionModel.PARALLEL
    batch_size: int = 10
    parallel_batches: int = 2
    workers: Mapping[str, int] = field(default_factory=dict)
    pools: Mapping[str, int] = field(default_factory=dict)
    parallel: frozenset[str] = frozenset()
    max_in_flight: int = 0
    decoded_bytes: int = 0
    fuse: bool = True
    sandbox: Sandbox = Sandbox.AUTO
