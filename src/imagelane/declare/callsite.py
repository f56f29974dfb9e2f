"""Where in a user's Python something was declared."""

from __future__ import annotations

import inspect
import linecache
from types import FrameType

from imagelane.model.spec import Location

_OURS = ("imagelane", "pydantic", "dataclasses")


def caller() -> Location | None:
    """The nearest line on the call stack that is neither this package's nor a library's that it
    declares with; None outside of any file."""
    frame = inspect.currentframe()
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        file = frame.f_code.co_filename
        if module.partition(".")[0] not in _OURS and not file.startswith("<"):
            return _call_in(file, frame)
        frame = frame.f_back
    return None


def _call_in(file: str, frame: FrameType) -> Location:
    """Where the call that is under way begins, which may be lines before the one it has reached."""
    at = inspect.getframeinfo(frame, context=0).positions
    if at is None or at.lineno is None or at.col_offset is None:
        return Location(file, frame.f_lineno)
    # Python counts columns in bytes of UTF-8.
    before = linecache.getline(file, at.lineno).encode()[: at.col_offset]
    return Location(file, at.lineno, len(before.decode(errors="replace")) + 1)


def line_of(location: Location) -> str:
    """The text of a line of Python source, empty where it is not known."""
    return linecache.getline(location.file, location.line).rstrip("\n")
