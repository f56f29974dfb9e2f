"""A run over folders of hostile files: ``python -m benchmarks.hostile FOLDER...``.

Four workers, each process with 512 MiB of address space. Prints how long it took, what became of
the files, the classes of what failed, and each class's first messages. Generated bombs, damage,
polyglots and good photographs are always among them. Ends with 1 if something hung, failed without
a class that says why (`bug`, `worker_died`, `timeout`), or if a good picture was lost.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

from benchmarks.results import table
from imagelane.adapters.journals.sqlite import SqliteJournal
from imagelane.model import events as e
from imagelane.model.states import ErrorClass, ImageState
from tests.hostile import files
from tests.hostile.conftest import PIPELINE

SHOWN = 3
UNEXPLAINED = frozenset({ErrorClass.BUG, ErrorClass.WORKER_DIED, ErrorClass.TIMEOUT})


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hostile", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, help="more files, taken as they are")
    parser.add_argument("--megabytes", type=int, default=512, help="of each process (default 512)")
    parser.add_argument("--seconds", type=float, default=900, help="after which it hangs")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="imagelane-hostile-") as place:
        folder = Path(place)
        _prepare(folder, asked.folders)
        began = time.monotonic()
        command = [sys.executable, "-m", "imagelane", "run", "gallery.yaml", "--quiet"]
        try:
            done = subprocess.run(
                ["prlimit", f"--as={asked.megabytes << 20}", *command],
                cwd=folder,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                stderr=subprocess.DEVNULL,
                check=False,
                timeout=asked.seconds,
            )
        except subprocess.TimeoutExpired:
            sys.exit(f"hangs: not finished after {asked.seconds:g} s")
        print(f"{time.monotonic() - began:.1f} s, exit code {done.returncode}")
        sys.exit(_tell(folder))


def _prepare(folder: Path, more: list[Path]) -> None:
    (folder / "gallery.yaml").write_text(PIPELINE, encoding="utf-8")
    files.write(folder / "photos" / "made-bad", dict(files.bad()))
    files.write(folder / "photos" / "made-good", files.good())
    files.write(folder / "photos" / "made-packed", dict(files.stubborn()))
    files.write(folder / "photos" / "made-polyglots", files.polyglots())
    for number, given in enumerate(more):
        shutil.copytree(given, folder / "photos" / f"{number}-{given.name}")


def _tell(folder: Path) -> int:
    journal = SqliteJournal(folder / ".imagelane" / "journal.db")
    number = journal.runs()[0].run
    states = Counter(row.state for row in journal.images(number))
    lost = [
        row.name
        for row in journal.images(number)
        if row.name.startswith("good-") and row.state is not ImageState.PUBLISHED
    ]
    classes: Counter[ErrorClass] = Counter()
    messages: dict[ErrorClass, Counter[str]] = defaultdict(Counter)
    for recorded in journal.events(number):
        if isinstance(recorded.event, e.TaskFailed):
            classes[recorded.event.error] += 1
            messages[recorded.event.error][recorded.event.message] += 1
    journal.close()
    print(table(["state", "files"], [[state.value, str(count)] for state, count in states.items()]))
    rows = [
        [error.value, str(count), "; ".join(text for text, _ in messages[error].most_common(SHOWN))]
        for error, count in classes.most_common()
    ]
    print(table(["class", "failures", "among them"], rows))
    unexplained = sum(classes[error] for error in UNEXPLAINED)
    print(f"{unexplained} unclassified or unexplained, {len(lost)} good pictures lost {lost or ''}")
    return 1 if unexplained or lost else 0


if __name__ == "__main__":
    main()
