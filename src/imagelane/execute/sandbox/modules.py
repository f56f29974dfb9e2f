"""Imports from a folder that may not be listed, because it holds more than modules."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType


class UnlistedFolder:
    """Finds a folder's modules by asking for each by name; Python's own way is to list it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find_spec(self, fullname: str, target: ModuleType | None = None) -> ModuleSpec | None:
        """As `importlib.abc.PathEntryFinder` says."""
        del target
        name = fullname.rpartition(".")[2]
        package = self._folder / name / "__init__.py"
        if package.is_file():
            inside = [str(package.parent)]
            return spec_from_file_location(fullname, package, submodule_search_locations=inside)
        for suffix in (*EXTENSION_SUFFIXES, ".py"):
            module = self._folder / f"{name}{suffix}"
            if module.is_file():
                return spec_from_file_location(fullname, module)
        return None

    def invalidate_caches(self) -> None:
        """There are none."""


def modules_of(folder: Path, guarded: Sequence[Path]) -> list[Path]:
    """A folder's modules, and the folders in it that hold some but nothing that is guarded."""
    found = []
    for entry in sorted(folder.iterdir()):
        holds_modules = entry.is_dir() and next(entry.glob("*.py"), None) is not None
        shared = any(one.is_relative_to(entry) for one in guarded)
        if entry.suffix in {".py", ".so"} or (holds_modules and not shared):
            found.append(entry)
    return found


def find_unlisted(folders: Iterable[Path]) -> None:
    """Import from these folders from now on without listing them."""
    for folder in folders:
        sys.path_importer_cache[str(folder)] = UnlistedFolder(folder)
