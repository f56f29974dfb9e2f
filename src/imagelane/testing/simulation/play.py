"""Playing a case: to its end, under its faults, and once more without them for comparison."""

from __future__ import annotations

from dataclasses import replace

from imagelane.model.ids import Subject
from imagelane.model.plan import PhysicalPlan
from imagelane.model.states import GroupState, ImageState, RunStatus
from imagelane.testing.simulation.broken import BrokenGuaranteeError
from imagelane.testing.simulation.cases import Case, Options
from imagelane.testing.simulation.faults import CHANGE_THE_END
from imagelane.testing.simulation.hands import sent_round
from imagelane.testing.simulation.ledger import Ledger
from imagelane.testing.simulation.world import OVER, World, fold

CALM = Options(model="sequential")
End = tuple[RunStatus, dict[int, GroupState], dict[Subject, ImageState | None]]


def world_of(case: Case) -> World:
    """The world of a case, at its beginning."""
    first, *then = (options.plan(case) for options in case.options)
    world = World(
        first,
        case.items(),
        case.behaviour(),
        case.seed,
        faults=case.faults,
        plans=tuple(then),
    )
    world.behaviour = case.behaviour(world.watch.known.spared)
    return world


def play(case: Case) -> int:
    """Play a case, and again one after the other and undisturbed where both must come to the same
    end. Gives the steps that it took.

    Raises:
        BrokenGuaranteeError: a promise does not hold.
    """
    world = world_of(case)
    compared = compare(case, to_its_end(world))
    for _ in range(case.again):
        events = sent_round(world.events, world.plan.logical)
        if not events or world.state.status is RunStatus.CANCELLED:
            break
        world.by_hand(events)
        to_its_end(world)
    return world.steps + compared


def compare(case: Case, end: End) -> int:
    """Hold an end against that of the case played one at a time, undisturbed and at another tempo,
    where they must be the same. Gives the steps that it took.

    Raises:
        BrokenGuaranteeError: they differ.
    """
    if not _comes_to_one_end(case):
        return 0
    calm = world_of(replace(case, options=(CALM,), faults=(), tempo=case.tempo + 1))
    other = to_its_end(calm)
    # Where more was lost than is tolerated, the end is certain at another moment each time.
    if end[0] != other[0] or (end != other and end[0] is not RunStatus.FAILED):
        raise BrokenGuaranteeError(
            f"ended as {end}; one at a time and undisturbed as {other}", "every_model_ends_the_same"
        )
    return calm.steps


def to_its_end(world: World) -> End:
    """Run, and take up again whatever stands still, until it is over or waits for decisions.

    Raises:
        BrokenGuaranteeError: a promise does not hold, or it goes on for ever.
    """
    known = world.watch.known
    while True:
        state = world.run(until=world.steps + patience(world.plan, len(world.items)))
        if state.status is RunStatus.RUNNING:
            raise BrokenGuaranteeError(f"no end after {world.steps} steps", "a_run_comes_to_an_end")
        if fold(world.events) != state:
            raise BrokenGuaranteeError("the fold is not the state", "the_fold_is_the_state")
        if state.status in OVER or (state.status is RunStatus.PAUSED and not known.asked_to_stop):
            break
    return end_of(known, state.status)


def end_of(known: Ledger, status: RunStatus) -> End:
    """How a run ended, in what does not depend on when things happened."""
    groups = {number: group.state for number, group in known.groups.items()}
    aborted = {number for number, state in groups.items() if state is GroupState.ABORTED}
    images = {
        # Which of its members were settled before an abort, depends on when it came.
        subject: None if subject.group in aborted else page.settled
        for subject, page in known.images.items()
    }
    return status, groups, images


def patience(plan: PhysicalPlan, images: int) -> int:
    """Steps in which a run must come to a stop: every attempt, a few times over."""
    attempts = sum(stage.spec.retry.attempts for stage in plan.logical.stages)
    return 1000 + 20 * attempts * (images + 1)


def _comes_to_one_end(case: Case) -> bool:
    """Whether the end follows from what the stages do, whenever they do it: not where a gate's
    patience or a halt decides, nor where a fault uses attempts up."""
    timed = any(stage.gate_timeout is not None for stage in case.stages)
    halts = case.primary == "halt" or any(stage.on_failure == "halt" for stage in case.stages)
    changes = any(fault.kind in CHANGE_THE_END for fault in case.faults)
    # How often an attempt is spared depends on what else goes on.
    spares = any(stage.breaker is not None for stage in case.stages)
    return not (timed or halts or changes or spares)
