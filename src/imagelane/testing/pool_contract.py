"""What every pool promises, and what those that supervise processes promise beside it.

Subclass `PoolContract` or `SupervisedPoolContract` and override the ``make`` fixture.
"""

from __future__ import annotations

import struct
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest

from imagelane.model.ids import StageName, Subject
from imagelane.model.outcome import Failure, Success
from imagelane.model.plan import Lane, LogicalPlan, LogicalStage, PhysicalPlan, Segment
from imagelane.model.spec import ImagesSpec, Place, Reads, StageSpec, StageTraits
from imagelane.model.states import ErrorClass, Scope
from imagelane.model.work import Claim, Order, OrderDone, Report, SourceFile, StageReport
from imagelane.ports.pool import Pool

PATIENCE = 60.0
"""Seconds after which a pool that has not finished is taken to hang."""


@dataclass(frozen=True, slots=True)
class Doing:
    """A stage of a test's plan: which function of `pool_stages`, and how."""

    function: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    timeout: float | None = None
    needs: tuple[str, ...] = ()
    reads: Reads = Reads.SOURCE


def plan_of(*segments: tuple[Place, Mapping[str, Doing]], processes: int = 2) -> PhysicalPlan:
    """A plan with these segments, each a place and its stages by name."""
    stages = []
    for place, doings in segments:
        for name, doing in doings.items():
            needs = tuple(map(StageName, doing.needs))
            spec = StageSpec(
                StageName(name),
                f"imagelane.testing.pool_stages:{doing.function}",
                StageTraits(place=place, reads=doing.reads),
                needs,
                parameters=doing.parameters,
                timeout=doing.timeout,
            )
            stages.append(LogicalStage(spec, needs, frozenset(needs)))
    return PhysicalPlan(
        logical=LogicalPlan("contract", ImagesSpec("photos"), tuple(stages), (), "digest"),
        segments=tuple(
            Segment(index, tuple(map(StageName, doings)), Scope.IMAGE, place)
            for index, (place, doings) in enumerate(segments)
        ),
        limits={},
        lane=Lane(),
        window=1,
        decoded_bytes=1 << 30,
        reservation=1 << 20,
        processes=processes,
        model="parallel",
    )


def pixels(**doings: Doing) -> PhysicalPlan:
    """A plan with one segment, for pixel workers."""
    return plan_of((Place.PROCESS, doings))


def waits(**doings: Doing) -> PhysicalPlan:
    """A plan in which each stage is a segment of its own that waits."""
    return plan_of(*((Place.THREAD, {name: doing}) for name, doing in doings.items()))


def png(width: int, height: int) -> bytes:
    """The smallest honest picture: black, 8 bits, RGB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(height * (1 + 3 * width)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


class Ledger:
    """What a pool reported, checked as it comes: each stage of each order once, then done."""

    def __init__(self, plan: PhysicalPlan, source: Path) -> None:
        self.stages: dict[int, list[StageReport]] = defaultdict(list)
        self.claims: list[Claim] = []
        self.done: set[int] = set()
        self._plan = plan
        self._source = source
        self._submitted: dict[int, Order] = {}

    def order(self, segment: int = 0, *, reservation: int = 1 << 20) -> Order:
        """The next order for a segment, on an image of its own."""
        number = len(self._submitted) + 1
        stages = self._plan.segments[segment].stages
        stat = self._source.stat()
        order = Order(
            number=number,
            subject=Subject(1, number),
            segment=segment,
            stages=stages,
            attempts=(1,) * len(stages),
            source=SourceFile(str(self._source), self._source.name, stat.st_size, stat.st_mtime_ns),
            group_name="harbour",
            reservation=reservation,
        )
        self._submitted[number] = order
        return order

    def enter(self, reports: Sequence[Report]) -> None:
        for report in reports:
            assert report.order in self._submitted
            assert report.order not in self.done, "something was reported after the end"
            match report:
                case StageReport(order=number, stage=stage):
                    names = self._submitted[number].stages
                    places = [names.index(one.stage) for one in self.stages[number]]
                    assert all(place < names.index(stage) for place in places)
                    self.stages[number].append(report)
                case OrderDone(number):
                    self.done.add(number)
                case Claim():
                    self.claims.append(report)

    def outcomes(self, number: int) -> list[str]:
        """What became of each stage of an order: ``success`` or the class of its error."""
        return [
            report.outcome.error.value if isinstance(report.outcome, Failure) else "success"
            for report in self.stages[number]
        ]

    def failure(self, number: int) -> Failure:
        """The last failure of an order."""
        failures = [one.outcome for one in self.stages[number] if isinstance(one.outcome, Failure)]
        return failures[-1]

    def facts(self, number: int) -> Mapping[str, Any]:
        """The facts of an order's last stage, which succeeded."""
        outcome = self.stages[number][-1].outcome
        assert isinstance(outcome, Success), outcome
        return outcome.facts

    def workers(self) -> Counter[str]:
        """How many stages each worker reported."""
        return Counter(one.worker for reports in self.stages.values() for one in reports)

    def most_at_once(self) -> int:
        """How many stages were under way at one moment, by their own clocks."""
        edges = [
            edge
            for reports in self.stages.values()
            for one in reports
            for edge in ((one.started, 1), (one.finished, -1))
        ]
        most = now = 0
        for _, step in sorted(edges):
            now += step
            most = max(most, now)
        return most


