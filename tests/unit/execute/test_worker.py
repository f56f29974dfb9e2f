"""The worker's loop at the end of a socket, on a thread of the test. As a process: contract/."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagelane.execute.message import (
    Answer,
    Command,
    Grant,
    Opening,
    PlannedStage,
    Ready,
    Stop,
    decode_answer,
    encode,
)
from imagelane.execute.wire import Frames, MessageError
from imagelane.execute.worker import serve
from imagelane.model.ids import StageName, Subject
from imagelane.model.outcome import Failure
from imagelane.model.spec import Place
from imagelane.model.states import ErrorClass, Scope
from imagelane.model.work import Order, OrderDone, SourceFile, StageReport

STAGE = StageName("tiny")


class Supervisor:
    def __init__(self, channel: socket.socket, worker: threading.Thread) -> None:
        self._channel = channel
        self._worker = worker
        self._frames = Frames()
        self._bodies: list[bytes] = []

    def tell(self, *commands: Command) -> None:
        self._channel.sendall(b"".join(map(encode, commands)))

    def wait(self) -> None:
        """Until the worker has ended."""
        self._worker.join(20)
        assert not self._worker.is_alive()

    def hear(self) -> Answer:
        while not self._bodies:
            self._bodies += self._frames.feed(self._channel.recv(65536))
        return decode_answer(self._bodies.pop(0))


@pytest.fixture(params=[Place.PROCESS, Place.THREAD])
def place(request: pytest.FixtureRequest) -> Place:
    return Place(request.param)


@pytest.fixture
def failures() -> list[Exception]:
    return []


@pytest.fixture
def supervisor(place: Place, failures: list[Exception]) -> Iterator[Supervisor]:
    ours, theirs = socket.socketpair()
    ours.settimeout(20)

    def work() -> None:
        try:
            serve(theirs, place)
        except MessageError as error:
            failures.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    told = Supervisor(ours, thread)
    yield told
    with contextlib.suppress(BrokenPipeError):
        told.tell(Stop())
    told.wait()
    ours.close()
    theirs.close()


@pytest.fixture
def opening(tmp_path: Path, place: Place) -> Opening:
    stage = PlannedStage(
        name=STAGE,
        uses="imagelane.testing.pool_stages:nothing",
        scope=Scope.IMAGE,
        place=place,
        parameters={},
        picture=None,
        reads_picture=False,
        materialise=False,
        timeout=None,
    )
    return Opening({STAGE: stage}, (), str(tmp_path), str(tmp_path), str(tmp_path))


@pytest.fixture
def order(tmp_path: Path) -> Order:
    path = tmp_path / "boat.jpg"
    path.write_bytes(b"no picture, but bytes")
    stat = path.stat()
    source = SourceFile(str(path), path.name, stat.st_size, stat.st_mtime_ns)
    return Order(7, Subject(1, 1), 0, (STAGE,), (1,), source)


def test_is_ready_does_orders_and_stops(
    supervisor: Supervisor, opening: Opening, order: Order
) -> None:
    supervisor.tell(opening)
    assert supervisor.hear() == Ready()
    supervisor.tell(order, Stop())
    report = supervisor.hear()
    assert isinstance(report, StageReport)
    assert (report.order, report.stage) == (7, STAGE)
    assert supervisor.hear() == OrderDone(7)


def test_a_worker_without_an_opening_gives_up(
    supervisor: Supervisor, failures: list[Exception]
) -> None:
    supervisor.tell(Grant(1))
    supervisor.wait()
    assert "expected Opening" in str(failures[0])


def test_a_second_opening_is_out_of_turn(
    supervisor: Supervisor, opening: Opening, failures: list[Exception]
) -> None:
    supervisor.tell(opening, opening)
    assert supervisor.hear() == Ready()
    supervisor.wait()
    assert "out of turn" in str(failures[0])


@pytest.mark.parametrize("place", [Place.THREAD], indirect=True)
def test_where_there_are_no_more_threads_the_order_may_be_tried_again(
    supervisor: Supervisor, opening: Opening, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor.tell(opening)
    assert supervisor.hear() == Ready()

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    supervisor.tell(order)
    report = supervisor.hear()
    assert isinstance(report, StageReport)
    assert isinstance(report.outcome, Failure)
    assert report.outcome.error is ErrorClass.TRANSIENT
    assert supervisor.hear() == OrderDone(7)
