"""What a failure means: retries, breakers, policies, and how much loss is tolerated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from imagelane.declare.problems import nearest
from imagelane.declare.sections.base import Section
from imagelane.declare.values import Duration, Share, mistake
from imagelane.model.policy import BreakerPolicy, FailurePolicy, RetryPolicy, Tolerance
from imagelane.model.states import ErrorClass

_POLICIES = ("skip", "partial", "abort", "halt")
_ABORT = {"group": FailurePolicy.ABORT, "run": FailurePolicy.ABORT_RUN}


def _on_failure(value: Any) -> str:
    if isinstance(value, str) and value in _POLICIES:
        return value
    if isinstance(value, Mapping) and set(value) == {"abort"} and value["abort"] in _ABORT:
        return _ABORT[value["abort"]].value
    hint = nearest(value, _POLICIES) if isinstance(value, str) else ""
    raise mistake("", "skip, partial, abort, halt or {abort: run}", hint)


OnFailure = Annotated[
    Mapping[str, str] | str,
    PlainValidator(_on_failure),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": list(_POLICIES)},
                {
                    "type": "object",
                    "properties": {"abort": {"enum": ["run", "group"]}},
                    "required": ["abort"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
"""A policy's name, or ``{abort: run}``."""


class RetrySection(Section):
    """When another attempt can help. A number is the number of attempts in all."""

    SHORT: ClassVar[str] = "attempts"

    attempts: Annotated[int, Field(ge=1, le=1000)] = 3
    """How many in all; 1 means no second one."""
    initial: Duration = 0.5
    """The longest pause before the second attempt."""
    backoff: Annotated[float, Field(ge=1, le=100)] = 2.0
    """By how much the pause grows each time."""
    max: Duration = 30.0
    """The longest pause at all."""
    jitter: Literal["full", "none"] = "full"
    """`full`: each pause is drawn at random up to its bound, so that retries do not come in
    waves."""
    on: Sequence[Literal["transient", "timeout", "worker_died", "bug"]] = (
        "transient",
        "timeout",
        "worker_died",
    )
    """The classes of error that are tried again. Bad input never is."""
    budget: Share | None = None
    """How many retries all images together may make at this stage, as a share of its first
    attempts; what goes beyond it waits. 20% where a service is called (`http`, functions that
    wait), no limit elsewhere."""

    def spec(self) -> RetryPolicy:
        return RetryPolicy(
            self.attempts,
            float(self.initial),
            self.backoff,
            float(self.max),
            self.jitter,
            frozenset(ErrorClass(one) for one in self.on),
            None if self.budget is None else float(self.budget),
        )


class BreakerSection(Section):
    """When a stage is left alone for a while because what it calls does not answer. A number is
    how many failures open it; 0 switches it off. `http` and functions that wait have one."""

    SHORT: ClassVar[str] = "failures"

    failures: Annotated[int, Field(ge=0, le=1000)] = 8
    """So many transient failures and timeouts among the last attempts open it; 0: never."""
    of: Annotated[int, Field(ge=1, le=1000)] = 10
    """How many of the last attempts are looked at."""
    pause: Duration = 5.0
    """After this one attempt is let through. Each that fails doubles the pause."""
    max: Duration = 300.0
    """The longest pause."""

    @model_validator(mode="after")
    def _within(self) -> BreakerSection:
        if self.failures > self.of and "of" in self.model_fields_set:
            expected = f"at most {self.of}, the attempts that are looked at"
            raise mistake(f"found {self.failures} failures", expected, at="failures")
        return self

    def spec(self) -> BreakerPolicy | None:
        if not self.failures:
            return None
        return BreakerPolicy(
            self.failures, max(self.of, self.failures), float(self.pause), float(self.max)
        )


class ToleranceSection(Section):
    """How many images may be lost, skipped or dead, as a share. A share alone is the run's."""

    SHORT: ClassVar[str] = "run"

    run: Share | None = None
    """Of all images; past it the run fails."""
    group: Share | None = None
    """Of a group's images; past it the group is aborted."""

    def spec(self) -> Tolerance:
        return Tolerance(
            None if self.run is None else float(self.run),
            None if self.group is None else float(self.group),
        )
