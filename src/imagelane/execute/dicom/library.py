"""The one place where pydicom is loaded, and where it is kept from talking.

Its exceptions and warnings quote values of the file: names, dates, numbers of patients. So an
exception is told by its kind alone, and warnings are dropped.
"""

from __future__ import annotations

import importlib
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from imagelane.execute.errors import BugError, InvalidError, StageError

PACKAGE = "pydicom"


def load(name: str = "") -> Any:
    """pydicom, or the module of that name in it.

    Raises:
        BugError: it is not installed.
    """
    logging.getLogger(PACKAGE).addHandler(logging.NullHandler())
    logging.getLogger(PACKAGE).propagate = False
    try:
        return importlib.import_module(f"{PACKAGE}.{name}" if name else PACKAGE)
    except ImportError:
        raise BugError(
            "DICOM files need the extra 'dicom': pip install 'imagelane[dicom]'"
        ) from None


@contextmanager
def quietly(doing: str) -> Iterator[None]:
    """Whatever goes wrong inside is the file's fault, and is told without a word of the file.

    ``doing`` completes "the dicom cannot be …".

    Raises:
        InvalidError: pydicom raised something.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (StageError, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - a hostile file can make it raise anything
        kind = type(error).__name__
        # From None: a traceback would lead back to what pydicom said.
        raise InvalidError(
            f"the dicom cannot be {doing} ({kind}): it is damaged, or no standard one"
        ) from None
