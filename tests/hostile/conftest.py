"""Runs over folders that nobody should be given."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from imagelane.adapters.journals.sqlite import SqliteJournal
from imagelane.model import events as e
from imagelane.model.states import ErrorClass, ImageState
from imagelane.ports.journal import ImageRow
from tests.images.bench import Bench

SRC = Path(__file__).parents[2] / "src"
LIMIT = 512 << 20
"""Bytes of address space that each process of a run may have."""
SECONDS = 180
"""After which a run counts as hanging."""

PIPELINE = """\
pipeline: hostile
images: {from: photos/, group: folder}
run: {workers: 4}
stages:
  validate:
  metadata: {needs: [validate]}
  thumbnails: {needs: [validate], with: {widths: [160, 480]}}
  watermark: {needs: [metadata], with: {text: "© {copyright|Gazette}", width: 800}}
  store: {needs: [thumbnails, watermark], with: {to: public/}}
  publish: {scope: group, needs: [store]}
"""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@dataclass(frozen=True)
class Ended:
    """What a run over a hostile folder came to."""

    folder: Path
    images: Mapping[str, ImageRow]
    failures: tuple[e.TaskFailed, ...]

    def state(self, name: str) -> ImageState:
        return self.images[name].state

    @property
    def classes(self) -> Counter[ErrorClass]:
        return Counter(failure.error for failure in self.failures)


RunOver = Callable[..., Ended]


@pytest.fixture(scope="session")
def run_over(tmp_path_factory: pytest.TempPathFactory) -> RunOver:
    """Runs the command line over files (``group/name`` to content), four workers, each process
    with 512 MiB of address space: a limit that is inherited, so it holds whatever workers do."""

    def run(files: Mapping[str, bytes], pipeline: str = PIPELINE) -> Ended:
        folder = tmp_path_factory.mktemp("hostile")
        (folder / "gallery.yaml").write_text(pipeline, encoding="utf-8")
        for name, data in files.items():
            path = folder / "photos" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        done = subprocess.run(
            ["prlimit", f"--as={LIMIT}", sys.executable, "-m", "imagelane", "run", "gallery.yaml"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(SRC), "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        assert done.returncode in {0, 1}, done.stderr
        journal = SqliteJournal(folder / ".imagelane" / "journal.db")
        try:
            number = journal.runs()[0].run
            images = {row.name: row for row in journal.images(number)}
            events = [recorded.event for recorded in journal.events(number)]
        finally:
            journal.close()
        failures = tuple(event for event in events if isinstance(event, e.TaskFailed))
        return Ended(folder, images, failures)

    return run
