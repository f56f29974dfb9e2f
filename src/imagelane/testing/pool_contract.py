"""What every pool promises. Subclass `PoolContract` and override its ``make`` fixture."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from imagelane.model.outcome import Success
from imagelane.model.plan import PhysicalPlan
from imagelane.model.spec import Place, Reads
from imagelane.ports.pool import Pool
from imagelane.testing.pool_bench import PATIENCE, Bench, Doing, MakePool, pixels, plan_of, png


class PoolContract:
    """Behaviour that does not depend on where orders are executed."""

    @pytest.fixture
    def make(self, tmp_path: Path) -> MakePool:
        """Makes pools of the kind under test."""
        raise NotImplementedError

    @pytest.fixture
    def source(self, tmp_path: Path) -> Path:
        """A small picture."""
        path = tmp_path / "boat.png"
        path.write_bytes(png(64, 48))
        return path

    @pytest.fixture
    def bench(self, make: MakePool, source: Path) -> Iterator[Callable[..., Bench]]:
        """Opens a pool of the kind under test with a plan."""
        made: list[Pool] = []

        def open_bench(plan: PhysicalPlan, **settings: Any) -> Bench:
            made.append(make(**settings))
            return Bench(made[-1], plan, source)

        yield open_bench
        for pool in made:
            pool.close(kill=True)

    def test_reports_every_stage_once_in_order_and_then_the_end(
        self, bench: Callable[..., Bench]
    ) -> None:
        at = bench(pixels(first=Doing("nothing"), second=Doing("nothing"), third=Doing("nothing")))
        before = time.monotonic()
        ledger = at.finish(*at.submit(count=5))
        for number in range(1, 6):
            reports = ledger.stages[number]
            assert [one.stage for one in reports] == ["first", "second", "third"]
            assert all(isinstance(one.outcome, Success) for one in reports)
            times = [time for one in reports for time in (one.started, one.finished)]
            assert times == sorted(times)
            assert before <= times[0]
            assert times[-1] <= time.monotonic()
            assert all(one.worker for one in reports)

    def test_executes_the_segments_of_a_plan_apart(self, bench: Callable[..., Bench]) -> None:
        plan = plan_of(
            (Place.PROCESS, {"look": Doing("look", reads=Reads.PICTURE)}),
            (Place.THREAD, {"wait": Doing("sleep", {"seconds": 0.01})}),
        )
        at = bench(plan)
        look, *_ = at.submit(0)
        wait, *_ = at.submit(1)
        ledger = at.finish(look, wait)
        assert ledger.facts(look) == {"width": 64}
        assert ledger.outcomes(wait) == ["success"]

    def test_passes_over_what_needs_a_stage_that_failed(self, bench: Callable[..., Bench]) -> None:
        at = bench(
            pixels(
                fine=Doing("nothing"),
                broken=Doing("fail", {"message": "no such lens"}),
                after=Doing("nothing", needs=("broken",)),
                long_after=Doing("nothing", needs=("after",)),
                beside=Doing("nothing", needs=("fine",)),
            )
        )
        (number,) = at.submit()
        ledger = at.finish(number)
        assert [one.stage for one in ledger.stages[number]] == ["fine", "broken", "beside"]
        assert ledger.outcomes(number) == ["success", "bug", "success"]
        assert "no such lens" in ledger.failure(number).message

    def test_a_stage_that_exits_fails_alone(self, bench: Callable[..., Bench]) -> None:
        at = bench(pixels(leave=Doing("leave"), after=Doing("nothing")))
        numbers = at.submit(count=3)
        ledger = at.finish(*numbers)
        assert all(ledger.outcomes(number) == ["bug", "success"] for number in numbers)

    def test_ten_thousand_tiny_orders(self, bench: Callable[..., Bench]) -> None:
        at = bench(pixels(tiny=Doing("nothing")))
        ledger = at.finish(*at.submit(count=10_000))
        assert len(ledger.done) == 10_000
        assert all(ledger.outcomes(number) == ["success"] for number in ledger.done)

    def test_waits_for_reports_no_longer_than_it_is_told(self, bench: Callable[..., Bench]) -> None:
        at = bench(pixels(tiny=Doing("nothing")))
        before = time.monotonic()
        assert list(at.pool.poll(0.0)) == []
        assert list(at.pool.poll(0.1)) == []
        assert time.monotonic() - before < PATIENCE / 2

    def test_can_be_woken_at_any_time(self, bench: Callable[..., Bench]) -> None:
        at = bench(pixels(tiny=Doing("nothing")))
        began = time.monotonic()
        at.pool.wake()
        assert list(at.pool.poll(PATIENCE)) == []
        assert time.monotonic() - began < PATIENCE / 2
        at.finish(*at.submit())
        at.pool.close()
        at.pool.wake()

    def test_what_was_made_is_told_once_the_pool_is_closed_too(
        self, bench: Callable[..., Bench]
    ) -> None:
        at = bench(pixels(keep=Doing("keep")))
        first = at.finish(*at.submit()).stages[1][0].outcome
        (number,) = at.submit()
        at.poll(0.0)
        at.pool.close()
        at.poll(0.0)
        assert number in at.ledger.done
        assert all(one.outcome == first for one in at.ledger.stages[number])

    def test_what_was_not_begun_is_done_without_a_report_when_closed(
        self, bench: Callable[..., Bench]
    ) -> None:
        at = bench(pixels(slow=Doing("sleep", {"seconds": 0.3})))
        numbers = at.submit(count=6)
        at.until(lambda: bool(at.ledger.done))
        at.pool.close()
        at.poll(0.0)
        assert at.ledger.done == set(numbers)
        assert len(at.ledger.stages) < 6
        assert all(at.ledger.outcomes(number) == ["success"] for number in at.ledger.stages)
        at.pool.close()
