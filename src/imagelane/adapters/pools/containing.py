"""What holds the workers of a plan that decode: how much they may use, and what they may see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from imagelane.execute.limits import Limits
from imagelane.execute.sandbox.terms import Containment
from imagelane.model.plan import LogicalPlan, LogicalStage, PhysicalPlan
from imagelane.model.spec import Place

_MIB = 1 << 20
_BASE = 512 * _MIB
"""Bytes for Python and all libraries: they take a fifth of it; a model for moderation, half."""

_COPIES = 3
"""Of what was granted: libvips holds a picture before and after an operation, and encoders a third
time. Twice of it is claimed as it is."""

_BYTES_A_PIXEL = 8
"""Four bands of 16 bits."""


def containment(
    plan: PhysicalPlan,
    folder: Path,
    layers: Sequence[str],
    longest: float,
    orders: int,
) -> Containment | None:
    """The terms for workers that do up to ``orders`` orders of a plan, whose stages take up to
    ``longest`` seconds where they say nothing else; None where there is no layer."""
    if not layers:
        return None
    stages = [
        stage
        for stage in plan.logical.stages
        if stage.spec.traits.place is Place.PROCESS and stage.spec.traits.contained
    ]
    largest = int(_most_pixels(plan.logical) * _BYTES_A_PIXEL)
    seconds = sum(stage.spec.timeout or longest for stage in stages) * orders
    return Containment(
        layers=tuple(layers),
        memory=_BASE + _COPIES * max(plan.decoded_bytes, largest),
        file=largest + 64 * _MIB,
        seconds=int(seconds) + 1,
        reads=tuple(sorted(_named(stages, folder))),
        hidden=(str(folder / plan.logical.images.origin),),
        modules=any(":" in stage.spec.uses for stage in stages),
    )


def unbound(plan: PhysicalPlan) -> Iterator[int]:
    """The segments whose stages ask for more than a contained worker has."""
    for segment in plan.segments:
        if not all(plan.logical.stage(name).spec.traits.contained for name in segment.stages):
            yield segment.index


def _most_pixels(plan: LogicalPlan) -> float:
    """Of all frames of the largest picture that the plan lets in."""
    for stage in plan.stages:
        if stage.spec.uses == "validate":
            return float(stage.spec.parameters["max_total_megapixels"]) * 1e6
    return Limits().max_total_megapixels * 1e6


def _named(stages: Sequence[LogicalStage], folder: Path) -> Iterator[str]:
    """The files that parameters name, such as the logo of a watermark: whoever wrote the pipeline
    wants them to be read."""
    for stage in stages:
        for text in _texts(stage.spec.parameters):
            try:
                path = folder / text
                if text and path.is_file():
                    yield str(path)
            except (OSError, ValueError):
                # Too long for a name, or with a NUL in it: a text of another kind.
                continue


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
