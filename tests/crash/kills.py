"""Kill a run again and again: `python -m tests.crash.kills --kills 1000`, or `--minutes 60`.

Every coordinator is a real process, and so are its workers. After each death everything that is
promised is checked, and the run is taken up. Exit code 1, with the seed, where a promise broke.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random

from tests.crash.aftermath import BrokenGuaranteeError
from tests.crash.blows import COORDINATOR, WORKER
from tests.crash.lives import Lives, prepare


def rampage(room: Path, seed: int, *, kills: int, seconds: float = 0.0) -> Counter[str]:
    """Go on until so many blows have fallen, and so many seconds are over; the blows by place.

    Raises:
        BrokenGuaranteeError: something that is promised did not hold.
    """
    lives = prepare(room, Random(seed))
    until = time.monotonic() + seconds
    for point in COORDINATOR:
        if point.startswith("resume"):
            lives.at_point("submit: after", 2)
        while lives.at_point(point, 1):
            # It was not passed by what was left of that run; a new one is begun.
            continue
    blows = Counter(lives.ledger.read())
    while (
        blows.total() < kills
        or time.monotonic() < until
        or {f"worker at {point!r}" for point in WORKER} - blows.keys()
    ):
        lives.any_life()
        blows = Counter(lives.ledger.read())
    _come_to_an_end(lives)
    sys.stdout.write(
        f"{blows.total()} kills survived ({sum(map(_of_workers, blows.elements()))} of workers, "
        f"{lives.deaths} of coordinators) over {lives.finished} runs, seed {seed}\n"
    )
    return blows


def _of_workers(blow: str) -> bool:
    return blow.startswith("worker")


def _come_to_an_end(lives: Lives) -> None:
    while not lives.at_point("nowhere", 1):
        continue


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as room:
        try:
            blows = rampage(Path(room), given.seed, kills=given.kills, seconds=60 * given.minutes)
        except BrokenGuaranteeError as error:
            sys.exit(f"seed {given.seed}: {error}")
    for place, count in sorted(blows.items()):
        sys.stdout.write(f"{count:6} {place}\n")


if __name__ == "__main__":
    main()
