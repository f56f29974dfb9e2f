"""What an exception means for its attempt: whose fault it is, and whether another can help."""

from __future__ import annotations

import errno

import pytest

from imagelane.execute.errors import BugError, InvalidError, StageError
from imagelane.execute.failures import failure_of, wears_out
from imagelane.execute.resources import OUT_OF_MEMORY
from imagelane.execute.vips import VipsError
from imagelane.model.states import ErrorClass


def raised(error: StageError, cause: BaseException) -> StageError:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        VipsError("unable to call resize", "out of memory -- size == 102MB"),
        raised(InvalidError("the png is damaged"), VipsError("", "Cannot allocate memory")),
        raised(InvalidError("the heic is damaged"), MemoryError()),
        raised(BugError("the avif could not be written"), VipsError("", "Memory allocation error")),
        raised(InvalidError("the jpeg is damaged"), ValueError("Insufficient memory (case 4)")),
        ImportError("libheif.so.1: failed to map segment from shared object"),
    ],
)
def test_too_little_memory_is_no_damage(error: BaseException) -> None:
    failure = failure_of(error)
    assert failure.error is ErrorClass.TRANSIENT
    assert failure.message == OUT_OF_MEMORY
    assert wears_out(failure)


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (
            raised(
                InvalidError("the heic is damaged"),
                ValueError("Memory allocation error: Security limit exceeded: 4 GB"),
            ),
            ErrorClass.INVALID,
        ),
        (
            raised(
                InvalidError("the tiff cannot be read"),
                VipsError("", "tiff2vips: Failed to allocate memory (0 elements of 12 bytes each)"),
            ),
            ErrorClass.INVALID,
        ),
        (
            raised(
                InvalidError("the heic is damaged"),
                RuntimeError("Memory allocation error: Invalid image size: zero width or height"),
            ),
            ErrorClass.INVALID,
        ),
        (raised(InvalidError("no picture"), VipsError("", "not a known format")), "invalid"),
        (ValueError("my shop is out of memory cards"), ErrorClass.BUG),
        (VipsError("", "Error creating thread: Resource temporarily unavailable"), "transient"),
    ],
)
def test_what_only_sounds_like_it(error: BaseException, found: str) -> None:
    failure = failure_of(error)
    assert failure.error == found
    assert not wears_out(failure)
