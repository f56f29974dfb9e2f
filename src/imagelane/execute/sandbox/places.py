"""Which files a worker that decodes may still open, and what for."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from imagelane.execute.sandbox.landlock import READ, WRITE, Access
from imagelane.execute.sandbox.modules import modules_of
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
# Not READ_DIR: what is in the store is found by its digest, or not at all. A worker knows those of
# its own image; to whoever cannot list them, the others are as good as encrypted.
_STORE = Access.READ_FILE | Access.MAKE_REG | Access.REMOVE_FILE | Access.REFER


def allowed(
    terms: Containment, folder: str, artifacts: str, desk: str
) -> Iterator[tuple[str, Access]]:
    """Paths, and what is allowed below each.

    ``folder`` is the pipeline's, of which only Python's modules are to be seen; ``artifacts`` is
    the store, ``desk`` a folder of the worker's own.
    """
    guarded = [Path(path) for path in (folder, artifacts, desk, *terms.hidden)]
    narrowed = narrowed_folders(terms, folder)
    for path in (*_LIBRARIES, *_FONTS, *_MACHINE, *_named_by_variables(), *terms.reads):
        yield os.path.expanduser(path), READ  # noqa: PTH111 - Path refuses where there is no home
    yield "/dev/null", READ | Access.WRITE_FILE
    for entry in _searched():
        if Path(entry) not in narrowed:
            yield entry, READ
    for holding in narrowed:
        for module in modules_of(holding, guarded):
            yield str(module), READ
    yield artifacts, _STORE
    yield desk, WRITE


def narrowed_folders(terms: Containment, folder: str) -> list[Path]:
    """Folders that modules are imported from and that hold what must not be seen, too."""
    guarded = [Path(path) for path in (folder, *terms.hidden)]
    holding = {
        Path(entry)
        for entry in _searched()
        if Path(entry).is_dir() and any(one.is_relative_to(entry) for one in guarded)
    }
    return sorted(holding | ({Path(folder)} if terms.modules else set()))


def _searched() -> set[str]:
    return {sys.prefix, sys.base_prefix, *filter(None, sys.path)}


def _named_by_variables() -> Iterator[str]:
    for name in ("FONTCONFIG_FILE", "FONTCONFIG_PATH"):
        if os.environ.get(name):
            yield os.environ[name]
