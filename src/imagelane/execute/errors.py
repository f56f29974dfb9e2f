"""Why a stage gives up, in the classes that decide whether another attempt can help."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imagelane.model.obstacle import Obstacle, ObstacleKind, obstacle_of
from imagelane.model.states import ErrorClass


class StageError(Exception):
    """A stage cannot do its work.

    ``message`` is one line for a person: what was found, what was expected, what to do next.
    ``detail`` may be long; ``retry_after`` is in seconds.
    """

    error = ErrorClass.BUG
    obstacle: Obstacle | None = None

    def __init__(self, message: str, detail: str = "", retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.retry_after = retry_after


class InvalidError(StageError):
    """The input is bad: the same attempt would fail again."""

    error = ErrorClass.INVALID


class TransientError(StageError):
    """It may pass: worth another attempt."""

    error = ErrorClass.TRANSIENT


class ObstacleError(TransientError):
    """Something stands in the way that is not the image's doing: the attempt does not count."""

    def __init__(self, message: str, obstacle: Obstacle) -> None:
        super().__init__(message)
        self.obstacle = obstacle


class DeadlineError(StageError):
    """The stage's own timeout went by."""

    error = ErrorClass.TIMEOUT


class BugError(StageError):
    """Something is wrong with a stage's code, its installation or its answer."""

    error = ErrorClass.BUG


_SAYS = {
    ObstacleKind.FULL: "no room on the disk of",
    ObstacleKind.UNWRITABLE: "nothing can be written to",
}


@contextmanager
def writing_to(folder: Path, size: int) -> Iterator[None]:
    """Around what writes ``size`` bytes below a folder.

    Raises:
        ObstacleError: there is no room, or nothing may be written.
        TransientError: it failed otherwise. What a disk refuses says nothing about the picture.
    """
    try:
        yield
    except OSError as error:
        obstacle = obstacle_of(error, folder, size)
        if obstacle is None:
            raise TransientError(f"cannot write below {folder}: {error.strerror}") from error
        raise ObstacleError(
            f"{_SAYS[obstacle.kind]} {folder}: {error.strerror}", obstacle
        ) from error


def damaged(name: str, digest: str, found: str) -> ObstacleError:
    """An artifact cannot be used: ``found`` says what became of it."""
    return ObstacleError(f"rendition {name!r} {found}", Obstacle(ObstacleKind.DAMAGED, digest))
