"""Lowering: the same plan for sequential, parallel and hybrid execution, or stage by stage.

A model is an admission policy. What differs is which semaphores a segment holds, how many images
are in flight, and what is done in a lane, one after the other.
"""

from __future__ import annotations

from difflib import get_close_matches

from imagelane.model.plan import Lane, LogicalPlan, PhysicalPlan, Segment
from imagelane.model.policy import ExecutionModel, RunOptions
from imagelane.model.spec import Place
from imagelane.model.states import Scope
from imagelane.plan.draft import Draft, Machine, own_limit, pool_of, pool_size
from imagelane.plan.logical import PlanError, PlanProblem
from imagelane.plan.optimizer import optimize

MIB = 1 << 20
LARGEST_RESERVATION = 64 * MIB
LARGEST_WINDOW = 512


def physical_plan(logical: LogicalPlan, options: RunOptions, machine: Machine) -> PhysicalPlan:
    """Lower a plan for the model and the limits that the options ask for.

    Raises:
        PlanError: an option names a stage that there is not, or a number below 1.
    """
    _check_options(logical, options)
    draft = optimize(logical, options, machine)
    lane = _lane(draft)
    limits: dict[str, int] = {}
    segments = tuple(_segment(index, draft, lane, limits) for index, _ in enumerate(draft.segments))
    processes = _processes(lane, segments, limits)
    decoded_bytes = options.decoded_bytes or max(machine.memory // 4, 256 * MIB)
    return PhysicalPlan(
        logical=draft.logical,
        segments=segments,
        limits=limits,
        lane=lane,
        window=_window(draft, lane, segments, limits),
        decoded_bytes=decoded_bytes,
        reservation=min(LARGEST_RESERVATION, decoded_bytes // max(1, 2 * processes)),
        processes=processes,
        model=options.model.value,
        fused=options.fuse,
    )


def _segment(index: int, draft: Draft, lane: Lane, limits: dict[str, int]) -> Segment:
    names = draft.segments[index]
    first = draft.logical.stage(names[0])
    held: list[str] = []
    if first.spec.traits.place is not Place.COORDINATOR:
        pool = pool_of(first.spec)
        in_run_lane = lane.kind == "run" and index not in lane.free
        if not in_run_lane:
            held.append(f"pool:{pool}")
            limits[f"pool:{pool}"] = pool_size(pool, draft.options, draft.machine)
        own = own_limit(first.spec, draft.options, draft.machine)
        if own is not None and len(names) == 1:
            held.append(f"stage:{names[0]}")
            limits[f"stage:{names[0]}"] = own
    return Segment(index, names, first.scope, first.spec.traits.place, tuple(held))


def _lane(draft: Draft) -> Lane:
    options = draft.options
    if options.model is ExecutionModel.HYBRID:
        return Lane("batch", options.batch_size, options.parallel_batches)
    if options.model is ExecutionModel.SEQUENTIAL:
        free = frozenset(
            index
            for index, names in enumerate(draft.segments)
            if any(name in options.parallel for name in names)
        )
        return Lane("run", free=free)
    return Lane()


def _room(segment: Segment, limits: dict[str, int]) -> int:
    return min((limits[name] for name in segment.limits), default=1)


def _processes(lane: Lane, segments: tuple[Segment, ...], limits: dict[str, int]) -> int:
    pixel = [segment for segment in segments if segment.place is Place.PROCESS]
    if not pixel:
        return 0
    in_lane = [segment for segment in pixel if not segment.limits]
    pools = {name for segment in pixel for name in segment.limits if name.startswith("pool:")}
    together = sum(limits[name] for name in pools) + (1 if in_lane else 0)
    if lane.kind == "batch":
        together = min(together, lane.batches)
    if lane.kind == "run":
        moved = sum(_room(segment, limits) for segment in pixel if segment.limits)
        together = min(together, moved + (1 if in_lane else 0))
    return max(1, together)


def _window(draft: Draft, lane: Lane, segments: tuple[Segment, ...], limits: dict[str, int]) -> int:
    asked = draft.options.max_in_flight
    if lane.kind == "run" and not lane.free:
        return 1
    if lane.kind == "batch":
        full = lane.batch_size * lane.batches
        return min(asked, full) if asked else full
    if asked:
        return asked
    # Twice what all limits let run at once, so that the next image is at hand for a free place.
    of_images = [segment for segment in segments if segment.scope is Scope.IMAGE]
    pools: dict[str, int] = {}
    for segment in of_images:
        for name in segment.limits[:1]:
            pools[name] = max(pools.get(name, 0), _room(segment, limits))
    apart = sum(_room(segment, limits) for segment in of_images if len(segment.limits) > 1)
    return max(2, min(LARGEST_WINDOW, 2 * (sum(pools.values()) + apart)))


def _check_options(logical: LogicalPlan, options: RunOptions) -> None:
    names = [stage.name for stage in logical.stages]
    problems = []
    for option, given in (("workers", options.workers), ("parallel", options.parallel)):
        for name in given:
            if name not in names:
                near = get_close_matches(name, names, 1)
                hint = f"; did you mean {near[0]!r}?" if near else f": there are {', '.join(names)}"
                problems.append(f"{option} names {name!r}, which is not a stage{hint}")
    numbers = [
        ("batch_size", options.batch_size, 1),
        ("parallel_batches", options.parallel_batches, 1),
        ("max_in_flight", options.max_in_flight, 0),
        ("memory", options.decoded_bytes, 0),
        *((f"workers of {name}", number, 1) for name, number in options.workers.items()),
        *((f"pool {name}", number, 1) for name, number in options.pools.items()),
    ]
    problems += [
        f"{what} is {number}; expected {least} or more"
        for what, number, least in numbers
        if number < least
    ]
    if options.parallel and options.model is not ExecutionModel.SEQUENTIAL:
        problems.append(
            f"single stages are moved to parallel in a sequential run; the model is "
            f"{options.model.value!r}, where limits are set with workers"
        )
    pools = {pool_of(stage.spec) for stage in logical.stages}
    problems += [
        f"pools names {name!r}, which no stage uses; used are {', '.join(sorted(pools))}"
        for name in options.pools
        if name not in pools and name != "cpu"
    ]
    if problems:
        raise PlanError([PlanProblem(problem) for problem in problems])
