"""A whole run in a real container that is too small for it: the kernel would kill, and need not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from imagelane.adapters.journals.sqlite import SqliteJournal
from imagelane.model import events as e
from imagelane.model.states import ImageState
from tests.hostile.conftest import SRC
from tests.images.files import coded, photo

MIB = 1 << 20
COUNT = 12
PIPELINE = """\
pipeline: crowded
images: {from: photos/, group: folder}
run: {workers: 4, memory: 8GB}
stages:
  validate:
  thumbnails: {needs: [validate], with: {widths: [160, 480]}}
  encode: {needs: [validate], with: {formats: [jpeg]}}
  store: {needs: [thumbnails, encode], with: {to: public/}}
  publish: {scope: group, needs: [store]}
"""


@pytest.fixture
def group() -> Iterator[Path]:
    """A control group of version 1 with 500 MiB, where this process may make one."""
    mine = Path("/sys/fs/cgroup/memory") / f"imagelane-run-{os.getpid()}"
    try:
        mine.mkdir()
        (mine / "memory.limit_in_bytes").write_text(str(500 * MIB))
    except OSError as error:
        pytest.skip(f"no control group of version 1 can be made here: {error}")
    yield mine
    for _ in range(50):
        try:
            mine.rmdir()
        except OSError:
            time.sleep(0.1)
        else:
            return


@pytest.mark.slow
def test_a_run_that_asks_for_more_than_its_container_has_gets_through(
    tmp_path: Path, group: Path
) -> None:
    """Each of these takes some 150 MB while it is decoded, and the file allows eight gigabytes."""
    pixels = np.kron(photo(450, 350), np.ones((10, 10, 1), np.uint8))
    picture = coded(pixels, "jpeg", quality=85, progressive=True)
    (tmp_path / "photos" / "harbour").mkdir(parents=True)
    for number in range(COUNT):
        (tmp_path / "photos" / "harbour" / f"{number:02}.jpg").write_bytes(picture)
    (tmp_path / "gallery.yaml").write_text(PIPELINE, encoding="utf-8")
    enter = f'echo $$ > {group}/cgroup.procs && exec "$0" -m imagelane run gallery.yaml'
    done = subprocess.run(
        ["sh", "-c", enter, sys.executable],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(SRC)},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    journal = SqliteJournal(tmp_path / ".imagelane" / "journal.db")
    run = journal.runs()[0].run
    assert journal.image_counts(run) == {ImageState.PUBLISHED: COUNT}
    events = [recorded.event for recorded in journal.events(run)]
    journal.close()
    short = [event for event in events if isinstance(event, e.MemoryShort)]
    assert all(event.limit == 500 * MIB for event in short)
    # Without the look at its memory it was three to eight times. Whether it is felt before the
    # kernel comes the first time depends on how the first decodes meet.
    killed = [event for event in events if isinstance(event, e.TaskFailed)]
    assert len(killed) <= 2
