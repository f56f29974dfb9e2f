from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from imagelane.execute.sandbox.modules import UnlistedFolder, find_unlisted


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "unlisted_frame.py").write_text("WIDTH = 3\n")
    (tmp_path / "unlisted_lens").mkdir()
    (tmp_path / "unlisted_lens" / "__init__.py").touch()
    (tmp_path / "unlisted_lens" / "wide.py").write_text("import unlisted_frame as frame\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(sys, "path_importer_cache", dict(sys.path_importer_cache))
    find_unlisted([tmp_path])
    return tmp_path


def test_modules_and_packages_are_found_without_listing_their_folder(folder: Path) -> None:
    importlib.invalidate_caches()
    wide = importlib.import_module("unlisted_lens.wide")
    assert wide.frame.WIDTH == 3
    assert Path(wide.__file__ or "").parent == folder / "unlisted_lens"
    assert isinstance(sys.path_importer_cache[str(folder)], UnlistedFolder)


def test_what_is_not_there_is_looked_for_elsewhere(folder: Path) -> None:
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("unlisted_nothing")
    assert importlib.import_module("json").__name__ == "json"
