"""``run``: how to execute."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from imagelane.declare.sections.base import NAME_LIST, Section, stage_names
from imagelane.declare.values import Count, Size, mistake
from imagelane.model.policy import ExecutionModel, RunOptions, Sandbox


def _by_name(value: Any) -> Any:
    """``workers: 4`` is the pool of processes, kept under an empty name."""
    return value if isinstance(value, Mapping) else {"": value}


def _moved(value: Any) -> Any:
    """``parallel: [a]`` is ``{a: null}``."""
    return value if isinstance(value, Mapping) else dict.fromkeys(stage_names(value))


_COUNT = {"type": "integer", "minimum": 1, "maximum": 100_000}

Workers = Annotated[
    Mapping[str, Count],
    BeforeValidator(_by_name),
    WithJsonSchema({"anyOf": [_COUNT, {"type": "object", "additionalProperties": _COUNT}]}),
]
Moved = Annotated[
    Mapping[str, Count | None],
    BeforeValidator(_moved),
    WithJsonSchema(
        {
            "anyOf": [
                NAME_LIST,
                {"type": "string"},
                {
                    "type": "object",
                    "additionalProperties": {"anyOf": [_COUNT, {"type": "null"}]},
                },
            ]
        }
    ),
]


class RunSection(Section):
    """How to execute: what changes speed and memory and never the bytes that come out."""

    model: Literal["sequential", "parallel", "hybrid"] = "parallel"
    """`sequential`: one task at a time. `parallel`: all that the limits allow. `hybrid`: batches,
    sequential inside, some of them side by side."""
    batch_size: Count = 10
    """Images in a batch, for hybrid."""
    parallel_batches: Count = 2
    """Batches side by side, for hybrid."""
    workers: Workers = Field(default_factory=dict)
    """How many worker processes; or, as a mapping, how many of each stage may run at once."""
    pools: Mapping[str, Count] = Field(default_factory=dict)
    """How many places each pool has: cpu, io, or any that a stage names."""
    parallel: Moved = Field(default_factory=dict)
    """Stages that run in parallel in an otherwise sequential run; as a mapping, with how many of
    each at once."""
    max_in_flight: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """How many images may be under way at once; 0 lets the machine decide."""
    memory: Size | None = None
    """How much all decoded pictures may take at one moment, e.g. 2GB."""
    fuse: bool = True
    """Let stages that follow each other share one decode."""
    sandbox: Literal["auto", "require", "off"] = "auto"
    """Whether workers that decode are shut in: `auto` by all layers that the system has, `require`
    or else nothing is begun, `off` not at all."""

    @model_validator(mode="after")
    def _one_size(self) -> RunSection:
        if "" in self.workers and "cpu" in self.pools:
            raise mistake("found workers and pools.cpu, which are one and the same", "one of them")
        return self

    def spec(self) -> RunOptions:
        workers = {name: count for name, count in self.workers.items() if name}
        workers |= {name: count for name, count in self.parallel.items() if count is not None}
        pools = dict(self.pools)
        if "" in self.workers:
            pools["cpu"] = self.workers[""]
        return RunOptions(
            model=ExecutionModel(self.model),
            batch_size=self.batch_size,
            parallel_batches=self.parallel_batches,
            workers=workers,
            pools=pools,
            parallel=frozenset(self.parallel),
            max_in_flight=self.max_in_flight,
            decoded_bytes=int(self.memory or 0),
            fuse=self.fuse,
            sandbox=Sandbox(self.sandbox),
        )
