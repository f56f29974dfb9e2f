"""Supervised worker processes: whatever happens to one, every order comes to its end."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from imagelane.adapters.pools.child import WORKER
from imagelane.adapters.pools.containing import containment, unbound
from imagelane.adapters.pools.crew import START, Crew, Dispatch, Terms, Worker
from imagelane.adapters.pools.environment import worker_environment
from imagelane.adapters.pools.filing import Filing
from imagelane.adapters.pools.handing import handed
from imagelane.adapters.pools.opening import for_pixels, opening, pressing, unlocking
from imagelane.adapters.pools.reaping import Reaping
from imagelane.adapters.pools.reserve import Reserve
from imagelane.adapters.pools.switchboard import Switchboard
from imagelane.execute.failures import one_line
from imagelane.execute.message import VERSION, Answer, Grant, Ready, encode
from imagelane.execute.progress import Progress
from imagelane.execute.wire import MessageError
from imagelane.model.outcome import Failure
from imagelane.model.plan import PhysicalPlan
from imagelane.model.spec import Place
from imagelane.model.states import ErrorClass
from imagelane.model.work import Claim, Order, OrderDone, Report, StageReport
from imagelane.ports.pool import PoolError

_THREADS = 256
"""Orders that one waiting host does side by side."""

_SUSPECTS = 4
"""Orders of a host that died which are tried again at one moment, each in a host of its own."""

_REAP = 0.2
"""Seconds that a process whose connection has ended may take to end, too."""

_CLOSE = 5.0
"""Seconds that a killed process may take to end when the pool is closed."""


class ProcessPool:
    """The pool of one machine.

    Orders for pixels go to worker processes that do one at a time, as many as the plan says.
    Orders that wait go to a host process with a thread for each. Both are started when orders call
    for them, and reused.

    Timeouts are hard. A pixel worker whose stage overruns is killed. A thread cannot be killed: its
    attempt is reported, what it says later is dropped, and its host takes no new orders and is
    killed as soon as its others are over. Stages that wait keep their own deadline, so they get
    ``grace`` seconds more to say so themselves.

    When a host dies with several orders in hand nobody knows which one killed it. Those that had
    reported nothing are tried again, each alone: the one that kills its host once more is the one.

    Args:
        artifacts: the artifact store's folder.
        scratch: a folder on the same file system.
        folder: the pipeline's own; workers stand in it.
        longest: seconds that a pixel stage without a timeout may take.
        longest_wait: the same for stages that wait.
        grace: see above.
        recycle: orders after which a worker is replaced ...
        youngest: ... unless it is younger than so many seconds.
        worker: the module that a worker process starts.
        keep: names of environment variables that stages need beside the usual ones.
        reserve: workers that were started already; closed when the pool has opened.
        layers: those of `sandbox.terms.LAYERS` that are put around workers which decode. A worker
            that cannot be contained so is never given an order.

    All methods but `wake` belong to one thread, and it must live until `close`: the kernel ends the
    workers with the thread that started them.
    """

    def __init__(
        self,
        artifacts: Path,
        scratch: Path,
        folder: Path,
        *,
        longest: float = 300.0,
        longest_wait: float = 900.0,
        grace: float = 0.25,
        recycle: int = 500,
        youngest: float = 30.0,
        worker: str = WORKER,
        keep: Iterable[str] = (),
        reserve: Reserve | None = None,
        layers: Sequence[str] = (),
    ) -> None:
        self._folders = (artifacts, scratch, folder)
        self._longest = {Place.PROCESS: longest, Place.THREAD: longest_wait}
        self._grace = {Place.PROCESS: 0.0, Place.THREAD: grace}
        self._recycle = recycle
        self._youngest = youngest
        self._worker = worker
        self._keep = tuple(keep)
        self._reserve = reserve
        self._layers = tuple(layers)
        self._reports: list[Report] = []
        self._claims: dict[int, tuple[Worker, Dispatch]] = {}
        self._plan: PhysicalPlan | None = None
        self._closing = False
        self._closed = False
        self._reaping = Reaping()
        self._board: Switchboard[Worker] = Switchboard()
        self._filing = Filing(artifacts, self._board.ring, needed=bool(self._layers))
        self._pixels = Crew("p", Place.PROCESS, self._board, capacity=1, size=1)
        self._hosts = Crew("t", Place.THREAD, self._board, capacity=_THREADS, size=1 << 16)
        self._alone = Crew("a", Place.THREAD, self._board, capacity=1, size=_SUSPECTS)
        # For stages that need more than a sandbox lets them have, and say so.
        self._unbound = Crew("u", Place.PROCESS, self._board, capacity=1, size=1)
        self._crews = (self._pixels, self._unbound, self._hosts, self._alone)

    def open(self, plan: PhysicalPlan) -> None:
        """Start the workers: they get ready while the caller does. Opening it again is harmless."""
        if self._plan is plan:
            self._filing.prepared()
            return
        self._plan = plan
        folder, environment = self._folders[-1].absolute(), worker_environment(self._keep)
        self._opening = opening(plan, *self._folders)
        self._reaping.open(plan)
        self._pixels.size = self._unbound.size = max(1, plan.processes)
        told = for_pixels(self._opening)
        held = containment(plan, folder, self._layers, self._longest[Place.PROCESS], self._recycle)
        waiting = Terms(folder, environment, self._opening, self._reserve, self._worker)
        self._pixels.open(replace(waiting, opening=replace(told, containment=held)))
        self._unbound.open(replace(waiting, opening=told, reserve=None))
        self._hosts.open(waiting)
        self._alone.open(replace(waiting, reserve=None))
        of_place = {Place.PROCESS: self._pixels, Place.THREAD: self._hosts}
        self._unlocking = unlocking(plan)
        self._crew_of = {
            segment.index: of_place[segment.place]
            for segment in plan.segments
            if segment.place in of_place
        }
        self._crew_of |= dict.fromkeys(unbound(plan), self._unbound)
        # What waits comes after pixels: its host would only keep their workers from getting ready.
        crews = set(self._crew_of.values())
        for crew in crews - {self._hosts} or crews:
            crew.hire(1 if crew is self._hosts else crew.size)
        self._board.flush()
        if self._reserve is not None:
            self._reserve.close()
        self._filing.prepare()

    def submit(self, order: Order) -> None:
        self._filing.prepared()
        crew = self._crew_of[order.segment]
        crew.queue.append(order)
        self._deal(crew)
        if crew.place is Place.PROCESS:
            # A pixel worker is idle until it has the order; what waits may travel together later.
            self._board.flush()

    def grant(self, order: int) -> None:
        if order not in self._claims:
            # Its worker has died since.
            return
        worker, dispatch = self._claims.pop(order)
        dispatch.deadline = time.monotonic() + dispatch.left
        self._board.look_by(dispatch.deadline)
        self._board.say(worker.child, encode(Grant(order)))
        self._board.flush()

    def poll(self, timeout: float) -> Sequence[Report]:
        end = time.monotonic() + timeout
        woken = self._closed
        while not woken:
            presses = pressing(self._reports, self._unlocking)
            woken = self._turn(0.0 if presses else end - time.monotonic())
            if pressing(self._reports, self._unlocking) or time.monotonic() >= end:
                break
            for crew in self._crews:
                if crew.trouble:
                    raise PoolError(crew.trouble)
        return self._released()

    def wake(self) -> None:
        self._board.ring()

    def shed(self) -> None:
        # An idle worker keeps the memory of its last pictures for the next ones.
        for worker in list(self._pixels.free):
            self._pixels.retire(worker)
        self._board.flush()

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes that live now."""
        return tuple(child.pid for child in self._board.owners.values())

    def close(self, *, kill: bool = False) -> None:
        """Orders that no worker has begun are done, without a report. After ``kill`` so are those
        in hand; otherwise their reports can still be polled."""
        if self._closed:
            return
        self._closing = True
        for crew in self._crews:
            self._reports += [OrderDone(order.number) for order in crew.queue]
            crew.queue.clear()
        for order in list(self._claims):
            self.grant(order)
        for worker in list(self._board.owners):
            if kill or not worker.ready:
                self._reports += [OrderDone(order) for order in worker.running]
                worker.crew.remove(worker)
            else:
                worker.crew.retire(worker)
        while self._board.owners:
            self._turn(1.0)
        self._filing.close(self._reports)
        self._reports = []
        self._closed = True
        self._board.close(_CLOSE)
        self._reaping.close()

    def _released(self) -> list[Report]:
        """What may be told by now of what was reported; for the rest, `Filing` rings."""
        reports, self._reports = self._reports, []
        self._filing.add(*reports)
        return self._filing.released()

    # Orders go out.

    def _deal(self, crew: Crew) -> None:
        for worker, order in crew.assignments():
            dispatch = Dispatch(order, Progress(order, self._opening))
            try:
                frame = encode(order)
            except MessageError as error:
                self._fail(dispatch, worker, ErrorClass.BUG, f"the order cannot be sent: {error}")
                continue
            crew.took(worker, dispatch)
            self._begin(dispatch, worker, time.monotonic())
            if crew is self._pixels and self._layers:
                for file, descriptor in handed(order):
                    self._board.say(worker.child, encode(file), descriptor)
            self._board.say(worker.child, frame)
        crew.hire()

    def _begin(self, dispatch: Dispatch, worker: Worker, now: float) -> None:
        """A stage begins, and its time with it."""
        place = worker.crew.place
        stage = dispatch.progress.stage
        timeout = self._opening.stages[stage].timeout if stage else None
        dispatch.began = now
        dispatch.timeout = self._longest[place] if timeout is None else timeout
        dispatch.deadline = now + dispatch.timeout + self._grace[place]
        self._board.look_by(dispatch.deadline)

    # Answers come in.

    def _turn(self, wait: float) -> bool:
        """Listen once; True where `wake` was called."""
        woken = False
        for worker in self._board.listen(wait):
            if worker is None:
                woken = True
            else:
                self._hear(worker)
        # Only now that everything which had arrived was heard: what was in time is in time, however
        # late this process came to look.
        if self._board.due():
            self._look_round()
        return woken

    def _hear(self, worker: Worker) -> None:
        try:
            for answer in worker.child.answers():
                self._take(worker, answer)
                if worker not in self._board.owners:
                    return
        except MessageError as error:
            self._lose(worker, f"it was ended for what it said: {error}")
            return
        if worker.child.silent:
            self._lose(worker)

    def _take(self, worker: Worker, answer: Answer) -> None:
        if isinstance(answer, Ready):
            if answer.version != VERSION or worker.ready:
                raise MessageError(f"found {answer}; expected it once, for version {VERSION}")
            worker.crew.started(worker)
            self._deal(worker.crew)
            return
        dispatch = worker.running.get(answer.order)
        if dispatch is None:
            if answer.order not in worker.dropped:
                raise MessageError(f"found an answer for order {answer.order}, which it has not")
        elif isinstance(answer, StageReport):
            dispatch.progress.reported(answer)
            dispatch.reported = True
            self._reports.append(answer)
            since = min(max(answer.finished, dispatch.began), time.monotonic())
            self._begin(dispatch, worker, since)
        elif isinstance(answer, Claim):
            self._claimed(worker, dispatch, answer)
        else:
            self._finished(worker, dispatch, answer)

    def _claimed(self, worker: Worker, dispatch: Dispatch, claim: Claim) -> None:
        if claim.order in self._claims:
            raise MessageError(f"found a second claim of order {claim.order} before its grant")
        dispatch.left = max(0.0, dispatch.deadline - time.monotonic())
        dispatch.deadline = math.inf
        self._claims[claim.order] = (worker, dispatch)
        if self._closing:
            # Nobody is left who would grant it.
            self.grant(claim.order)
        else:
            self._reports.append(claim)

    def _finished(self, worker: Worker, dispatch: Dispatch, done: OrderDone) -> None:
        if not dispatch.progress.may_end:
            raise MessageError(f"stage {dispatch.progress.stage!r} was not reported")
        self._reports.append(done)
        crew = worker.crew
        del worker.running[done.order]
        worker.served += 1
        old = worker.served >= self._recycle and time.monotonic() - worker.born >= self._youngest
        if worker.leaving or old or done.worn:
            crew.retire(worker)
        else:
            crew.free[worker] = None
        self._deal(crew)

    # What goes wrong.

    def _look_round(self) -> None:
        """Some time has run out, of a stage or of a worker: see whose."""
        now = time.monotonic()
        for worker in list(self._board.owners):
            for dispatch in list(worker.running.values()):
                if dispatch.deadline <= now:
                    self._overrun(worker, dispatch)
                else:
                    self._board.look_by(dispatch.deadline)
            if worker.until > now:
                self._board.look_by(worker.until)
            elif worker in self._board.owners:
                self._lose(worker, f"it was not ready within {START:g} s")
        if not self._closing:
            for crew in self._crews:
                crew.hire()

    def _overrun(self, worker: Worker, dispatch: Dispatch) -> None:
        """A stage's time is over, whatever its worker does. A thread in it may never come back, so
        it gets no more orders, and is ended with the last that it has."""
        message = f"not finished after {dispatch.timeout:g} s, so the attempt was ended"
        self._fail(dispatch, worker, ErrorClass.TIMEOUT, message)
        del worker.running[dispatch.order.number]
        worker.dropped.add(dispatch.order.number)
        worker.stuck = True
        worker.crew.retire(worker)
        self._deal(worker.crew)

    def _lose(self, worker: Worker, reason: str = "") -> None:
        """A worker is gone, or has to go."""
        worker.crew.remove(worker)
        if worker.leaving and not worker.running:
            return
        worker.child.ended(_REAP)
        message = f"the worker process died: {reason or worker.child.how_it_ended()}"
        if worker.child.last_line:
            message += f"; its last words: {worker.child.last_line}"
        if not worker.ready:
            worker.crew.start_failed(message, hopeless=not worker.child.was_killed)
        several = len(worker.running) > 1
        for number, dispatch in worker.running.items():
            if several and not dispatch.reported and not self._closing:
                self._claims.pop(number, None)
                self._alone.queue.append(dispatch.order)
            else:
                words = worker.child.last_words
                self._fail(dispatch, worker, ErrorClass.WORKER_DIED, message, words)
        self._deal(worker.crew)
        self._deal(self._alone)

    def _fail(
        self,
        dispatch: Dispatch,
        worker: Worker,
        error: ErrorClass,
        message: str,
        detail: str = "",
    ) -> None:
        """Report the stage that is running as failed, and the order as done."""
        self._claims.pop(dispatch.order.number, None)
        failure = Failure(error, one_line(message), detail)
        if (report := dispatch.failed(failure, worker.child.name)) is not None:
            self._reports.append(report)
        self._reports.append(OrderDone(dispatch.order.number))
