"""Slow, half-open and cut connections to a service: each ends in its class, within its time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagelane.execute.stages import http
from imagelane.model.states import ErrorClass, ImageState
from tests.hostile.conftest import RunOver
from tests.hostile.proxy import Network
from tests.images.bench import Bench
from tests.images.files import coded, photo

TIMEOUT = 0.6
BROKEN = {
    "reset at once": ErrorClass.TRANSIENT,
    "never answers": ErrorClass.TIMEOUT,
    "reset before the answer": ErrorClass.TRANSIENT,
    "closed before the answer": ErrorClass.TRANSIENT,
    "half an answer, then silence": ErrorClass.TIMEOUT,
    "half an answer, then closed": ErrorClass.TRANSIENT,
    "half an answer, then reset": ErrorClass.TRANSIENT,
    "half a head, then silence": ErrorClass.TIMEOUT,
    "no HTTP": ErrorClass.TRANSIENT,
}


@pytest.fixture
def network() -> Iterator[Network]:
    network = Network()
    network.start()
    yield network
    http._pools().clear()
    network.stop()


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.jpg"
    path.write_bytes(coded(photo(64, 48), "jpeg"))
    return path


def asks(bench: Bench, network: Network) -> Bench:
    return bench.stage("check", "http", url=network.url, timeout=TIMEOUT)


@pytest.mark.parametrize("how", BROKEN)
def test_what_is_broken_ends_in_its_class_and_in_time(
    bench: Bench, network: Network, picture: Path, how: str
) -> None:
    network.plan.append(how)
    started = time.monotonic()
    failure = asks(bench, network).fails(picture)
    assert failure.error is BROKEN[how], failure
    # Not how fast it is: a hang would take for ever.
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_connection_is_not_handed_on(
    bench: Bench, network: Network, picture: Path, how: str
) -> None:
    asks(bench, network).one(picture)
    http._pools().clear()
    network.plan.append(how)
    bench.fails(picture)
    for _ in range(3):
        assert bench.one(picture).facts == {"label": "boat"}
    # The first honest one, the broken one, and one more that then served all.
    assert network.served[0] == 1
    assert network.served[2:] == [3]


def test_a_connection_that_died_while_nobody_used_it_costs_at_most_one_attempt(
    bench: Bench, network: Network, picture: Path
) -> None:
    network.plan.append("gone after its answer")
    asks(bench, network).one(picture)
    time.sleep(0.2)
    outcomes = [bench.order(picture)[0].outcome for _ in range(3)]
    failures = [one for one in outcomes if not hasattr(one, "facts")]
    assert len(failures) <= 1
    assert all(getattr(one, "error", None) is ErrorClass.TRANSIENT for one in failures)
    assert bench.one(picture).facts == {"label": "boat"}


def test_an_answer_that_nobody_asked_for_is_nobodys(
    bench: Bench, network: Network, picture: Path
) -> None:
    """A connection on which more came than was asked for is poisoned: the next one on it would be
    given the answer of somebody else."""
    network.plan.append("one more answer than asked")
    asks(bench, network).one(picture)
    # Until it has come, however busy the machine is.
    time.sleep(1.5)
    for _ in range(3):
        outcome = bench.order(picture)[0].outcome
        assert getattr(outcome, "facts", {"label": "boat"}) == {"label": "boat"}


def test_a_large_picture_to_somebody_who_never_reads(
    bench: Bench, network: Network, tmp_path: Path
) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(coded(photo(64, 48), "png") + bytes(24 << 20))
    network.plan.append("never reads")
    started = time.monotonic()
    failure = asks(bench, network).fails(path)
    assert failure.error is ErrorClass.TIMEOUT
    assert time.monotonic() - started < 20


MODERATED = """\
pipeline: moderated
images: {{from: photos/, group: folder}}
stages:
  validate:
  check:
    needs: [validate]
    uses: http
    with: {{url: "{url}"}}
    workers: 4
    timeout: 1s
    retry: {{attempts: 15, initial: 10ms, max: 100ms}}
    on_failure: abort
  store: {{needs: [check], with: {{to: public/}}}}
  publish: {{scope: group, needs: [store]}}
"""


def test_a_run_gets_through_every_kind_of_broken_network(
    run_over: RunOver, network: Network
) -> None:
    """A head that trickles is not late for any single read: the supervisor ends it."""
    broken = [*BROKEN, "a head that trickles"]
    network.plan.extend(broken)
    picture = coded(photo(64, 48), "jpeg")
    files = {f"harbour/{number:02}.jpg": picture for number in range(12)}
    ended = run_over(files, MODERATED.format(url=network.url))
    assert {row.state for row in ended.images.values()} == {ImageState.PUBLISHED}
    assert len(ended.failures) == len(broken)
    assert set(ended.classes) == {ErrorClass.TRANSIENT, ErrorClass.TIMEOUT}
    assert ended.classes[ErrorClass.TIMEOUT] == 4
    assert sum(network.served) == 12
