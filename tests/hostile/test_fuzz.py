"""Small valid files, changed at random, through validate, metadata and thumbnails in real workers.

A few hundred in CI; `python -m tests.hostile.test_fuzz --seconds 600 --seed 7` goes on for longer
and prints the seed and the change of whatever it finds.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from imagelane.adapters.pools.process import ProcessPool
from imagelane.declare.stages import CATALOGUE
from imagelane.model.ids import StageName, Subject
from imagelane.model.outcome import Failure
from imagelane.model.plan import PhysicalPlan
from imagelane.model.policy import RunOptions
from imagelane.model.spec import ImagesSpec, PipelineSpec, StageSpec
from imagelane.model.states import ErrorClass
from imagelane.model.work import Claim, Order, OrderDone, SourceFile, StageReport
from imagelane.plan.draft import Machine
from imagelane.plan.logical import logical_plan
from imagelane.plan.physical import physical_plan
from tests.hostile import files

ROUNDS = 25
"""Changed files of each kind in CI."""
SECONDS = 20.0
"""For which one of them may keep a worker busy."""
SAID = frozenset({ErrorClass.INVALID})
NUMBERS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def changed(whole: bytes, draw: random.Random) -> bytes:
    """A file with a few bytes flipped, numbers put in, stretches doubled, moved, cut or zeroed."""
    data = bytearray(whole)
    for _ in range(draw.choice((1, 1, 2, 4, 12))):
        at = draw.randrange(len(data))
        length = min(draw.choice((1, 2, 4, 16, 200)), len(data) - at)
        match draw.randrange(7):
            case 0:
                data[at] ^= 1 << draw.randrange(8)
            case 1:
                data[at] = draw.randrange(256)
            case 2:
                number = struct.pack(draw.choice((">I", "<I")), draw.choice(NUMBERS))
                data[at : at + 4] = number[: draw.choice((2, 4))]
            case 3:
                data[at:at] = data[at : at + length] * draw.choice((1, 2, 50))
            case 4:
                del data[at : at + length]
            case 5:
                data[at : at + length] = bytes(length)
            case 6:
                elsewhere = draw.randrange(len(data))
                data[at : at + length] = data[elsewhere : elsewhere + length]
        if not data:
            return b"\0"
    return bytes(data)


def plan() -> PhysicalPlan:
    """Two worker processes that validate, read metadata and make thumbnails."""
    stages = []
    for name in ("validate", "metadata", "thumbnails"):
        declared = CATALOGUE[name]()
        stages.append(
            StageSpec(
                name=StageName(name),
                uses=name,
                traits=declared.traits(),
                parameters=declared.model_dump(mode="json"),
                extent=declared.extent(),
                needs=() if name == "validate" else (StageName("validate"),),
                timeout=SECONDS,
            )
        )
    spec = PipelineSpec("fuzz", ImagesSpec("photos/"), tuple(stages), "/nowhere")
    return physical_plan(logical_plan(spec), RunOptions(), Machine(cores=2, memory=1 << 30))


@dataclass
class Fuzzed:
    """What became of changed files. ``odd`` names those that did worse than to be invalid."""

    tried: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    odd: list[str] = field(default_factory=list)


class Fuzzer:
    """Feeds a real pool, two files at a time."""

    def __init__(self, folder: Path) -> None:
        for name in ("artifacts", "scratch"):
            (folder / name).mkdir(exist_ok=True)
        self._folder = folder
        self._plan = plan()
        self._pool = ProcessPool(folder / "artifacts", folder / "scratch", folder)
        self._pool.open(self._plan)
        self._names: dict[int, str] = {}
        self._at_work: dict[int, Path] = {}
        self.found = Fuzzed()

    def give(self, name: str, data: bytes) -> None:
        """Hand a file over as soon as a worker has room; ``name`` says how to make it again."""
        while len(self._at_work) >= 2:
            self._listen()
        number = self.found.tried = self.found.tried + 1
        path = self._folder / f"{number}.bin"
        path.write_bytes(data)
        status = path.stat()
        self._names[number], self._at_work[number] = name, path
        segment = self._plan.segments[0]
        order = Order(
            number=number,
            subject=Subject(1, number),
            segment=segment.index,
            stages=segment.stages,
            attempts=(1,) * len(segment.stages),
            source=SourceFile(str(path), path.name, status.st_size, status.st_mtime_ns),
            group_name="fuzz",
            reservation=self._plan.reservation,
        )
        self._pool.submit(order)

    def close(self) -> None:
        """Wait for what is under way, and let the workers go."""
        while self._at_work:
            self._listen()
        self._pool.close(kill=True)

    def _listen(self) -> None:
        for report in self._pool.poll(1.0):
            match report:
                case Claim():
                    self._pool.grant(report.order)
                case OrderDone():
                    self._at_work.pop(report.order).unlink()
                    del self._names[report.order]
                case StageReport():
                    self._enter(report)

    def _enter(self, report: StageReport) -> None:
        if not isinstance(report.outcome, Failure):
            self.found.outcomes[f"{report.stage} success"] += 1
            return
        self.found.outcomes[f"{report.stage} {report.outcome.error.value}"] += 1
        if report.outcome.error not in SAID:
            name = self._names[report.order]
            self.found.odd.append(f"{name}: {report.stage}: {report.outcome}")


@contextlib.contextmanager
def fuzzer(folder: Path) -> Iterator[Fuzzer]:
    made = Fuzzer(folder)
    try:
        yield made
    finally:
        made.close()


def test_there_is_one_segment_to_feed() -> None:
    assert [segment.stages for segment in plan().segments] == [
        ("validate", "metadata", "thumbnails")
    ]


@pytest.mark.slow
def test_no_change_does_worse_than_to_make_a_file_invalid(tmp_path: Path) -> None:
    with fuzzer(tmp_path) as at:
        for name, whole in files.small().items():
            at.give(name, whole)
            draw = random.Random(f"1/{name}")
            for number in range(ROUNDS):
                at.give(f"seed 1, {name}, change {number}", changed(whole, draw))
    assert at.found.odd == []
    # Each as it was, and a good part of the changed ones, is still a picture.
    assert at.found.outcomes["thumbnails success"] >= len(files.small())
    assert at.found.outcomes["validate invalid"] >= ROUNDS


def main() -> None:
    """Fuzz for as long as one likes."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    small = files.small()
    draws = {name: random.Random(f"{asked.seed}/{name}") for name in small}
    ends = time.monotonic() + asked.seconds
    with tempfile.TemporaryDirectory() as place, fuzzer(Path(place)) as at:
        turn = 0
        while time.monotonic() < ends:
            for name, whole in small.items():
                at.give(f"seed {asked.seed}, {name}, change {turn}", changed(whole, draws[name]))
            turn += 1
    sys.stdout.write(f"{at.found.tried} files: {dict(at.found.outcomes)}\n")
    for odd in at.found.odd:
        sys.stdout.write(f"{odd}\n")
    sys.exit(1 if at.found.odd else 0)


if __name__ == "__main__":
    main()
