"""Any exception, told as a Failure: a class, one line for a person, a traceback only for bugs."""

from __future__ import annotations

import errno
import re
import traceback

from imagelane.execute.errors import StageError
from imagelane.execute.network import network_failure
from imagelane.execute.resources import LACKING, OUT_OF_MEMORY, lacking_in, says_out_of_memory
from imagelane.model.outcome import Failure, Outcome
from imagelane.model.states import ErrorClass

LONGEST_MESSAGE = 500
LONGEST_DETAIL = 16_000


def one_line(text: str, longest: int = LONGEST_MESSAGE) -> str:
    """Text as one printable line of at most ``longest`` characters."""
    line = re.sub(r"\s*\n\s*", "; ", text.strip())
    line = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line
    )
    return line if len(line) <= longest else line[: longest - 1] + "…"


def wears_out(outcome: Outcome) -> bool:
    """Whether a worker should be replaced after it: what is left of its memory is in pieces, and
    the next attempt deserves a whole one."""
    return isinstance(outcome, Failure) and outcome.message == OUT_OF_MEMORY


def failure_of(error: BaseException) -> Failure:
    """What an exception that left a stage means for its attempt."""
    if _out_of_memory(error):
        return Failure(ErrorClass.TRANSIENT, OUT_OF_MEMORY)
    if isinstance(error, StageError):
        detail = error.detail
        if error.error is ErrorClass.BUG and not detail and error.__cause__ is not None:
            detail = _traceback(error.__cause__)
        return Failure(
            error.error,
            one_line(error.message),
            detail[:LONGEST_DETAIL],
            error.retry_after,
            error.obstacle,
        )
    if (lacking := _lacking(error)) is not None:
        return Failure(ErrorClass.TRANSIENT, one_line(lacking))
    kind, said = type(error).__name__, one_line(str(error))
    message = f"{kind}: {said}" if said else kind
    if (found := network_failure(error)) is not None:
        error_class, wait = found
        detail = _traceback(error) if error_class is ErrorClass.BUG else ""
        return Failure(error_class, message, detail, wait)
    return Failure(ErrorClass.BUG, message, _traceback(error))


def _lacking(error: BaseException) -> str | None:
    """What the machine had too little of, if that is what the exception says."""
    if isinstance(error, OSError) and error.errno in LACKING:
        where = f" ({error.filename})" if error.filename else ""
        return LACKING[error.errno] + where
    return lacking_in(str(error)) if _of_vips(error) else None


def _out_of_memory(error: BaseException) -> bool:
    """Whether the machine had too little memory; decoders say so as if a picture were to blame."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryError):
            return True
        if isinstance(cause, OSError):
            return cause.errno == errno.ENOMEM
        # What an exception of a user's own function says is nobody's business but theirs.
        of_a_library = isinstance(cause, ImportError) or _of_vips(cause)
        if (cause is not error or of_a_library) and says_out_of_memory(str(cause)):
            return True
        cause = cause.__cause__
    return False


def _of_vips(error: BaseException) -> bool:
    # By name: whoever imports this module does not load libvips.
    return type(error).__module__.partition(".")[0] == "pyvips"


def _traceback(error: BaseException) -> str:
    lines = traceback.format_exception(error)
    return "".join(lines)[-LONGEST_DETAIL:]