class MakePool(Protocol):
    def __call__(self, **settings: Any) -> Pool:
        """A pool whose folders exist; settings are those of the pool's own kind."""


class Bench:
    """A pool with a plan, and the ledger of what it says."""

    def __init__(self, pool: Pool, plan: PhysicalPlan, source: Path) -> None:
        self.pool = pool
        self.ledger = Ledger(plan, source)
        pool.open(plan)

    def submit(self, segment: int = 0, count: int = 1, **fields: Any) -> list[int]:
        """Submit orders and give their numbers."""
        orders = [self.ledger.order(segment, **fields) for _ in range(count)]
        for order in orders:
            self.pool.submit(order)
        return [order.number for order in orders]

    def poll(self, seconds: float) -> None:
        self.ledger.enter(self.pool.poll(seconds))

    def finish(self, *numbers: int) -> Ledger:
        """Poll until these orders are done."""
        self.until(lambda: self.ledger.done.issuperset(numbers))
        return self.ledger

    def until(self, condition: Callable[[], bool]) -> None:
        """Poll until a condition holds."""
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, f"still waiting; done: {len(self.ledger.done)}"
            self.poll(0.05)


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


class SupervisedPoolContract(PoolContract):
    """Behaviour of pools whose workers are processes of this machine.

    Workers are named ``<slot>-<process id>``. Settings are those of `ProcessPool`.
    """

    def test_uses_the_workers_that_the_plan_allows_again_and_again(
        self, bench: Callable[..., Bench]
    ) -> None:
        at = bench(pixels(short=Doing("sleep", {"seconds": 0.01})))
        at.finish(*at.submit(count=40))
        while len(at.ledger.workers()) < 2:
            # One of them may start so late that the other has done everything.
            at.finish(*at.submit(count=40))
        ledger = at.finish(*at.submit(count=40))
        assert len(ledger.workers()) == 2
        assert ledger.most_at_once() == 2

    def test_replaces_worn_workers(self, bench: Callable[..., Bench]) -> None:
        at = bench(pixels(tiny=Doing("nothing")), recycle=5, youngest=0.0)
        ledger = at.finish(*at.submit(count=20))
        assert max(ledger.workers().values()) == 5

    @pytest.mark.parametrize("signal", ["SIGSEGV", "SIGKILL", "SIGABRT"])
    def test_a_death_costs_the_stage_that_was_running(
        self, bench: Callable[..., Bench], signal: str
    ) -> None:
        number = {"SIGABRT": 6, "SIGKILL": 9, "SIGSEGV": 11}[signal]
        at = bench(
            pixels(
                before=Doing("nothing"),
                deadly=Doing("signal_itself", {"number": number}),
                after=Doing("nothing"),
            )
        )
        numbers = at.submit(count=3)
        ledger = at.finish(*numbers)
        for order in numbers:
            assert ledger.outcomes(order) == ["success", "worker_died"]
            assert signal in ledger.failure(order).message
        assert len(ledger.workers()) == 3

    def test_a_dead_workers_last_words_are_kept(self, bench: Callable[..., Bench]) -> None:
        parameters = {"code": 7, "words": "the codec gave up\x1b[31m"}
        at = bench(pixels(deadly=Doing("exit_with_words", parameters)))
        (number,) = at.submit()
        failure = at.finish(number).failure(number)
        assert failure.error is ErrorClass.WORKER_DIED
        assert "code 7" in failure.message
        assert "the codec gave up" in failure.message
        assert "\x1b" not in failure.message
        assert "the codec gave up" in failure.detail

    @pytest.mark.parametrize("place", [Place.PROCESS, Place.THREAD])
    def test_a_stage_that_overruns_is_ended(
        self, bench: Callable[..., Bench], place: Place
    ) -> None:
        plan = plan_of((place, {"slow": Doing("sleep", {"seconds": 60}, timeout=0.2)}))
        at = bench(plan, grace=0.1)
        (number,) = at.submit()
        ledger = at.finish(number)
        assert ledger.outcomes(number) == ["timeout"]
        (report,) = ledger.stages[number]
        assert 0.2 <= report.finished - report.started < 20
        assert "0.2 s" in ledger.failure(number).message
        at.until(lambda: not alive(report.worker))

    def test_the_time_of_each_stage_begins_with_it(self, bench: Callable[..., Bench]) -> None:
        at = bench(
            pixels(
                one=Doing("sleep", {"seconds": 0.4}, timeout=30),
                two=Doing("sleep", {"seconds": 0.4}, timeout=30),
                three=Doing("sleep", {"seconds": 60}, timeout=0.3),
                four=Doing("nothing", timeout=0.3),
            )
        )
        (number,) = at.submit()
        ledger = at.finish(number)
        assert ledger.outcomes(number) == ["success", "success", "timeout"]

    @pytest.mark.parametrize("place", [Place.PROCESS, Place.THREAD])
    def test_no_stage_may_take_for_ever(self, bench: Callable[..., Bench], place: Place) -> None:
        at = bench(
            plan_of((place, {"slow": Doing("sleep", {"seconds": 60})})),
            longest=0.2,
            longest_wait=0.2,
            grace=0.0,
        )
        (number,) = at.submit()
        assert at.finish(number).outcomes(number) == ["timeout"]

    @pytest.mark.parametrize("place", [Place.PROCESS, Place.THREAD])
    def test_a_worker_that_was_stopped_overruns(
        self, bench: Callable[..., Bench], place: Place
    ) -> None:
        stop = Doing("signal_itself", {"number": 19}, timeout=0.3)
        at = bench(plan_of((place, {"stop": stop})))
        (number,) = at.submit()
        ledger = at.finish(number)
        assert ledger.outcomes(number) == ["timeout"]
        at.until(lambda: not alive(ledger.stages[number][0].worker))

    def test_what_a_stage_started_ends_with_its_worker(
        self, bench: Callable[..., Bench], tmp_path: Path
    ) -> None:
        mark = tmp_path / "child"
        at = bench(pixels(stuck=Doing("leave_a_child", {"mark": str(mark)}, timeout=0.5)))
        (number,) = at.submit()
        at.finish(number)
        at.until(lambda: not alive(f"child-{mark.read_text()}"))

    def test_a_claim_waits_for_its_grant_and_its_time_stands_still(
        self, bench: Callable[..., Bench]
    ) -> None:
        at = bench(pixels(look=Doing("look", reads=Reads.PICTURE, timeout=1.0)))
        at.finish(*at.submit())  # a worker is ready and has loaded what it needs
        (number,) = at.submit(reservation=0)
        at.until(lambda: bool(at.ledger.claims))
        assert at.ledger.claims[0].order == number
        assert at.ledger.claims[0].bytes >= 64 * 48 * 3
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            at.poll(0.1)
        assert not at.ledger.stages[number]
        at.pool.grant(number)
        assert at.finish(number).facts(number) == {"width": 64}

    def test_a_grant_for_an_order_that_is_over_does_no_harm(
        self, bench: Callable[..., Bench]
    ) -> None:
        at = bench(pixels(tiny=Doing("nothing")))
        at.finish(*at.submit())
        at.pool.grant(1)
        at.finish(*at.submit())

    def test_waiting_stages_wait_side_by_side(self, bench: Callable[..., Bench]) -> None:
        at = bench(waits(wait=Doing("sleep", {"seconds": 0.5})))
        ledger = at.finish(*at.submit(count=64))
        assert ledger.most_at_once() == 64
        assert len(ledger.workers()) == 1

    def test_a_stuck_thread_takes_nobody_with_it(self, bench: Callable[..., Bench]) -> None:
        at = bench(
            waits(
                stuck=Doing("sleep", {"seconds": 1.0}, timeout=0.2),
                honest=Doing("sleep", {"seconds": 2.0}),
            ),
            grace=0.0,
        )
        (honest,) = at.submit(1)
        (stuck,) = at.submit(0)
        ledger = at.finish(stuck)
        assert ledger.outcomes(stuck) == ["timeout"]
        assert honest not in ledger.done
        (later,) = at.submit(1)
        # The stuck thread comes back while its host is still needed: nobody hears it.
        at.finish(honest, later)
        assert ledger.outcomes(honest) == ledger.outcomes(later) == ["success"]
        old, new = (ledger.stages[number][0].worker for number in (honest, later))
        assert old == ledger.stages[stuck][0].worker
        assert new != old
        at.until(lambda: not alive(old))
        assert alive(new)

    def test_a_host_that_dies_costs_only_the_order_that_kills_it(
        self, bench: Callable[..., Bench]
    ) -> None:
        at = bench(
            waits(
                honest=Doing("sleep", {"seconds": 0.2}),
                deadly=Doing("signal_itself", {"number": 11}),
            )
        )
        honest = at.submit(0, count=10)
        (deadly,) = at.submit(1)
        ledger = at.finish(*honest, deadly)
        assert ledger.outcomes(deadly) == ["worker_died"]
        assert all(ledger.outcomes(number) == ["success"] for number in honest)

    def test_what_stages_print_goes_nowhere(
        self, bench: Callable[..., Bench], capfd: pytest.CaptureFixture[str]
    ) -> None:
        at = bench(pixels(loud=Doing("print_much", {"size": 3_000_000})))
        ledger = at.finish(*at.submit(count=2))
        assert ledger.outcomes(1) == ledger.outcomes(2) == ["success"]
        assert capfd.readouterr() == ("", "")

    def test_what_is_no_message_ends_who_said_it(self, bench: Callable[..., Bench]) -> None:
        at = bench(pixels(captured=Doing("spoil_the_line")))
        (number,) = at.submit()
        ledger = at.finish(number)
        assert ledger.outcomes(number) == ["worker_died"]
        assert "ended for what it said" in ledger.failure(number).message
        assert not alive(ledger.stages[number][0].worker)

    @pytest.mark.parametrize(
        "doing", [Doing("give_no_json"), Doing("give_too_much", {"size": 9 << 20})]
    )
    def test_facts_that_cannot_be_sent_fail_their_stage_alone(
        self, bench: Callable[..., Bench], doing: Doing
    ) -> None:
        at = bench(pixels(odd=doing, fine=Doing("nothing")))
        (number,) = at.submit()
        assert at.finish(number).outcomes(number) == ["bug", "success"]

    @pytest.mark.parametrize("place", [Place.PROCESS, Place.THREAD])
    def test_an_exception_that_nobody_catches_ends_its_order_alone(
        self, bench: Callable[..., Bench], place: Place
    ) -> None:
        at = bench(plan_of((place, {"odd": Doing("raise_oddly"), "after": Doing("nothing")})))
        numbers = at.submit(count=2)
        ledger = at.finish(*numbers)
        assert all(ledger.outcomes(number)[0] == "bug" for number in numbers)
        assert "the shutter fell" in ledger.failure(numbers[0]).message

    @pytest.mark.parametrize("place", [Place.PROCESS, Place.THREAD])
    def test_signals_for_the_coordinator_do_not_end_workers(
        self, bench: Callable[..., Bench], place: Place
    ) -> None:
        at = bench(plan_of((place, {"interrupted": Doing("interrupt_itself")})))
        (number,) = at.submit()
        assert at.finish(number).facts(number) == {"survived": True}

    def test_workers_get_few_variables_and_few_rights(
        self,
        bench: Callable[..., Bench],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("CLOUD_SECRET", "hunter2")
        monkeypatch.setenv("LENS_DATABASE", "lenses.db")
        at = bench(pixels(look_around=Doing("surroundings")), keep=["LENS_DATABASE", "NOT_SET"])
        (number,) = at.submit()
        facts = at.finish(number).facts(number)
        assert "CLOUD_SECRET" not in facts["environment"]
        assert "LENS_DATABASE" in facts["environment"]
        assert facts["libvips_threads"] == "1"
        assert facts["no_new_privileges"] is True
        assert facts["core"] == [0, 0]
        assert facts["folder"] == str(tmp_path)
        assert facts["input"] == "/dev/null"
        assert "" not in facts["path"]

    def test_closing_finishes_what_is_in_hand(self, bench: Callable[..., Bench]) -> None:
        plan = plan_of(
            (Place.PROCESS, {"slow": Doing("sleep", {"seconds": 0.5}), "more": Doing("nothing")}),
            (Place.THREAD, {"wait": Doing("sleep", {"seconds": 0.5})}),
        )
        at = bench(plan)
        at.finish(*at.submit(0), *at.submit(1))
        in_hand = [*at.submit(0), *at.submit(1)]
        at.poll(0.1)
        at.pool.close()
        at.poll(0.0)
        assert at.ledger.done.issuperset(in_hand)
        assert at.ledger.outcomes(in_hand[0]) == ["success", "success"]
        assert at.ledger.outcomes(in_hand[1]) == ["success"]

    def test_closing_grants_what_waits_for_memory(self, bench: Callable[..., Bench]) -> None:
        at = bench(pixels(look=Doing("look", reads=Reads.PICTURE)))
        (number,) = at.submit(reservation=0)
        at.until(lambda: bool(at.ledger.claims))
        at.pool.close()
        at.poll(0.0)
        assert at.ledger.outcomes(number) == ["success"]

    def test_a_killing_close_leaves_no_process_and_no_descriptor(
        self, bench: Callable[..., Bench]
    ) -> None:
        before = descriptors()
        plan = plan_of(
            (Place.PROCESS, {"slow": Doing("sleep", {"seconds": 60})}),
            (Place.THREAD, {"wait": Doing("sleep", {"seconds": 60})}),
        )
        at = bench(plan)
        numbers = [*at.submit(0, count=4), *at.submit(1, count=4)]
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            at.poll(0.1)
        processes = children()
        assert len(processes) >= 3
        began = time.monotonic()
        at.pool.close(kill=True)
        assert time.monotonic() - began < 20
        at.poll(0.0)
        assert at.ledger.done == set(numbers)
        assert not at.ledger.stages
        assert not processes & children()
        assert descriptors() == before

    def test_a_gentle_close_leaves_no_process_and_no_descriptor(
        self, bench: Callable[..., Bench]
    ) -> None:
        before, others = descriptors(), children()
        at = bench(pixels(tiny=Doing("nothing")))
        at.finish(*at.submit(count=10))
        at.pool.close()
        assert descriptors() == before
        assert children() == others


def alive(worker: str) -> bool:
    """Whether a worker's process exists and is no zombie."""
    try:
        stat = Path(f"/proc/{worker.rpartition('-')[2]}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def children() -> set[int]:
    """The processes that this one has started, zombies included."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        found |= set(map(int, (task / "children").read_text().split()))
    return found


def descriptors() -> int:
    """How many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))
