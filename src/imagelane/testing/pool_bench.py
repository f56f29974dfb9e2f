"""Plans and orders for trying a pool, and a ledger that checks what it reports."""

from __future__ import annotations

import struct
import time
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from imagelane.model.ids import StageName, Subject
from imagelane.model.outcome import Failure, Success
from imagelane.model.plan import Lane, LogicalPlan, LogicalStage, PhysicalPlan, Segment
from imagelane.model.spec import ImagesSpec, Place, Reads, StageSpec, StageTraits
from imagelane.model.states import Scope
from imagelane.model.work import Claim, Order, OrderDone, Report, SourceFile, StageReport
from imagelane.ports.pool import Pool

PATIENCE = 60.0
"""Seconds after which a pool that has not finished is taken to hang."""


@dataclass(frozen=True, slots=True)
class Doing:
    """A stage of a test's plan: which function of `pool_stages`, and how."""

    function: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    timeout: float | None = None
    needs: tuple[str, ...] = ()
    reads: Reads = Reads.SOURCE


def plan_of(*segments: tuple[Place, Mapping[str, Doing]], processes: int = 2) -> PhysicalPlan:
    """A plan with these segments, each a place and its stages by name."""
    stages = []
    for place, doings in segments:
        for name, doing in doings.items():
            needs = tuple(map(StageName, doing.needs))
            spec = StageSpec(
                StageName(name),
                f"imagelane.testing.pool_stages:{doing.function}",
                StageTraits(place=place, reads=doing.reads),
                needs,
                parameters=doing.parameters,
                timeout=doing.timeout,
            )
            stages.append(LogicalStage(spec, needs, frozenset(needs)))
    return PhysicalPlan(
        logical=LogicalPlan("contract", ImagesSpec("photos"), tuple(stages), (), "digest"),
        segments=tuple(
            Segment(index, tuple(map(StageName, doings)), Scope.IMAGE, place)
            for index, (place, doings) in enumerate(segments)
        ),
        limits={},
        lane=Lane(),
        window=1,
        decoded_bytes=1 << 30,
        reservation=1 << 20,
        processes=processes,
        model="parallel",
    )


def pixels(**doings: Doing) -> PhysicalPlan:
    """A plan with one segment, for pixel workers."""
    return plan_of((Place.PROCESS, doings))


def waits(**doings: Doing) -> PhysicalPlan:
    """A plan in which each stage is a segment of its own that waits."""
    return plan_of(*((Place.THREAD, {name: doing}) for name, doing in doings.items()))


def png(width: int, height: int) -> bytes:
    """The smallest honest picture: black, 8 bits, RGB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(height * (1 + 3 * width)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


class Ledger:
    """What a pool reported, checked as it comes: each stage of each order once, then done."""

    def __init__(self, plan: PhysicalPlan, source: Path) -> None:
        self.stages: dict[int, list[StageReport]] = defaultdict(list)
        self.claims: list[Claim] = []
        self.done: set[int] = set()
        self._plan = plan
        self._source = source
        self._submitted: dict[int, Order] = {}

    def order(self, segment: int = 0, *, reservation: int = 1 << 20) -> Order:
        """The next order for a segment, on an image of its own."""
        number = len(self._submitted) + 1
        stages = self._plan.segments[segment].stages
        stat = self._source.stat()
        order = Order(
            number=number,
            subject=Subject(1, number),
            segment=segment,
            stages=stages,
            attempts=(1,) * len(stages),
            source=SourceFile(str(self._source), self._source.name, stat.st_size, stat.st_mtime_ns),
            group_name="harbour",
            reservation=reservation,
        )
        self._submitted[number] = order
        return order

    def enter(self, reports: Sequence[Report]) -> None:
        for report in reports:
            assert report.order in self._submitted
            assert report.order not in self.done, "something was reported after the end"
            match report:
                case StageReport(order=number, stage=stage):
                    names = self._submitted[number].stages
                    places = [names.index(one.stage) for one in self.stages[number]]
                    assert all(place < names.index(stage) for place in places)
                    self.stages[number].append(report)
                case OrderDone(number):
                    self.done.add(number)
                case Claim():
                    self.claims.append(report)

    def outcomes(self, number: int) -> list[str]:
        """What became of each stage of an order: ``success`` or the class of its error."""
        return [
            report.outcome.error.value if isinstance(report.outcome, Failure) else "success"
            for report in self.stages[number]
        ]

    def failure(self, number: int) -> Failure:
        """The last failure of an order."""
        failures = [one.outcome for one in self.stages[number] if isinstance(one.outcome, Failure)]
        return failures[-1]

    def facts(self, number: int) -> Mapping[str, Any]:
        """The facts of an order's last stage, which succeeded."""
        outcome = self.stages[number][-1].outcome
        assert isinstance(outcome, Success), outcome
        return outcome.facts

    def workers(self) -> Counter[str]:
        """How many stages each worker reported."""
        return Counter(one.worker for reports in self.stages.values() for one in reports)

    def most_at_once(self) -> int:
        """How many stages were under way at one moment, by their own clocks."""
        edges = [
            edge
            for reports in self.stages.values()
            for one in reports
            for edge in ((one.started, 1), (one.finished, -1))
        ]
        most = now = 0
        for _, step in sorted(edges):
            now += step
            most = max(most, now)
        return most


class MakePool(Protocol):
    def __call__(self, **settings: Any) -> Pool:
        """A pool whose folders exist; settings are those of the pool's own kind."""


class Bench:
    """A pool with a plan, and the ledger of what it says."""

    def __init__(self, pool: Pool, plan: PhysicalPlan, source: Path) -> None:
        self.pool = pool
        self.ledger = Ledger(plan, source)
        pool.open(plan)

    def submit(self, segment: int = 0, count: int = 1, **fields: Any) -> list[int]:
        """Submit orders and give their numbers."""
        orders = [self.ledger.order(segment, **fields) for _ in range(count)]
        for order in orders:
            self.pool.submit(order)
        return [order.number for order in orders]

    def poll(self, seconds: float) -> None:
        self.ledger.enter(self.pool.poll(seconds))

    def finish(self, *numbers: int) -> Ledger:
        """Poll until these orders are done."""
        self.until(lambda: self.ledger.done.issuperset(numbers))
        return self.ledger

    def until(self, condition: Callable[[], bool]) -> None:
        """Poll until a condition holds."""
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end, f"still waiting; done: {len(self.ledger.done)}"
            self.poll(0.05)


def alive(worker: str) -> bool:
    """Whether a worker's process exists and is no zombie."""
    try:
        stat = Path(f"/proc/{worker.rpartition('-')[2]}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def children() -> set[int]:
    """The processes that this one has started, zombies included."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        found |= set(map(int, (task / "children").read_text().split()))
    return found


def descriptors() -> int:
    """How many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))
