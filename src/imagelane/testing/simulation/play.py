"""Playing a case: to its end, under its faults, and once more without them for comparison."""

from __future__ import annotations

from dataclasses import replace

from imagelane.model.ids import Subject
from imagelane.model.states import GroupState, ImageState, RunStatus
from imagelane.testing.simulation.broken import BrokenGuaranteeError
from imagelane.testing.simulation.cases import Case, Options
from imagelane.testing.simulation.faults import COST_AN_ATTEMPT
from imagelane.testing.simulation.world import OVER, World, fold

CALM = Options(model="sequential")
End = tuple[RunStatus, dict[int, GroupState], dict[Subject, ImageState | None]]


def world_of(case: Case) -> World:
    """The world of a case, at its beginning."""
    first, *then = (options.plan(case) for options in case.options)
    return World(
        first,
        case.items(),
        case.behaviour(),
        case.seed,
        faults=case.faults,
        plans=tuple(then),
    )


def play(case: Case) -> int:
    """Play a case, and again one after the other and undisturbed where both must come to the same
    end. Gives the steps that it took.

    Raises:
        BrokenGuaranteeError: a promise does not hold.
    """
    world = world_of(case)
    end = to_its_end(world)
    if not _comes_to_one_end(case):
        return world.steps
    calm = world_of(replace(case, options=(CALM,), faults=(), tempo=case.tempo + 1))
    other = to_its_end(calm)
    if end != other:
        raise BrokenGuaranteeError(
            f"ended as {end}; one at a time and undisturbed as {other}", "every_model_ends_the_same"
        )
    return world.steps + calm.steps


def to_its_end(world: World) -> End:
    """Run, and take up again whatever stands still, until it is over or waits for decisions.

    Raises:
        BrokenGuaranteeError: a promise does not hold, or it goes on for ever.
    """
    known = world.watch.known
    while True:
        state = world.run(until=world.steps + _patience(world))
        if state.status is RunStatus.RUNNING:
            raise BrokenGuaranteeError(f"no end after {world.steps} steps", "a_run_comes_to_an_end")
        if fold(world.events) != state:
            raise BrokenGuaranteeError("the fold is not the state", "the_fold_is_the_state")
        if state.status in OVER or (state.status is RunStatus.PAUSED and not known.asked_to_stop):
            break
    groups = {number: group.state for number, group in known.groups.items()}
    aborted = {number for number, state in groups.items() if state is GroupState.ABORTED}
    images = {
        # Which of its members were settled before an abort, depends on when it came.
        subject: None if subject.group in aborted else page.settled
        for subject, page in known.images.items()
    }
    return state.status, groups, images


def _patience(world: World) -> int:
    """Steps in which a run must come to a stop: every attempt, a few times over."""
    stages = world.plan.logical.stages
    attempts = sum(stage.spec.retry.attempts for stage in stages)
    return 1000 + 20 * attempts * (len(world.items) + 1)


def _comes_to_one_end(case: Case) -> bool:
    """Whether the end follows from what the stages do, whenever they do it: not where a gate's
    patience or a halt decides, nor where a fault uses attempts up."""
    timed = any(stage.gate_timeout is not None for stage in case.stages)
    halts = case.primary == "halt" or any(stage.on_failure == "halt" for stage in case.stages)
    costs = any(fault.kind in COST_AN_ATTEMPT for fault in case.faults)
    return not (timed or halts or costs)
