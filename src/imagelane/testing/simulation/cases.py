"""Made-up cases: a pipeline, a source, a way to execute it, and what goes wrong, from a seed.

A case is plain values, written as it is read: `Case(...)` in a failure's message can be pasted into
a test. Every draw depends on the seed and on what it is for and on nothing else, so a case that is
made smaller stays the same in what is left of it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from imagelane.model.ids import StageName, Subject
from imagelane.model.outcome import Failure, Outcome, Success, Verdict
from imagelane.model.plan import PhysicalPlan
from imagelane.model.policy import (
    RETRIED,
    BreakerPolicy,
    ExecutionModel,
    FailurePolicy,
    GatePolicy,
    RetryPolicy,
    RunOptions,
    Tolerance,
)
from imagelane.model.spec import (
    Extent,
    ImagesSpec,
    PipelineSpec,
    Place,
    PrimarySpec,
    Reads,
    StageSpec,
    StageTraits,
)
from imagelane.model.states import ErrorClass, Scope
from imagelane.plan.draft import Machine
from imagelane.plan.logical import logical_plan
from imagelane.plan.physical import physical_plan
from imagelane.ports.source import SourceItem
from imagelane.testing.simulation.behaviour import Behaviour, Does, drawn
from imagelane.testing.simulation.faults import Fault, Kind
from imagelane.testing.simulation.sources import items_of

MACHINE = Machine(cores=2, memory=8 << 30)
ROLE = "front"
"""The role that a gate may require beside the primary's."""

Sort = Literal["pixels", "waits", "gathers", "sheet", "publish", "index"]
_SORTS: dict[Sort, tuple[Scope, Place, Reads, bool]] = {
    "pixels": (Scope.IMAGE, Place.PROCESS, Reads.PICTURE, False),
    "waits": (Scope.IMAGE, Place.THREAD, Reads.NOTHING, False),
    "gathers": (Scope.IMAGE, Place.THREAD, Reads.NOTHING, True),
    "sheet": (Scope.GROUP, Place.PROCESS, Reads.RENDITIONS, False),
    "publish": (Scope.GROUP, Place.COORDINATOR, Reads.RENDITIONS, True),
    "index": (Scope.RUN, Place.COORDINATOR, Reads.RENDITIONS, True),
}
Spared = Callable[[StageName, Subject], int]
_POOLS = {Place.PROCESS: "cpu", Place.THREAD: "io", Place.COORDINATOR: "coordinator"}


@dataclass(frozen=True, repr=False)
class _Short:
    """Written without the fields that have their default."""

    def __repr__(self) -> str:
        said = [
            f"{one.name}={value!r}"
            for one in fields(self)
            if (value := getattr(self, one.name)) != one.default
        ]
        return f"{type(self).__name__}({', '.join(said)})"


@dataclass(frozen=True, repr=False)
class Stage(_Short):
    """A made-up stage. ``failing`` is the share of attempts that fail, ``judges`` whether it gives
    verdicts; ``hangs`` is the share of attempts that never return."""

    name: str
    sort: Sort = "pixels"
    needs: tuple[str, ...] = ()
    on_failure: str = "skip"
    attempts: int = 3
    retries_bugs: bool = False
    workers: int | None = None
    timeout: float | None = None
    failing: float = 0.0
    hangs: float = 0.0
    judges: bool = False
    require: Literal["settled", "all"] | float | tuple[str, ...] = "settled"
    gate_timeout: float | None = None
    gate_fails: Literal["held", "aborted"] = "aborted"
    budget: float | None = None
    breaker: tuple[int, int] | None = None
    """(failures, of): a pause of half a second, two at most."""

    def spec(self) -> StageSpec:
        scope, place, reads, gathers = _SORTS[self.sort]
        on = RETRIED | {ErrorClass.BUG} if self.retries_bugs else RETRIED
        gate = GatePolicy(self.require, self.gate_timeout, self.gate_fails)
        return StageSpec(
            name=StageName(self.name),
            uses=self.name,
            traits=StageTraits(
                scopes=frozenset({scope}),
                place=place,
                pool=_POOLS[place],
                reads=reads,
                gathers=gathers,
            ),
            needs=tuple(map(StageName, self.needs)),
            scope=scope,
            extent=Extent(width=100) if reads is Reads.PICTURE else None,
            workers=self.workers,
            timeout=self.timeout,
            retry=RetryPolicy(attempts=self.attempts, on=on, budget=self.budget),
            breaker=self.breaker and BreakerPolicy(*self.breaker, pause=0.5, max=2.0),
            on_failure=FailurePolicy(self.on_failure),
            gate=gate if scope is Scope.GROUP else None,
        )


