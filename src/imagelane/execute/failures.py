"""Any exception, told as a Failure: a class, one line for a person, a traceback only for bugs."""

from __future__ import annotations

import errno
import re
import traceback

from imagelane.execute.errors import StageError
from imagelane.model.outcome import Failure, Outcome
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

OUT_OF_MEMORY = (
    "out of memory: this took more than its worker may have; give the run fewer workers, "
    "or the machine more memory"
)
_SAID = (
    (re.compile(r"error creating thread", re.IGNORECASE), _DISK[errno.EAGAIN]),
    # libheif and libtiff say nearly the same of a file that asks for more than their own limits
    # allow, or for nothing at all, and that is the file's own fault.
    (
        re.compile(
            r"out of memory(?! reading of)|cannot allocate|insufficient memory|bad_alloc"
            r"|failed to map|failed to allocate(?!.*elements of)"
            r"|memory allocation(?!.*(security limit|invalid image size|beyond))",
            re.IGNORECASE | re.DOTALL,
        ),
        OUT_OF_MEMORY,
    ),
)
"""What decoders and the dynamic linker say when the machine gives them nothing more."""


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
    short = _short_of(error)
    if short is not None:
        return Failure(ErrorClass.TRANSIENT, short)
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


def _short_of(error: BaseException) -> str | None:
    """What the machine had too little of; decoders say so as if the picture were to blame."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryError):
            return OUT_OF_MEMORY
        if isinstance(cause, OSError):
            return OUT_OF_MEMORY if cause.errno == errno.ENOMEM else None
        # What an exception of a user's own function says is nobody's business but theirs.
        if cause is not error or isinstance(cause, ImportError) or _of_vips(cause):
            for words, short in _SAID:
                if words.search(str(cause)):
                    return short
        cause = cause.__cause__
    return None


def _of_vips(error: BaseException) -> bool:
    return type(error).__module__.startswith("pyvips")


def _traceback(error: BaseException) -> str:
    lines = traceback.format_exception(error)
    return "".join(lines)[-LONGEST_DETAIL:]
