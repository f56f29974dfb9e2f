"""From simulated runs to a forecast: intervals from several seeds, large batches by their rate."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from imagelane.advise.bounds import COORDINATOR, CORES, LANE, Means, demands
from imagelane.advise.draws import Draws
from imagelane.advise.shape import Shape
from imagelane.advise.simulate import Site, Trace, simulate
from imagelane.model.forecast import Forecast, Interval, Load, Price
from imagelane.model.plan import LogicalPlan, PhysicalPlan
from imagelane.model.policy import RunOptions
from imagelane.model.profile import Profile, Scaling
from imagelane.model.spec import Place
from imagelane.plan.draft import Machine
from imagelane.plan.physical import physical_plan

SURE = 1.645
"""Standard deviations to either side that hold nine tenths of a normal distribution."""
ITSELF = 0.04
"""How far a simulation is off by itself, as a standard deviation of the logarithm: what is left
over in `python -m benchmarks prediction` when the profile is known well."""
FIRST = 0.07
"""The same of the moment when a single group is live, over which less evens out."""
MEMORY = 0.1
"""The same of memory."""
SEEDED = 2_000
"""Images with which seeds are played: what comes of more is hardly less certain for it."""


@dataclass(frozen=True, slots=True)
class Question:
    """What all forecasts for one piece of advice share.

    ``options`` are those of the pipeline file. ``computing`` is how much longer computing takes
    than when it was measured, because the machine is another one, or in another mood.
    """

    logical: LogicalPlan
    options: RunOptions
    profile: Profile
    shape: Shape
    images: int
    machine: Machine
    computing: float = 1.0
    price: Price | None = None

    def plan(self, options: RunOptions) -> PhysicalPlan:
        """Raises PlanError as a run would."""
        return physical_plan(self.logical, options, self.machine)

    @property
    def groups(self) -> int:
        """Groups of so many images, as large as those of the source."""
        if self.images == self.shape.images:
            return self.shape.groups
        return max(1, round(self.images * self.shape.groups / max(1, self.shape.images)))

    def site(self) -> Site:
        """Where it is simulated."""
        return Site(
            self.machine.cores,
            {stage.name: stage.scaling for stage in self.profile.stages},
            self.profile.busy,
            self.profile.costs,
        )

    def means(self) -> Means:
        return Means(self.profile, self.images, self.groups)


def play(question: Question, plan: PhysicalPlan, images: int, *, seed: int | None) -> Trace:
    """One simulated run of so many images. Without a seed everything is as it was measured; with
    one, all that the profile may be off by is drawn: its sample, its speed, its scalings."""
    site, computing = question.site(), question.computing
    if seed is not None:
        draw = random.Random(seed)  # noqa: S311 - a seeded simulation, no secret
        computing *= math.exp(draw.gauss(0.0, question.profile.drift))
        site = replace(
            site,
            scalings={name: _drawn(one, draw) for name, one in site.scalings.items()},
            busy=_drawn(site.busy, draw),
        )
    site = replace(
        site,
        costs=replace(
            site.costs,
            start=site.costs.start * computing,
            warm=site.costs.warm * computing,
            turn=site.costs.turn * computing,
            event=site.costs.event * computing,
            order=site.costs.order * computing,
        ),
    )
    draws = Draws(question.profile, seed or 0, again=seed is not None, computing=computing)
    return simulate(plan, question.shape.items(images), images, draws, site)


def _drawn(scaling: Scaling, draw: random.Random) -> Scaling:
    """The same, as far off as it may be."""
    if not scaling.contention or not math.isfinite(scaling.error):
        return scaling
    off = draw.gauss(0.0, scaling.error)
    if scaling.contention >= 1:
        # A queue stays one; what it is not sure of is the price of handing over.
        return replace(scaling, coherency=max(0.0, scaling.coherency + off))
    return replace(scaling, contention=min(1.0, max(0.0, scaling.contention + off)))


def foretell(
    question: Question, label: str, options: RunOptions, *, one_by_one: int, seeds: Sequence[int]
) -> Forecast:
    """What a run with these options would be like.

    At most ``one_by_one`` images are simulated; of a larger batch, the rest by its rate. Seeds are
    played with no more than `SEEDED` of them. Without seeds the intervals hold what a simulation is
    off by itself, and no more.
    """
    plan = question.plan(options)
    images = min(question.images, one_by_one)
    least = demands(plan, question.means(), question.machine.cores)[0].seconds
    best = play(question, plan, images, seed=None)
    told = _moments(best, question.images, least)
    seeded = min(images, SEEDED)
    base = best if seeded == images or not seeds else play(question, plan, seeded, seed=None)
    usual = _moments(base, question.images, 0.0)
    drawn = [
        _moments(play(question, plan, seeded, seed=seed), question.images, 0.0) for seed in seeds
    ]
    seconds = _interval(told, usual, drawn, 0, ITSELF)
    return Forecast(
        label=label,
        options=options,
        images=question.images,
        groups=question.groups,
        seconds=seconds,
        start=best.start,
        first=_interval(told, usual, drawn, 1, FIRST) if best.live else None,
        median=_interval(told, usual, drawn, 2, FIRST) if best.live else None,
        rate=question.images / seconds.middle if seconds.middle else 0.0,
        memory=_memory(question, plan, best),
        processes=plan.processes,
        in_flight=plan.window,
        loads=tuple(_loads(question, plan, best)),
        under_way={stage.name: best.busy(stage.name) for stage in plan.logical.stages},
        computing=best.computed / (best.start + best.seconds) if best.seconds else 0.0,
        simulated=images,
        ending=best.status.value,
        cost=_cost(question, plan, seconds.middle + best.start),
    )


def _moments(trace: Trace, images: int, least: float) -> tuple[float, float, float]:
    """When the whole batch is over, its first group is live and its median one, in seconds.

    The fluid limit: what was not simulated goes on at the rate of the second half of what was, and
    takes no less than ``least`` seconds an image.
    """
    if not trace.images:
        return trace.seconds, 0.0, 0.0
    rest, seconds = images - trace.images, trace.seconds / trace.images
    half = [point for point in trace.settled if point[0] <= trace.images // 2]
    late = [point for point in trace.settled if point[0] <= trace.images * 0.95]
    if half and late and late[-1][0] > half[-1][0]:
        seconds = (late[-1][1] - half[-1][1]) / (late[-1][0] - half[-1][0])
    whole = trace.seconds + max(0, rest) * max(seconds, least * 0.98)
    if not trace.live:
        return whole, 0.0, 0.0
    stretched = whole / trace.seconds if trace.seconds else 1.0
    return whole, trace.live[0], statistics.median(trace.live) * stretched


def _interval(
    told: Sequence[float],
    usual: Sequence[float],
    drawn: Sequence[Sequence[float]],
    which: int,
    itself: float,
) -> Interval:
    """From what several seeds gave, against what comes without, in logarithms: nothing takes less
    time than none."""
    middle = told[which]
    if middle <= 0 or usual[which] <= 0:
        return Interval(0.0, middle, middle)
    off_by = [math.log(one[which] / usual[which]) for one in drawn if one[which] > 0]
    mean = statistics.fmean(off_by) if off_by else 0.0
    spread = statistics.stdev(off_by) if len(off_by) > 1 else 0.0
    # Of few seeds the spread itself is known badly, and the draws may lie to one side.
    off = SURE * math.sqrt(itself**2 + (spread * (1 + 1 / max(1, len(off_by)))) ** 2)
    return Interval(
        middle * math.exp(min(0.0, mean) - off), middle, middle * math.exp(max(0.0, mean) + off)
    )


def _memory(question: Question, plan: PhysicalPlan, trace: Trace) -> Interval | None:
    used = question.profile.memory
    if used is None:
        return None
    hosts = any(segment.place is Place.THREAD for segment in plan.segments)
    busiest = max(1, trace.tally.most_at_work) if plan.processes else 0
    # A worker that never had an order holds what it loaded.
    idle = (plan.processes - busiest) * used.idle
    # Of a source whose files are no larger than those measured, no picture is either.
    measured = max((one.size for one in question.profile.images), default=0.0)
    larger = max(1.0, question.shape.largest / measured) if measured else 1.0
    decoded = min(trace.tally.largest, round(used.decoded * larger))
    working = used.together(busiest, decoded, hosts=hosts) + max(0, idle)
    middle = max(working, used.least)
    off = math.exp(SURE * MEMORY)
    return Interval(middle / off, middle, middle * off)


def _cost(question: Question, plan: PhysicalPlan, seconds: float) -> float | None:
    if question.price is None:
        return None
    cores = min(question.machine.cores, max(1, plan.processes))
    return question.price.amount * cores * seconds / 3600


# What is how busy


def _loads(question: Question, plan: PhysicalPlan, trace: Trace) -> list[Load]:
    """Every resource with how busy it was, the busiest first."""
    busy = {stage.name: trace.busy(stage.name) for stage in plan.logical.stages}
    means = question.means()
    found = []
    for demand in demands(plan, means, question.machine.cores):
        if demand.name == CORES:
            share = trace.computed / max(1e-9, trace.start + trace.seconds) / demand.places
        elif demand.name == COORDINATOR:
            share = demand.seconds * trace.images / trace.seconds if trace.seconds else 0.0
        elif demand.name == LANE and not plan.lane.free:
            share = 1.0
        else:
            share = sum(busy[name] for name in demand.stages) / demand.places
        found.append(Load(demand.name, demand.stage, demand.places, share))
    found = [replace(load, share=min(1.0, load.share)) for load in found]
    return sorted(found, key=lambda load: -load.share)


Play = Callable[[RunOptions], float]


def quick(question: Question, images: int) -> Play:
    """How long a batch of so many images takes with other options: one simulation for each set of
    options, kept. For comparing, not for telling anybody."""
    known: dict[str, float] = {}

    def seconds(options: RunOptions) -> float:
        plan = question.plan(options)
        key = repr((plan.segments, plan.limits, plan.lane, plan.window, plan.processes))
        if key not in known:
            known[key] = play(question, plan, images, seed=None).seconds
        return known[key]

    return seconds