@dataclass(frozen=True, repr=False)
class Options(_Short):
    """How a case is executed: `RunOptions` without names of stages that a smaller case lacks."""

    model: str = "parallel"
    batch_size: int = 10
    parallel_batches: int = 2
    cpu: int = 2
    io: int = 64
    max_in_flight: int = 0
    decoded_bytes: int = 0
    fuse: bool = True
    moved: tuple[str, ...] = ()

    def plan(self, case: Case) -> PhysicalPlan:
        stages = tuple(stage.spec() for stage in case.stages)
        names = {stage.name for stage in case.stages}
        primary = PrimarySpec(on_failure=case.primary) if case.primary else None
        spec = PipelineSpec(
            "simulated",
            ImagesSpec("photos/", primary=primary),
            stages,
            "/nowhere",
            tolerance=Tolerance(case.tolerated, case.tolerated_of_group),
        )
        waiting = any(_SORTS[stage.sort][1] is Place.THREAD for stage in case.stages)
        options = RunOptions(
            model=ExecutionModel(self.model),
            batch_size=self.batch_size,
            parallel_batches=self.parallel_batches,
            pools={"cpu": self.cpu, **({"io": self.io} if waiting else {})},
            parallel=frozenset(self.moved) & names,
            max_in_flight=self.max_in_flight,
            decoded_bytes=self.decoded_bytes,
            fuse=self.fuse,
        )
        return physical_plan(logical_plan(spec), options, MACHINE)


@dataclass(frozen=True, repr=False)
class Case(_Short):
    """A whole case. ``options`` are those of the coordinators, one after the other; ``tempo`` seeds
    how long attempts take, ``seed`` what comes of them. ``again`` is how often what failed is sent
    round again, once the run stands still."""

    seed: int
    stages: tuple[Stage, ...]
    groups: tuple[int, ...] = (1,)
    primary: Literal["abort", "partial", "halt"] | None = None
    primary_at: int = 1
    options: tuple[Options, ...] = (Options(),)
    faults: tuple[Fault, ...] = ()
    tempo: int = 0
    tolerated: float | None = None
    tolerated_of_group: float | None = None
    again: int = 0

    def items(self) -> list[SourceItem]:
        primary = self.primary is not None
        return items_of(self.groups, primary=primary, primary_at=self.primary_at, role=ROLE)

    def behaviour(self, spared: Spared = lambda *_: 0) -> Behaviour:
        """What attempts do. An attempt that was ``spared`` so often, since it only found out that
        nobody answers, is made again under its number, and may come to something else."""
        stages = {stage.name: stage for stage in self.stages}

        def does(name: StageName, subject: Subject, attempt: int) -> Does:
            stage = stages[name]
            lot = drawn(self.tempo, "seconds", name, subject, attempt)
            seconds = (0.0, 0.1, 1.0, 10.0)[int(lot * 4)] * (lot * 4 % 1)
            if stage.timeout is not None:
                # What comes of an attempt may not depend on how long others take.
                seconds = min(seconds, 0.9 * stage.timeout)
            tries = attempt + 100 * spared(name, subject)
            if drawn(self.seed, "hangs", name, subject, tries) < stage.hangs:
                seconds = float("inf")
            decodes = (0, 1 << 20, 1 << 28, 3 << 30)[
                int(drawn(self.seed, "decodes", name, subject) * 4)
            ]
            return Does(seconds, self._outcome(stage, subject, tries), decodes)

        return does

    def _outcome(self, stage: Stage, subject: Subject, attempt: int) -> Outcome:
        if drawn(self.seed, "poison", stage.name, subject) < stage.failing / 8:
            return Failure(ErrorClass.WORKER_DIED, "made up: poison")
        if drawn(self.seed, "fails", stage.name, subject, attempt) < stage.failing:
            errors = list(ErrorClass)
            lot = drawn(self.seed, "error", stage.name, subject, attempt)
            error = errors[int(lot * len(errors))]
            asked = 60.0 * lot if error is ErrorClass.TRANSIENT and lot < 0.3 else None
            return Failure(error, f"made up: {error}", retry_after=asked)
        verdict: Verdict | None = None
        if stage.judges:
            lot = drawn(self.seed, "verdict", stage.name, subject)
            verdict = "reject" if lot < 0.1 else "review" if lot < 0.15 else "approve"
        return Success(facts={f"by_{stage.name}": str(subject)}, verdict=verdict)

    @property
    def size(self) -> tuple[int, ...]:
        """How large the case is to read: what a smaller one has less of."""
        return (len(self.stages), sum(self.groups), len(self.groups), len(self.faults))


def case_of(seed: int) -> Case:
    """The case of a seed."""
    draw = random.Random(seed)
    stages = _stages(draw)
    groups = _groups(draw)
    case = Case(
        seed=seed,
        stages=stages,
        groups=groups,
        primary=draw.choice((None, None, None, "abort", "partial", "halt")),
        primary_at=draw.choice((1, 1, 2, 5)),
        options=tuple(_options(draw, stages) for _ in range(draw.choice((1, 1, 2, 3)))),
        tempo=seed,
    )
    case = replace(case, faults=_faults(draw, case))
    if draw.random() < 0.3:
        case = replace(case, again=draw.choice((1, 1, 2)))
    if draw.random() < 0.2:
        case = replace(case, tolerated=draw.choice((0.0, 0.1, 0.3)))
    if draw.random() < 0.2:
        case = replace(case, tolerated_of_group=draw.choice((0.0, 0.2, 0.5)))
    return case


