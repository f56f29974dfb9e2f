"""Any exception, told as a Failure: a class, one line for a person, a traceback only for bugs."""

from __future__ import annotations

import re
import traceback

from imagelane.execute.errors import StageError
from imagelane.execute.network import network_failure
from imagelane.execute.resources import LACKING, lacking_in
from imagelane.model.outcome import Failure
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


def failure_of(error: BaseException) -> Failure:
    """What an exception that left a stage means for its attempt."""
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
    if isinstance(error, MemoryError):
        return "out of memory: lower workers or decoded_bytes"
    if isinstance(error, OSError) and error.errno in LACKING:
        where = f" ({error.filename})" if error.filename else ""
        return LACKING[error.errno] + where
    # By name: whoever imports this module does not load libvips.
    if type(error).__module__.partition(".")[0] == "pyvips":
        return lacking_in(str(error))
    return None


def _traceback(error: BaseException) -> str:
    lines = traceback.format_exception(error)
    return "".join(lines)[-LONGEST_DETAIL:]
