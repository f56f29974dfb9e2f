"""From what went wrong to one message and an exit code."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Iterator

import click

FINISHED = 0
LOSSES = 1
WRONG = 2
WAITS = 3
ENVIRONMENT = 4
INTERNAL = 5
INTERRUPTED = 130


class CommandError(Exception):
    """A command cannot do what it was asked. ``code`` is the exit code."""

    def __init__(self, message: str, code: int = WRONG) -> None:
        super().__init__(message)
        self.code = code


class StoppedError(Exception):
    """A second Ctrl-C came, or one where there was nothing to pause. Click would make exit code 1,
    finished with losses, of a KeyboardInterrupt."""


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turn every exception into its message and its exit code; the traceback of an internal error
    goes where IMAGELANE_TRACEBACK=1 asks for it."""
    try:
        yield
    except (SystemExit, click.exceptions.Exit):
        raise
    except (KeyboardInterrupt, StoppedError):
        _leave("interrupted; `imagelane run` with the same file takes the run up", INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has left; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FINISHED)
    except Exception as error:  # noqa: BLE001 - the last place where anything can be said
        code = _code(error)
        if os.environ.get("IMAGELANE_TRACEBACK"):
            traceback.print_exc()
        if code == INTERNAL:
            _leave(
                f"internal error: {type(error).__name__}: {error}\n"
                "What was recorded is safe, and the same command carries on from there. "
                "IMAGELANE_TRACEBACK=1 shows where it happened; please report it.",
                code,
            )
        _leave(str(error), code)


def _leave(message: str, code: int) -> None:
    click.echo(f"imagelane: {message}", err=True)
    sys.exit(code)


def _code(error: Exception) -> int:
    if isinstance(error, CommandError):
        return error.code
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if kinds & {"DeclarationError", "PlanError", "ProfileError", "SourceError", "RunNotFoundError"}:
        return WRONG
    if kinds & {"RunOwnedError", "StaleFenceError"}:
        return WAITS
    if kinds & {"JournalError", "NotifierError", "PoolError", "PublishError", "SandboxError"}:
        return ENVIRONMENT
    if "OSError" in kinds:
        return ENVIRONMENT
    return INTERNAL