def _groups(draw: random.Random) -> tuple[int, ...]:
    largest = draw.choices((1, 4, 12, 50), (1, 5, 3, 0.3))[0]
    many = draw.choices((1, 3, 8, 30), (2, 5, 2, 0.3))[0]
    if largest == 50:
        many = min(many, 3)
    return tuple(draw.randint(1, largest) for _ in range(draw.randint(1, many)))


def _stages(draw: random.Random) -> tuple[Stage, ...]:
    failing = draw.choice((0.0, 0.02, 0.1, 0.4))
    policies = draw.choices(
        (
            ("skip",),
            ("skip", "partial"),
            ("skip", "partial", "abort", "halt"),
            ("partial", "abort-run"),
        ),
        (3, 9, 9, 1),
    )[0]
    waits = draw.random() < 0.5
    stages: list[Stage] = []

    def add(name: str, sort: Sort, needs: Sequence[str], **more: Any) -> None:
        hangs = draw.choice((0.0, 0.0, 0.05)) if failing else 0.0
        stages.append(
            Stage(
                name,
                sort,
                tuple(needs),
                on_failure=draw.choice(policies),
                attempts=draw.choice((1, 2, 3, 5)),
                retries_bugs=draw.random() < 0.2,
                workers=draw.choice((None, None, 1, 3)),
                timeout=draw.choice((5.0, 20.0)) if hangs else draw.choice((None, 5.0)),
                failing=draw.choice((0.0, failing)),
                hangs=hangs,
                budget=draw.choice((0.0, 0.2, 1.0)) if waits else None,
                breaker=draw.choice((None, (2, 3), (3, 10))) if waits else None,
                **more,
            )
        )

    for number in range(draw.randint(1, 6)):
        before = [stage.name for stage in stages]
        needs = draw.sample(before, draw.randint(0, min(2, len(before))))
        sort: Sort = draw.choice(("pixels", "pixels", "waits", "gathers"))
        judges = sort == "waits" and draw.random() < 0.3
        add(f"stage{number}", sort, needs, judges=judges)
    before = [stage.name for stage in stages]
    for number in range(draw.choice((0, 0, 1, 2))):
        sheets = [stage.name for stage in stages if stage.sort == "sheet"]
        needs = draw.sample(before, 1) + draw.sample(sheets, draw.randint(0, len(sheets)))
        add(f"sheet{number}", "sheet", needs, **_gate(draw))
    sheets = [stage.name for stage in stages if stage.sort == "sheet"]
    if draw.random() < 0.8:
        # Last of its group: what is live already could not be taken back by a later stage.
        add("publish", "publish", [before[-1], *sheets], **_gate(draw))
        if draw.random() < 0.3:
            add("index", "index", ["publish"])
    return tuple(stages)


def _gate(draw: random.Random) -> dict[str, Any]:
    return {
        "require": draw.choice(("settled", "settled", "all", 0.5, 0.9, (ROLE,), ("primary",))),
        "gate_timeout": draw.choice((None, None, None, 0.0, 3.0, 60.0)),
        "gate_fails": draw.choice(("held", "aborted")),
    }


def _options(draw: random.Random, stages: Sequence[Stage]) -> Options:
    model = draw.choice(("sequential", "parallel", "parallel", "hybrid"))
    names = [stage.name for stage in stages]
    moved = draw.sample(names, draw.choice((0, 0, 1, min(2, len(names)))))
    return Options(
        model=model,
        batch_size=draw.choice((1, 2, 3, 10)),
        parallel_batches=draw.choice((1, 2, 4)),
        cpu=draw.choice((1, 2, 4)),
        io=draw.choice((1, 3, 64)),
        max_in_flight=draw.choice((0, 0, 1, 2, 7)),
        decoded_bytes=draw.choice((0, 0, 1 << 28, 1 << 30)),
        fuse=draw.random() < 0.8,
        moved=tuple(moved) if model == "sequential" else (),
    )


def _faults(draw: random.Random, case: Case) -> tuple[Fault, ...]:
    horizon = 4 + 2 * len(case.stages) * sum(case.groups)
    kinds = draw.choice(
        (
            (),
            tuple(Kind),
            tuple(Kind),
            tuple(draw.sample(tuple(Kind), 3)),
            (draw.choice(tuple(Kind)),),
            (Kind.OVERTAKEN, Kind.REFUSED),
        )
    )
    if not kinds:
        return ()
    count = draw.choice((1, 3, 8, 20))
    steps = sorted(int(horizon * draw.random()) for _ in range(count))
    return tuple(Fault(draw.choice(kinds), step, round(draw.random(), 3)) for step in steps)
