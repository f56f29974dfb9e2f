"""From a declared pipeline to the DAG: needs resolved, stages in order, pictures assigned."""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from imagelane.model.ids import StageName
from imagelane.model.plan import LogicalPlan, LogicalStage
from imagelane.model.spec import Extent, Location, PipelineSpec, Reads, Resampler, StageSpec

SOURCE = StageName("source")
"""What `takes` says for the source's own picture."""


@dataclass(frozen=True, slots=True)
class PlanProblem:
    """One reason why a pipeline cannot be planned: what was found, what was expected, what next."""

    message: str
    location: Location | None = None

    def __str__(self) -> str:
        return f"{self.location}: {self.message}" if self.location else self.message


class PlanError(Exception):
    """The declared stages do not make a plan. ``problems`` holds every reason that was found."""

    def __init__(self, problems: Iterable[PlanProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def logical_plan(spec: PipelineSpec) -> LogicalPlan:
    """The DAG of a pipeline.

    Stages without `needs` in a pipeline where none has any are expected to be chained already (the
    declaration does that).

    Raises:
        PlanError: unknown needs, a cycle, an ambiguous picture, a watermark on a marked picture.
    """
    ordered = _topological(spec.stages)
    ancestors: dict[StageName, frozenset[StageName]] = {}
    for stage in ordered:
        needs = stage.needs or ()
        ancestors[stage.name] = frozenset(needs).union(*(ancestors[need] for need in needs))
    pictures = _assign_pictures(ordered)
    stages = tuple(
        LogicalStage(
            spec=stage,
            needs=stage.needs or (),
            ancestors=ancestors[stage.name],
            picture=pictures.get(stage.name),
            gate=stage.gate,
        )
        for stage in ordered
    )
    decode = tuple(_asked_of_source(stages))
    digest = _digest(spec, ordered)
    return LogicalPlan(
        spec.name, spec.images, stages, decode, digest, spec.tolerance, spec.resampler
    )


def _topological(stages: tuple[StageSpec, ...]) -> list[StageSpec]:
    place = {stage.name: index for index, stage in enumerate(stages)}
    problems = [
        PlanProblem(f"stage {stage.name!r} needs {need!r}, which is not a stage", stage.location)
        for stage in stages
        for need in stage.needs or ()
        if need not in place
    ]
    if problems:
        raise PlanError(problems)
    waiting = {stage.name: set(stage.needs or ()) for stage in stages}
    ready = [place[name] for name, needs in waiting.items() if not needs]
    heapq.heapify(ready)
    ordered: list[StageSpec] = []
    while ready:
        stage = stages[heapq.heappop(ready)]
        ordered.append(stage)
        for name, needs in waiting.items():
            if stage.name in needs:
                needs.discard(stage.name)
                if not needs:
                    heapq.heappush(ready, place[name])
    if len(ordered) < len(stages):
        done = {stage.name for stage in ordered}
        circle = [stage for stage in stages if stage.name not in done]
        names = ", ".join(stage.name for stage in circle)
        raise PlanError([PlanProblem(f"these stages need each other: {names}", circle[0].location)])
    return ordered


def _assign_pictures(ordered: list[StageSpec]) -> dict[StageName, StageName | None]:
    """For each stage that reads pictures, the stage whose picture it takes.

    Of the pictures that reach a stage along its needs, those from which another one was made are
    passed over. What remains must be one, or `takes` must choose.
    """
    specs = {stage.name: stage for stage in ordered}
    taken: dict[StageName, StageName | None] = {}
    reaching: dict[StageName, frozenset[StageName]] = {}
    problems: list[PlanProblem] = []

    def lineage(name: StageName) -> list[StageName]:
        """The pictures that this one was made from, nearest first, the source last."""
        chain: list[StageName] = []
        at: StageName | None = name
        while at is not None and at != SOURCE:
            at = taken.get(at)
            chain.append(at or SOURCE)
        return chain

    for stage in ordered:
        incoming = frozenset[StageName]().union(*(reaching[need] for need in stage.needs or ()))
        incoming = incoming or frozenset({SOURCE})
        older = {ancestor for name in incoming for ancestor in lineage(name)}
        nearest = incoming - older
        if stage.traits.reads is Reads.PICTURE:
            chosen = stage.takes
            if chosen is None and len(nearest) > 1:
                names = sorted(nearest)
                problems.append(
                    PlanProblem(
                        f"two pictures reach stage {stage.name!r}: those of {' and '.join(names)}; "
                        f"say which with 'takes: {names[0]}'",
                        stage.location,
                    )
                )
            picture = chosen or min(nearest)
            taken[stage.name] = None if picture == SOURCE else picture
            if stage.uses == "watermark":
                marked = [
                    name
                    for name in (picture, *lineage(picture))
                    if name in specs and specs[name].uses == "watermark"
                ]
                if marked:
                    problems.append(
                        PlanProblem(
                            f"stage {stage.name!r} would put a watermark on a picture that "
                            f"{marked[0]!r} has marked already; say 'takes: source', or take it "
                            "out of the needs",
                            stage.location,
                        )
                    )
        reaching[stage.name] = frozenset({stage.name}) if stage.traits.makes_picture else nearest
    if problems:
        raise PlanError(problems)
    return taken


def _asked_of_source(stages: tuple[LogicalStage, ...]) -> Iterator[Extent]:
    """The extents that the source's picture must have for all stages that take it.

    A stage that keeps the size asks for what those ask that take its picture.
    """

    def asked(stage: LogicalStage) -> Iterator[Extent]:
        takers = [one for one in stages if one.picture == stage.name]
        if stage.spec.traits.keeps_size and takers:
            for taker in takers:
                yield from asked(taker)
        elif stage.spec.extent is not None:
            yield stage.spec.extent

    for stage in stages:
        if stage.spec.traits.reads is Reads.PICTURE and stage.picture is None:
            yield from asked(stage)


def _digest(spec: PipelineSpec, ordered: list[StageSpec]) -> str:
    """Pins what comes out: everything declared but where it stood and how it is to be executed."""

    def plain(value: Any) -> Any:
        if isinstance(value, (frozenset, set)):
            return sorted(value)
        if isinstance(value, Mapping):
            return dict(value)
        return str(value)

    stages = []
    for stage in ordered:
        body = asdict(stage)
        for execution_only in ("location", "workers", "pool", "breaker", "reuse"):
            del body[execution_only]
        del body["retry"]["budget"]
        del body["traits"]["contained"]
        stages.append(body)
    # Left out for libvips: what was planned before there was a choice keeps its digest.
    resized = {} if spec.resampler is Resampler.LIBVIPS else {"resampler": spec.resampler}
    tolerated = {key: share for key, share in asdict(spec.tolerance).items() if share is not None}
    text = json.dumps(
        {
            "name": spec.name,
            "images": asdict(spec.images),
            "stages": stages,
            **tolerated,
            **resized,
        },
        sort_keys=True,
        separators=(",", ":"),
        default=plain,
    )
    return hashlib.sha256(text.encode()).hexdigest()
