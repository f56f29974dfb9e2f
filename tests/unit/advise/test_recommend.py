"""Advice on pipelines of known times, down to the page that is printed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from imagelane.advise.recommend import advise, choose
from imagelane.model.forecast import Advice, Answer, Price
from imagelane.model.ids import StageName
from imagelane.model.policy import ExecutionModel, RunOptions
from imagelane.model.profile import Costs, Effort, Level, Scaling
from imagelane.report.forecasts import advice_text, flags, forecast_text
from imagelane.report.ink import Ink
from tests.unit.advise.made import computes, logical, profile, question, waits

GOLDEN = Path(__file__).parent / "golden"
LEVELS = (Level(1.0, 1.0, 40), Level(2.0, 2.3, 40), Level(4.0, 5.5, 40))
LOCKED = Scaling(1.0, 0.15, 0.02, LEVELS)
GALLERY = logical(
    computes("validate"),
    computes("thumbnails", "validate"),
    waits("moderate", "validate", workers=5),
    waits("store", "thumbnails", "moderate"),
)
EFFORTS = {
    "validate": Effort(0.01, 0.0),
    "thumbnails": Effort(0.05, 0.0, decoded=12 << 20),
    "moderate": Effort(0.0, 0.2),
    "store": Effort(0.001, 0.004, recorded=0.002),
}


@cache
def gallery(cores: int = 2) -> Advice:
    """200 images with a moderation that five may call at once, at 4 cents an hour of a core."""
    measured = profile(GALLERY, EFFORTS, costs=Costs(known=True))
    asked = question(GALLERY, measured, 200, cores=cores)
    return advise(replace(asked, price=Price(0.04, "€")))


@cache
def ledger() -> Advice:
    """100 images that are entered under a lock, half a second each."""
    plan = logical(computes("validate"), waits("register", "validate"))
    efforts = {"validate": Effort(0.002, 0.0), "register": Effort(0.001, 0.5)}
    measured = profile(plan, efforts, scalings={"register": LOCKED}, costs=Costs(known=True))
    return advise(question(plan, measured, 100))


def page(advice: Advice) -> str:
    return "\n".join(advice_text(advice, Ink(), 100)) + "\n"


@pytest.mark.parametrize("made", [gallery, ledger])
def test_the_page_is_the_one_that_was_looked_at(made: Callable[[], Advice]) -> None:
    golden = GOLDEN / f"{made.__name__}.txt"
    assert page(made()) == golden.read_text(encoding="utf-8")


def test_the_page_fits_a_terminal() -> None:
    lines = page(gallery()).splitlines()
    assert len(lines) <= 40
    assert all(len(line) <= 120 for line in lines[3:])


def test_parallel_is_advised_with_no_more_than_it_takes() -> None:
    advice = gallery()
    assert advice.answer is Answer.PARALLEL
    # Two cores compute 0.061 s an image; five at once moderate one in 0.04 s.
    assert advice.chosen.seconds.middle == pytest.approx(200 * 0.2 / 5, rel=0.08)
    assert advice.chosen.options.workers["moderate"] == 5
    assert advice.chosen.loads[0].stage == "moderate"


def test_what_the_file_allows_of_a_service_is_not_exceeded() -> None:
    advice = gallery(16)
    assert advice.chosen.options.workers["moderate"] <= 5


def test_workers_that_gain_nothing_are_not_advised() -> None:
    """Sixteen cores: five at once of what waits are the bottleneck, so two processes are enough."""
    advice = gallery(16)
    assert advice.chosen.processes <= 3


def test_behind_a_lock_sequential_is_the_right_answer() -> None:
    advice = ledger()
    assert advice.answer is Answer.SEQUENTIAL
    assert "sequential is the right answer" in page(advice)
    assert advice.now.options.model is ExecutionModel.PARALLEL
    assert advice.now.seconds.middle > 1.2 * advice.chosen.seconds.middle
    assert "Do not run register side by side" in page(advice)
    (slower,) = advice.slower
    assert slower[0] == "register"
    assert slower[1] == pytest.approx(2.3)


def test_what_gets_a_little_slower_in_company_is_still_run_side_by_side() -> None:
    mild = replace(gallery(), slower=((StageName("moderate"), 1.3),))
    assert "Do not run" not in page(mild)


def test_one_stage_after_the_other_is_moved_by_what_it_gains() -> None:
    moves = gallery().moves
    assert moves[0].stage == "moderate"
    assert all(move.gained > 0 for move in moves)
    assert [move.seconds for move in moves] == sorted(
        (move.seconds for move in moves), reverse=True
    )


def test_where_sequential_meets_the_deadline_it_is_enough() -> None:
    answer, reason = choose(gallery().forecasts, 3600)
    assert answer is Answer.SEQUENTIAL
    assert "before the deadline" in reason


def test_a_deadline_that_nothing_meets_is_said_to_be_missed() -> None:
    answer, reason = choose(gallery().forecasts, 5)
    assert answer is Answer.PARALLEL
    assert "the deadline is never met" in reason


def test_cost_is_of_the_cores_that_are_held() -> None:
    one = gallery().of_model("sequential")
    assert one.cost == pytest.approx(0.04 * (one.seconds.middle + one.start) / 3600)
    assert "€0.0" in page(gallery())


def test_the_ceiling_is_that_of_the_scarcest() -> None:
    ceiling = gallery().ceiling
    assert ceiling.name == "moderate, 5 at once"
    assert ceiling.speed_up == pytest.approx(0.275 / 0.04, rel=0.1)


def test_more_cores_than_were_measured_are_doubted() -> None:
    assert any("measured on 2 cores" in doubt for doubt in gallery(16).unsure)


def test_flags_are_those_of_the_run_command() -> None:
    options = RunOptions(pools={"cpu": 4, "io": 8}, workers={"moderate": 2})
    forecast = replace(gallery().chosen, options=options)
    assert flags(forecast) == ("--model parallel --workers 4 --pool io=8 --workers moderate=2")


def test_a_simulation_is_told_in_words() -> None:
    forecast = replace(gallery().chosen, images=9_000, simulated=1_500)
    text = "\n".join(forecast_text(forecast, Ink(), 100))
    assert "bottleneck" in text
    assert "1,500 images were simulated one by one; the other 7,500" in text
