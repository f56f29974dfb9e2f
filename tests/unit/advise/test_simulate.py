"""Simulated runs against what queues of known times must give."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from imagelane.advise.foretell import foretell, play
from imagelane.model.forecast import Forecast
from imagelane.model.ids import StageName
from imagelane.model.plan import LogicalPlan
from imagelane.model.policy import ExecutionModel, RunOptions
from imagelane.model.profile import Costs, Effort, Scaling
from imagelane.model.states import ErrorClass
from tests.unit.advise.made import FREE, computes, logical, profile, question, waits

SECOND = Effort(cpu=0.0, waited=1.0)
COMPUTED = Effort(cpu=1.0, waited=0.0)
CHAIN = logical(waits("validate"), waits("moderate", "validate", workers=4))


def seconds(
    plan: LogicalPlan,
    efforts: dict[str, Effort],
    images: int,
    options: RunOptions,
    *,
    cores: int = 2,
    scalings: dict[str, Scaling] | None = None,
    costs: Costs = FREE,
) -> float:
    asked = question(
        plan, profile(plan, efforts, scalings=scalings, costs=costs), images, cores=cores
    )
    return play(asked, asked.plan(options), images, seed=None).seconds


def workers(number: int) -> RunOptions:
    return RunOptions(workers={"wait": number}, max_in_flight=500)


@pytest.mark.parametrize("at_once", [1, 2, 3, 7, 16, 40])
@pytest.mark.parametrize("images", [1, 40, 41])
def test_c_servers_that_take_the_same_time_work_in_rounds(images: int, at_once: int) -> None:
    """D/D/c with everybody there from the beginning: ceil(n / c) rounds."""
    plan = logical(waits("wait"))
    taken = seconds(plan, {"wait": SECOND}, images, workers(at_once))
    assert taken == pytest.approx(math.ceil(images / at_once))


def test_a_chain_takes_the_rounds_of_its_scarcest_stage_and_the_way_there() -> None:
    efforts = {"validate": Effort(0.0, 0.25), "moderate": SECOND}
    taken = seconds(CHAIN, efforts, 40, RunOptions(max_in_flight=100))
    assert taken == pytest.approx(0.25 + 40 / 4)


def test_one_at_a_time_takes_the_sum_of_everything() -> None:
    efforts = {"validate": Effort(0.1, 0.2), "moderate": SECOND}
    options = RunOptions(model=ExecutionModel.SEQUENTIAL)
    assert seconds(CHAIN, efforts, 20, options) == pytest.approx(20 * 1.3)


def test_a_stage_that_is_moved_out_of_the_lane_overlaps_it() -> None:
    efforts = {"validate": SECOND, "moderate": SECOND}
    options = RunOptions(
        model=ExecutionModel.SEQUENTIAL, parallel=frozenset({"moderate"}), workers={"moderate": 3}
    )
    assert seconds(CHAIN, efforts, 20, options) == pytest.approx(21)


def test_batches_side_by_side_are_so_many_lanes() -> None:
    efforts = {"validate": SECOND, "moderate": SECOND}
    options = RunOptions(model=ExecutionModel.HYBRID, batch_size=5, parallel_batches=2)
    assert seconds(CHAIN, efforts, 20, options) == pytest.approx(20)


@pytest.mark.parametrize(("processes", "expected"), [(1, 24.0), (2, 12.0), (4, 12.0), (8, 12.0)])
def test_cores_are_shared_by_whatever_computes(processes: int, expected: float) -> None:
    plan = logical(computes("shrink"))
    options = RunOptions(pools={"cpu": processes})
    assert seconds(plan, {"shrink": COMPUTED}, 24, options) == pytest.approx(expected)


def test_more_processes_than_cores_help_those_that_wait() -> None:
    plan = logical(computes("shrink"))
    half = {"shrink": Effort(cpu=0.5, waited=0.5)}
    two = seconds(plan, half, 24, RunOptions(pools={"cpu": 2}))
    four = seconds(plan, half, 24, RunOptions(pools={"cpu": 4}))
    assert two == pytest.approx(12.0)
    # No less than the cores need for what is computed, and what the last ones wait.
    assert 24 * 0.5 / 2 < four <= two * 0.75


def test_waiting_holds_no_core() -> None:
    plan = logical(computes("shrink"), waits("moderate", "shrink", workers=50))
    efforts = {"shrink": Effort(0.1, 0.0), "moderate": Effort(0.0, 2.0)}
    taken = seconds(plan, efforts, 40, RunOptions(max_in_flight=100))
    assert taken == pytest.approx(40 * 0.1 / 2 + 2.0)


@pytest.mark.parametrize("at_once", [1, 2, 5])
def test_under_a_lock_it_takes_as_long_however_many_there_are(at_once: int) -> None:
    plan = logical(waits("wait"))
    scalings = {"wait": Scaling(contention=1.0)}
    taken = seconds(plan, {"wait": SECOND}, 30, workers(at_once), scalings=scalings)
    assert taken == pytest.approx(30)


def test_under_a_lock_that_is_dear_to_hand_over_more_is_slower() -> None:
    plan = logical(waits("wait"))
    scalings = {"wait": Scaling(1.0, 0.2)}
    one, four = (
        seconds(plan, {"wait": SECOND}, 32, workers(number), scalings=scalings) for number in (1, 4)
    )
    assert one == pytest.approx(32)
    # Four at once take 1 + 3 + 0.2 * 12 times as long each.
    assert four == pytest.approx(32 / 4 * 6.4)


def test_decoded_pictures_stay_within_their_budget() -> None:
    plan = logical(computes("shrink"))
    efforts = {"shrink": Effort(0.0, 1.0, decoded=400 << 20)}
    free = RunOptions(pools={"cpu": 4}, decoded_bytes=4 << 30)
    tight = RunOptions(pools={"cpu": 4}, decoded_bytes=500 << 20)
    assert seconds(plan, efforts, 8, free) == pytest.approx(2)
    assert seconds(plan, efforts, 8, tight) == pytest.approx(8)


def test_the_coordinator_and_its_disk_take_their_time() -> None:
    plan = logical(waits("wait"))
    costs = replace(FREE, turn=0.001, commit=0.01, group=0.01)
    options = RunOptions(model=ExecutionModel.SEQUENTIAL)
    taken = seconds(plan, {"wait": SECOND}, 50, options, costs=costs)
    assert 50 * 1.01 <= taken <= 50 * 1.025


def test_what_failed_when_it_was_measured_fails_again_and_is_retried() -> None:
    plan = logical(waits("wait"))
    measured = profile(plan, {"wait": SECOND})
    tries = (Effort(0.0, 1.0, error=ErrorClass.TRANSIENT), SECOND)
    images = tuple(replace(one, efforts={plan.stages[0].name: tries}) for one in measured.images)
    asked = question(plan, replace(measured, images=images), 4)
    trace = play(asked, asked.plan(RunOptions(model=ExecutionModel.SEQUENTIAL)), 4, seed=None)
    assert trace.status == "finished"
    assert 8 <= trace.seconds <= 8 + 4 * 0.5
    assert trace.tally.busy[plan.stages[0].name] == pytest.approx(8)


def test_every_image_is_settled_and_every_group_live_once() -> None:
    plan = logical(computes("shrink"), waits("moderate", "shrink"))
    efforts = {"shrink": Effort(0.01, 0.0), "moderate": Effort(0.0, 0.1)}
    asked = question(plan, profile(plan, efforts, costs=Costs()), 205)
    trace = play(asked, asked.plan(RunOptions()), 205, seed=3)
    assert trace.images == 205
    assert len(trace.live) == 21
    assert list(trace.live) == sorted(trace.live)
    assert trace.live[-1] <= trace.seconds


def test_a_seed_plays_the_same_run_again() -> None:
    plan = logical(computes("shrink"))
    asked = question(plan, profile(plan, {"shrink": Effort(0.01, 0.01)}, costs=Costs()), 60)
    runs = [play(asked, asked.plan(RunOptions()), 60, seed=5) for _ in range(2)]
    assert runs[0] == runs[1]


# Large batches


def told(images: int, one_by_one: int) -> Forecast:
    plan = logical(computes("shrink"), waits("moderate", "shrink", workers=4))
    efforts = {"shrink": Effort(0.1, 0.0), "moderate": Effort(0.0, 0.6)}
    asked = question(plan, profile(plan, efforts, costs=Costs()), images)
    return foretell(asked, "x", RunOptions(), one_by_one=one_by_one, seeds=())


def test_past_what_is_simulated_it_goes_on_at_the_rate_of_the_bottleneck() -> None:
    whole, part = told(3000, 3000), told(3000, 500)
    assert (whole.simulated, part.simulated) == (3000, 500)
    assert part.seconds.middle == pytest.approx(whole.seconds.middle, rel=0.01)
    assert part.seconds.middle >= 3000 * 0.6 / 4


def test_a_million_images_are_told_as_a_multiple_of_few() -> None:
    million = told(1_000_000, 500)
    assert million.seconds.middle == pytest.approx(1_000_000 * 0.6 / 4, rel=0.03)
    assert million.loads[0].stage == "moderate"
    assert million.loads[0].share > 0.97


def test_the_busiest_comes_first_and_then_the_next_one() -> None:
    forecast = told(400, 400)
    assert forecast.loads[0].name == "moderate, 4 at once"
    assert forecast.loads[1].name == "the processor cores"
    assert forecast.under_way[StageName("moderate")] == pytest.approx(4, rel=0.05)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (RunOptions(model=ExecutionModel.SEQUENTIAL), 175.0),
        (RunOptions(pools={"io": 10}), 17.5),
    ],
)
def test_the_news_gallery_takes_what_is_known_of_it(options: RunOptions, expected: float) -> None:
    """50 images, seven stages of half a second: 175 s one after the other, 17.5 s by ten."""
    names = ["validate", "metadata", "thumbnails", "watermark", "moderate", "store", "publish"]
    stages = [waits(name, *names[max(0, n - 1) : n]) for n, name in enumerate(names)]
    taken = seconds(logical(*stages), dict.fromkeys(names, Effort(0.0, 0.5)), 50, options)
    assert taken == pytest.approx(expected, rel=0.03)
