"""One stage: what it does, what it needs, and what happens when it fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, cast

from pydantic import Field, PlainValidator, WithJsonSchema

from imagelane.declare.problems import nearest
from imagelane.declare.sections.base import Names, Section
from imagelane.declare.sections.failure import BreakerSection, OnFailure, RetrySection
from imagelane.declare.values import Count, Duration, Text, fraction, mistake
from imagelane.model.policy import GatePolicy


def _require(value: Any) -> str | float | tuple[str, ...]:
    if isinstance(value, (list, tuple)) and value:
        if all(isinstance(one, str) and one for one in value):
            return tuple(value)
    elif value in ("settled", "all"):
        return str(value)
    elif isinstance(value, (int, float)) or (isinstance(value, str) and "%" in value):
        share = fraction(value)
        if share > 0:
            return share
    hint = nearest(value, ("settled", "all")) if isinstance(value, str) else ""
    raise mistake("", "settled, all, a share such as 90%, or roles such as [primary]", hint)


Require = Annotated[
    Sequence[str] | float | str,
    PlainValidator(_require),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": ["settled", "all"]},
                {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
                {"type": "string", "pattern": "%"},
                {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
            ]
        }
    ),
]


class GateSection(Section):
    """When a group stage may run. A value that is no mapping is what is required."""

    SHORT: ClassVar[str] = "require"

    require: Require = "settled"
    """`settled`: every image has come to an end, good or bad. `all`: every image is whole. A share
    or roles: that many, or those, are."""
    timeout: Duration | None = None
    """How long after the group is closed it may wait."""
    on_failure: Literal["held", "aborted"] = "aborted"
    """What becomes of the group where the requirement cannot be met any more."""

    def spec(self) -> GatePolicy:
        timeout = None if self.timeout is None else float(self.timeout)
        return GatePolicy(cast("Any", self.require), timeout, self.on_failure)


class StageSection(Section):
    """One stage: what it does, what it needs, and what happens when it fails."""

    uses: Text | None = None
    """A built-in stage, or module:function of one's own; the stage's name where nothing is said."""
    needs: Names | None = None
    """The stages that must be done before. Where no stage has any, each needs the one above it."""
    takes: Text | None = None
    """The stage whose picture it works on, where several reach it; `source` for the source's."""
    parameters: Mapping[str, Any] | None = Field(default=None, alias="with")
    """The parameters of what it uses."""
    scope: Literal["image", "group", "run"] | None = None
    """Whether it works on each image, on each group, or once on the whole run."""
    workers: Count | None = None
    """How many of it may run at once."""
    pool: Text | None = None
    """Whose places it takes: cpu, io, or one that `run.pools` names."""
    timeout: Duration | None = None
    """After this time an attempt is killed."""
    retry: RetrySection | None = None
    """When another attempt can help."""
    breaker: BreakerSection | None = None
    """When it is left alone for a while, because what it calls does not answer."""
    on_failure: OnFailure | None = None
    """`skip`: the group goes on without the image. `partial`: the image goes on without what this
    stage makes. `abort`: nothing of the group goes live; `{abort: run}` ends the run as well.
    `halt`: the run waits for a human."""
    gate: GateSection | None = None
    """When a group stage may run."""
    sandbox: Literal["on", "off"] | None = None
    """`off`: it works on pixels and needs other files, programs or a network as well, so its
    worker is not shut in."""
    reuse: bool | None = None
    """Whether an outcome that is recorded for the same input may be taken instead of executing it
    again. Where nothing is said: yes, but for `http`, `command` and functions that reach more than
    their own image."""
