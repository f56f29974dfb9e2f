"""A plan between the rules: the DAG, and the segments that its stages are gathered into so far."""

from __future__ import annotations

from dataclasses import dataclass

from imagelane.model.ids import StageName
from imagelane.model.plan import LogicalPlan
from imagelane.model.policy import RunOptions
from imagelane.model.spec import Place, StageSpec


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is to run on: processor cores that may be used, and memory in bytes."""

    cores: int
    memory: int


@dataclass(frozen=True, slots=True)
class Draft:
    """``segments`` hold every stage exactly once, each segment in topological order."""

    logical: LogicalPlan
    segments: tuple[tuple[StageName, ...], ...]
    options: RunOptions
    machine: Machine


IO_PLACES = 64
"""Default size of the pool `io`: stages that wait cost a thread, not a core."""


def pool_of(stage: StageSpec) -> str:
    """The pool whose places the stage takes: as declared, or its kind's."""
    return stage.pool or stage.traits.pool


def pool_size(pool: str, options: RunOptions, machine: Machine) -> int:
    """How many places a pool has."""
    declared = options.pools.get(pool)
    if declared is not None:
        return declared
    return IO_PLACES if pool == "io" else machine.cores


def workers_of(stage: StageSpec, options: RunOptions) -> int | None:
    """The stage's own limit: as moved over, as given for this run, or as declared."""
    return options.workers.get(stage.name, stage.workers)


def own_limit(stage: StageSpec, options: RunOptions, machine: Machine) -> int | None:
    """The stage's own limit where it binds: below that of its pool."""
    workers = workers_of(stage, options)
    if workers is None or stage.traits.place is Place.COORDINATOR:
        return None
    return workers if workers < pool_size(pool_of(stage), options, machine) else None
