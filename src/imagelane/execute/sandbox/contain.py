"""Shuts a worker in, before it takes its first order."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from imagelane.execute.sandbox import landlock, limits, places, privileges, system_calls
from imagelane.execute.sandbox.modules import find_unlisted
from imagelane.execute.sandbox.terms import Containment

_DESK = "worker-"


class ContainmentError(Exception):
    """A layer that was asked for cannot be put around this process."""


def contain(terms: Containment, folder: str, artifacts: str, scratch: str) -> str:
    """Put every layer of the terms around this process, for good.

    Gives a folder below ``scratch`` that is the worker's own, where it writes what is unfinished.

    Raises:
        ContainmentError: one of them is refused. Nothing may be decoded then.
    """
    layer = ""
    try:
        _clear(Path(scratch))
        desk = Path(scratch, f"{_DESK}{os.getpid()}")
        desk.mkdir(parents=True, exist_ok=True)
        # libvips keeps pictures there that are too large for memory, and Python what it unpacks.
        # That module asks once, and takes time to load for whoever does not need it.
        os.environ["TMPDIR"] = str(desk)
        if "tempfile" in sys.modules:
            sys.modules["tempfile"].tempdir = None  # type: ignore[attr-defined]
        # Files last of those that open some, and system calls behind all.
        for layer in ("limits", "privileges", "files", "system-calls"):
            if layer not in terms.layers:
                continue
            if layer == "limits":
                limits.apply(terms.memory, terms.seconds, terms.file)
            elif layer == "privileges":
                privileges.apply()
            elif layer == "files":
                find_unlisted(places.narrowed_folders(terms, folder))
                landlock.apply(places.allowed(terms, folder, artifacts, str(desk)))
            else:
                system_calls.apply()
    except (OSError, ValueError, KeyError) as error:
        raise ContainmentError(
            f"the layer {layer or 'files'} of the sandbox cannot be applied: {error}; "
            "`imagelane doctor` says what there is, and sandbox: off does without"
        ) from error
    return str(desk)


def _clear(scratch: Path) -> None:
    """Remove what workers left behind that are gone: none of them can remove its own desk."""
    for desk in scratch.glob(f"{_DESK}*"):
        if Path("/proc", desk.name.removeprefix(_DESK)).exists():
            continue
        # Several may do so at once.
        with suppress(OSError):
            for place, folders, files in os.walk(desk, topdown=False):
                for name in files:
                    Path(place, name).unlink()
                for name in folders:
                    Path(place, name).rmdir()
            desk.rmdir()
