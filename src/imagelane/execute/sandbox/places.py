"""Which files a worker that decodes may still open, and what for."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from imagelane.execute.sandbox.landlock import READ, WRITE, Access
from imagelane.execute.sandbox.terms import Containment

_LIBRARIES = (
    "/lib",
    "/lib64",
    "/usr/lib",
    "/usr/lib64",
    "/usr/local/lib",
    "/etc/ld.so.cache",
)
_FONTS = (
    "/etc/fonts",
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.fonts",
    "~/.local/share/fonts",
    # Read, never written: what one worker leaves there, every program of this user would load.
    "~/.cache/fontconfig",
)
_MACHINE = (
    "/dev/random",
    "/dev/urandom",
    "/dev/zero",
    "/etc/localtime",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/self",
    "/proc/sys/vm/overcommit_memory",
    "/sys/devices/system/cpu",
    "/usr/share/zoneinfo",
)
_STORE = (
    Access.READ_FILE
    | Access.READ_DIR
    | Access.MAKE_REG
    | Access.MAKE_DIR
    | Access.REMOVE_FILE
    | Access.REFER
)


def allowed(
    terms: Containment, folder: str, artifacts: str, desk: str
) -> Iterator[tuple[str, Access]]:
    """Paths, and what is allowed below each.

    ``folder`` is the pipeline's, of which only Python's modules are to be seen; ``artifacts`` is
    the store, ``desk`` a folder of the worker's own.
    """
    guarded = [Path(path) for path in (folder, artifacts, desk, *terms.hidden)]
    for path in (*_LIBRARIES, *_FONTS, *_MACHINE, *_named_by_variables(), *terms.reads):
        yield os.path.expanduser(path), READ  # noqa: PTH111 - Path refuses where there is no home
    yield "/dev/null", READ | Access.WRITE_FILE
    for entry in {sys.prefix, sys.base_prefix, *filter(None, sys.path)}:
        if any(one.is_relative_to(entry) for one in guarded):
            yield from _modules(Path(entry), guarded)
        else:
            yield entry, READ
    if terms.modules:
        yield from _modules(Path(folder), guarded)
    yield artifacts, _STORE
    yield desk, WRITE


def _modules(folder: Path, guarded: list[Path]) -> Iterator[tuple[str, Access]]:
    """What Python may import from a folder that also holds what nobody else may see: its modules,
    and the folders that hold some."""
    # To be found, modules must be listed; what is listed cannot be opened for that.
    yield str(folder), Access.READ_DIR
    try:
        entries = sorted(folder.iterdir())
        for entry in entries:
            holds_modules = entry.is_dir() and next(entry.glob("*.py"), None) is not None
            shared = any(one.is_relative_to(entry) for one in guarded)
            if entry.suffix in {".py", ".so"} or (holds_modules and not shared):
                yield str(entry), READ
    except OSError:
        return


def _named_by_variables() -> Iterator[str]:
    for name in ("FONTCONFIG_FILE", "FONTCONFIG_PATH"):
        if os.environ.get(name):
            yield os.environ[name]
