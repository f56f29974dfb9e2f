"""What pools promise that supervise worker processes, beside the common contract."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from imagelane.model.spec import Place, Reads
from imagelane.model.states import ErrorClass
from imagelane.testing.pool_bench import (
    Bench,
    Doing,
    alive,
    children,
    descriptors,
    pixels,
    plan_of,
    waits,
)
from imagelane.testing.pool_contract import PoolContract


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

    def test_running_out_of_memory_costs_one_stage_and_the_next_gets_a_fresh_worker(
        self, bench: Callable[..., Bench]
    ) -> None:
        too_much = Doing("take_memory", {"size": 4 << 30, "most": 2 << 30})
        plan = plan_of(
            (Place.PROCESS, {"greedy": too_much}), (Place.PROCESS, {"modest": Doing("nothing")})
        )
        at = bench(plan)
        (greedy,) = at.submit(0)
        ledger = at.finish(greedy)
        assert ledger.outcomes(greedy) == ["transient"]
        assert "out of memory" in ledger.failure(greedy).message
        spent = ledger.stages[greedy][0].worker
        ledger = at.finish(*at.submit(1, count=10))
        assert spent not in {ledger.stages[number][0].worker for number in range(2, 12)}
        at.until(lambda: not alive(spent))

    def test_shedding_lets_idle_workers_go_and_nobody_at_work(
        self, bench: Callable[..., Bench]
    ) -> None:
        plan = plan_of(
            (Place.PROCESS, {"tiny": Doing("nothing")}),
            (Place.PROCESS, {"slow": Doing("sleep", {"seconds": 0.5})}),
        )
        at = bench(plan)
        while len(at.ledger.workers()) < 2:
            at.finish(*at.submit(count=40))
        idle = set(at.ledger.workers())
        (slow,) = at.submit(1)
        at.poll(0.1)
        at.pool.shed()
        ledger = at.finish(slow)
        assert ledger.outcomes(slow) == ["success"]
        (gone,) = idle - {ledger.stages[slow][0].worker}
        at.until(lambda: not alive(gone))
        ledger = at.finish(*at.submit(count=4))
        assert len(ledger.done) >= 45

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

    @pytest.mark.parametrize(
        ("own_session", "die", "outcome"),
        [(False, False, "timeout"), (True, False, "timeout"), (False, True, "worker_died")],
    )
    def test_what_a_stage_started_ends_with_its_worker(
        self,
        bench: Callable[..., Bench],
        tmp_path: Path,
        *,
        own_session: bool,
        die: bool,
        outcome: str,
    ) -> None:
        mark = tmp_path / "child"
        parameters = {"mark": str(mark), "own_session": own_session, "die": die}
        at = bench(pixels(stuck=Doing("leave_a_child", parameters, timeout=3.0)))
        (number,) = at.submit()
        at.until(mark.exists)
        assert at.finish(number).outcomes(number) == [outcome]
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
