"""Any exception, told as a Failure: a class, one line for a person, a traceback only for bugs."""

from __future__ import annotations

import errno
import re
import traceback

from imagelane.execute.errors import StageError
from imagelane.model.outcome import Failure
from imagelane.model.states import ErrorClass

LONGEST_MESSAGE = 500
LONGEST_DETAIL = 16_000

_DISK = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "no permission",
    errno.EPERM: "no permission",
    errno.EIO: "the disk reports an input/output error",
    errno.EMFILE: "too many open files in this process",
    errno.ENFILE: "too many open files on this machine",
    errno.EAGAIN: "the system has no more processes or memory to give just now",
}

_NO_MEMORY = re.compile(
    r"out of memory|cannot allocate|failed to allocate|insufficient memory|bad_alloc"
    r"|memory allocation(?!.*security limit)",
    re.IGNORECASE | re.DOTALL,
)
"""What decoders say when they get no memory. libheif says nearly the same of a file that asks for
more than its security limits allow, and that is the file's own fault."""


def one_line(text: str, longest: int = LONGEST_MESSAGE) -> str:
    """Text as one printable line of at most ``longest`` characters."""
    line = re.sub(r"\s*\n\s*", "; ", text.strip())
    line = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in line
    )
    return line if len(line) <= longest else line[: longest - 1] + "…"


def failure_of(error: BaseException) -> Failure:
    """What an exception that left a stage means for its attempt."""
    if _no_memory(error):
        return Failure(
            ErrorClass.TRANSIENT,
            "out of memory: this took more than its worker may have; give the run fewer workers, "
            "or the machine more memory",
        )
    if isinstance(error, StageError):
        detail = error.detail
        if error.error is ErrorClass.BUG and not detail and error.__cause__ is not None:
            detail = _traceback(error.__cause__)
        return Failure(
            error.error, one_line(error.message), detail[:LONGEST_DETAIL], error.retry_after
        )
    if isinstance(error, OSError) and error.errno in _DISK:
        where = f" ({error.filename})" if error.filename else ""
        return Failure(ErrorClass.TRANSIENT, one_line(_DISK[error.errno] + where))
    kind = type(error).__name__
    text = one_line(str(error))
    return Failure(ErrorClass.BUG, f"{kind}: {text}" if text else kind, _traceback(error))


def _no_memory(error: BaseException) -> bool:
    """Whether it comes of too little memory: decoders say so as if the picture were to blame."""
    cause: BaseException | None = error
    while cause is not None:
        decoder = cause is not error or type(cause).__module__.startswith("pyvips")
        if (
            isinstance(cause, MemoryError)
            or (isinstance(cause, OSError) and cause.errno == errno.ENOMEM)
            or (decoder and _NO_MEMORY.search(str(cause)) is not None)
        ):
            return True
        cause = cause.__cause__
    return False


def _traceback(error: BaseException) -> str:
    lines = traceback.format_exception(error)
    return "".join(lines)[-LONGEST_DETAIL:]
