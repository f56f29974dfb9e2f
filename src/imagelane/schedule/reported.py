"""From what a pool reports of an attempt to the event that records it."""

from __future__ import annotations

from imagelane.model import events as e
from imagelane.model.ids import Subject
from imagelane.model.outcome import Failure, Success
from imagelane.model.work import StageReport


def succeeded(
    subject: Subject, attempt: int, success: Success, report: StageReport
) -> e.TaskSucceeded:
    """The attempt did what it should."""
    return e.TaskSucceeded(
        subject=subject,
        stage=report.stage,
        attempt=attempt,
        renditions=success.renditions,
        facts=success.facts,
        verdict=success.verdict,
        worker=report.worker,
        started=report.started,
        finished=report.finished,
        cpu=report.cpu,
        decoded_bytes=report.decoded_bytes,
        source_digest=report.source_digest,
        key=report.key,
        reused=report.reused,
    )


def failed(
    subject: Subject,
    attempt: int,
    failure: Failure,
    report: StageReport,
    retry_in: float | None,
    *,
    counted: bool = True,
) -> e.TaskFailed:
    """The attempt failed; ``retry_in`` (seconds) is None if it was the last."""
    return e.TaskFailed(
        subject=subject,
        stage=report.stage,
        attempt=attempt,
        error=failure.error,
        message=failure.message,
        detail=failure.detail,
        retry_in=retry_in,
        worker=report.worker,
        started=report.started,
        finished=report.finished,
        cpu=report.cpu,
        decoded_bytes=report.decoded_bytes,
        source_digest=report.source_digest,
        counted=counted,
    )
