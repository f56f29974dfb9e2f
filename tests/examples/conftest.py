"""An example as a user would try it: copied, given pictures, run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@dataclass(frozen=True, slots=True)
class Example:
    folder: Path

    @property
    def pipeline(self) -> Path:
        return self.folder / "pipeline.yaml"

    def live(self, to: str = "public") -> list[str]:
        """The groups that a visitor sees."""
        target = self.folder / to
        if not target.exists():
            return []
        return sorted(one.name for one in target.iterdir() if (one / "manifest.json").exists())

    def files(self, group: str, to: str = "public") -> set[str]:
        return {one.name for one in (self.folder / to / group).iterdir()}

    def manifest(self, group: str, to: str = "public") -> dict[str, Any]:
        text = (self.folder / to / group / "manifest.json").read_text(encoding="utf-8")
        manifest: dict[str, Any] = json.loads(text)
        return manifest


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Example]:
    def copied(name: str) -> Example:
        folder = tmp_path_factory.mktemp("example") / name
        shutil.copytree(EXAMPLES / name, folder)
        return Example(folder)

    return copied
