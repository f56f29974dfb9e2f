"""The stages of one order, one after the other, over one decode."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping

from imagelane.execute import stages
from imagelane.execute.attempt import Attempt, Result
from imagelane.execute.errors import StageError
from imagelane.execute.failures import failure_of
from imagelane.execute.message import Opening, PlannedStage
from imagelane.execute.workpiece import NOTHING_HANDED, Workpiece
from imagelane.model.ids import StageName
from imagelane.model.outcome import Failure, Success
from imagelane.model.spec import Place
from imagelane.model.work import Order, StageReport
from imagelane.ports.faults import Fault, no_fault


def execute(
    order: Order,
    opening: Opening,
    claim: Callable[[int], None],
    handed: Mapping[str, int | StageError] = NOTHING_HANDED,
    fault: Fault = no_fault,
) -> Iterator[StageReport]:
    """Do an order's stages, and report each as it is finished.

    ``claim`` is called with the bytes that the order needs decoded at one moment, before it
    decodes more than its reservation, and returns when they are granted. ``handed`` are files that
    somebody else has opened for the order. A stage that needs one
    that failed here is not tried and not reported. No exception leaves: whatever goes wrong is the
    failure of a stage.
    """
    piece = Workpiece(order, opening, claim, handed, fault)
    failed: set[StageName] = set()
    for place, name in enumerate(order.stages):
        planned = opening.stages[name]
        if failed.intersection(planned.needs) or planned.picture in failed:
            failed.add(name)
            continue
        report = _one(planned, order.attempts[place], piece)
        if isinstance(report.outcome, Failure):
            failed.add(name)
        fault("stage: unreported")
        yield report
        piece.forget(order.stages[place + 1 :])


def _one(planned: PlannedStage, number: int, piece: Workpiece) -> StageReport:
    clock = time.process_time if planned.place is Place.PROCESS else time.thread_time
    started, before, waited = time.monotonic(), clock(), piece.allowance.waited
    deadline = None if planned.timeout is None else started + planned.timeout
    attempt = Attempt(planned, piece, number, deadline)
    outcome: Success | Failure
    try:
        result = stages.load(planned.uses).run(planned.parameters, attempt)
        outcome = _keep(planned, result, piece)
        piece.shelf.finish()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - user code may raise anything
        outcome = failure_of(error)
        with contextlib.suppress(Exception):
            # What it had put already is nobody's: only that it is over counts.
            piece.shelf.finish()
    return StageReport(
        order=piece.order.number,
        stage=planned.name,
        outcome=outcome,
        # Waiting for memory is no part of what the stage takes.
        started=started + piece.allowance.waited - waited,
        finished=time.monotonic(),
        cpu=clock() - before,
        decoded_bytes=piece.allowance.peak,
        source_digest=piece.source_digest,
    )


def _keep(planned: PlannedStage, result: Result, piece: Workpiece) -> Success:
    renditions = result.renditions
    if result.picture is not None:
        piece.made(planned.name, result.picture)
        if planned.materialise:
            renditions = (*renditions, piece.store_picture(result.picture))
    piece.learn(planned.name, result.facts)
    return Success(renditions, result.facts, result.verdict)
