"""Cases in which the simulation found a bug, made small. Each stays mended."""

from __future__ import annotations

import pytest

from imagelane.testing.simulation.cases import Case, Options, Stage
from imagelane.testing.simulation.engines import play_with_engine
from imagelane.testing.simulation.faults import Fault, Kind
from imagelane.testing.simulation.play import play

FOUND = {
    # Orders were numbered from 1 by every coordinator, so what a worker of a dead one said late
    # was taken for the outcome of whatever had the same number now.
    "a late report of an earlier coordinator's order": Case(
        seed=266,
        stages=(Stage(name="stage1", timeout=5.0), Stage(name="stage2", needs=("stage1",))),
        faults=(
            Fault(kind=Kind.CRASH_RECORDED, step=0, size=0.934),
            Fault(kind=Kind.RIVAL, step=1, size=0.616),
            Fault(kind=Kind.CRASH_DECIDED, step=2, size=0.254),
            Fault(kind=Kind.LATE, step=6, size=0.338),
        ),
        tempo=266,
    ),
    # ... and where there were two at once, one image was done twice side by side.
    "a report of a rival's order": Case(
        seed=191,
        stages=(Stage(name="stage0", timeout=20.0), Stage(name="stage1", timeout=5.0)),
        groups=(2,),
        primary="abort",
        primary_at=2,
        faults=(Fault(kind=Kind.RIVAL, step=2, size=0.772),),
        tempo=191,
    ),
    # A claim that came twice stood in the line for memory twice, and was granted once.
    "a claim that is said twice": Case(
        seed=24,
        stages=(Stage(name="stage0", timeout=5.0),),
        faults=(Fault(kind=Kind.DUPLICATED, step=0, size=0.907),),
        tempo=24,
    ),
    # A report that overtook that of what it needs was recorded before it, and what it had overtaken
    # was taken for passed over.
    "reports in the wrong order": Case(
        seed=5,
        stages=(
            Stage(name="stage4", failing=0.1),
            Stage(name="stage5", needs=("stage4",), timeout=20.0),
        ),
        faults=(Fault(kind=Kind.REORDERED, step=2, size=0.5),),
        tempo=5,
    ),
    # Of two gates with a timeout, the first decided what became of whoever was late for either.
    "two gates that wait differently long": Case(
        seed=137,
        stages=(
            Stage(name="stage0", timeout=5.0),
            Stage(
                name="sheet0",
                sort="sheet",
                require=("front",),
                gate_timeout=3.0,
                gate_fails="held",
            ),
            Stage(name="publish", sort="publish", gate_timeout=0.0, gate_fails="held"),
        ),
        tempo=137,
    ),
    # One gate can hold a group and another abort it: which came first depended on which member
    # was the last to settle.
    "a gate that holds and one that aborts": Case(
        seed=10310,
        stages=(
            Stage(name="stage0", failing=0.4),
            Stage(name="stage2", timeout=20.0),
            Stage(
                name="sheet0",
                sort="sheet",
                timeout=5.0,
                require=("primary",),
                gate_fails="held",
            ),
            Stage(name="publish", sort="publish", timeout=20.0, require="all"),
        ),
        groups=(4,),
        options=(Options(),),
        tempo=10310,
    ),
    # Whoever was replaced could still make a group live that its successor had given up: the
    # pointer knew only of what had been made live.
    "a promotion that goes on after its group was given up": Case(
        seed=475,
        stages=(Stage(name="stage3", sort="gathers"), Stage(name="publish", sort="publish")),
        faults=(
            Fault(kind=Kind.OVERTAKEN, step=0, size=0.913),
            Fault(kind=Kind.REFUSED, step=0, size=0.791),
        ),
        tempo=475,
    ),
    # The list of galleries stood ready from before a group of it was taken up again, and was made
    # while that one was on its way.
    "a list of all groups, one of which is taken up again": Case(
        seed=38,
        stages=(
            Stage(name="stage0", sort="gathers", timeout=5.0),
            Stage(name="sheet0", sort="sheet", timeout=5.0),
            Stage(name="publish", sort="publish", timeout=5.0),
            Stage(name="index", sort="index", timeout=5.0, failing=0.4),
        ),
        faults=(Fault(kind=Kind.REFUSED, step=17, size=0.698),),
        tempo=38,
        again=1,
    ),
    # In a batch that works one after the other, whoever stood ready went beside one that came back
    # before it.
    "an image that comes back into a batch": Case(
        seed=33,
        stages=(Stage(name="stage0", timeout=20.0, failing=0.02),),
        groups=(2, 1),
        options=(Options(model="hybrid"),),
        tempo=33,
        tolerated=0.3,
        again=2,
    ),
    # Alternates that stood ready were begun beside their primary when that was sent round again.
    "a primary that is sent round again": Case(
        seed=157,
        stages=(Stage(name="stage0", attempts=1),),
        groups=(4,),
        primary="halt",
        faults=(
            Fault(kind=Kind.LOST, step=1, size=0.118),
            Fault(kind=Kind.DECIDES, step=12, size=0.12),
            Fault(kind=Kind.DECIDES, step=95, size=0.878),
        ),
        tempo=157,
    ),
    # Alternates came back before their primary, took all lanes, and waited for it.
    "alternates that take the lanes that their primary needs": Case(
        seed=210,
        stages=(
            Stage(name="stage0", attempts=2, timeout=5.0, failing=0.4),
            Stage(name="stage3", failing=0.4),
        ),
        groups=(3,),
        primary="halt",
        primary_at=5,
        options=(Options(model="hybrid", batch_size=1),),
        tempo=210,
        again=2,
    ),
}
OF_THE_ENGINE = {
    # An image could be taken up again while its group was on its way to be live without it.
    "a decision on an image whose group is being published": Case(
        seed=7755,
        stages=(
            Stage(name="stage0", failing=0.4),
            Stage(name="publish", sort="publish", timeout=5.0, failing=0.4),
            Stage(name="index", sort="index", timeout=5.0, failing=0.4),
        ),
        groups=(4,),
        faults=(Fault(kind=Kind.DECIDES, step=18, size=0.403),),
        tempo=7755,
        tolerated=0.3,
        again=2,
    ),
}


@pytest.mark.parametrize("case", FOUND.values(), ids=FOUND.keys())
def test_what_was_found_stays_mended(case: Case) -> None:
    play(case)


@pytest.mark.parametrize(
    "case", [*FOUND.values(), *OF_THE_ENGINE.values()], ids=[*FOUND, *OF_THE_ENGINE]
)
def test_what_was_found_stays_mended_in_the_engine(case: Case) -> None:
    play_with_engine(case)
