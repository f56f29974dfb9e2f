"""This machine's memory, as the kernel tells it in files."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from imagelane.ports.memory import Room

_UNLIMITED = 1 << 60
"""What version 1 of the control groups says for no limit is near 2**63."""
_STALLED = re.compile(r"^full avg10=(\d+\.\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Group:
    """A control group that bounds memory: its files, and what in its statistics can be dropped."""

    limit: Path
    taken: Path
    statistics: Path
    droppable: tuple[str, ...]
    pressure: Path | None = None

    def room(self) -> Room | None:
        """What it leaves; None where it sets no bound, or is gone."""
        limit, taken = _number(self.limit), _number(self.taken)
        if limit is None or taken is None or limit >= _UNLIMITED:
            return None
        counted = _fields(self.statistics)
        free = limit - taken + sum(counted.get(name, 0) for name in self.droppable)
        return Room(max(0, min(free, limit)), limit, _stalled(self.pressure))


class SystemMemory:
    """The machine's memory and that of every control group around this process, of version 2 or 1
    (docs.kernel.org: cgroup-v2, cgroup-v1/memory, PSI): whatever is tightest.

    Args:
        processes: where the kernel tells of processes and of the machine.
        groups: where control groups are mounted.
    """

    def __init__(
        self, processes: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")
    ) -> None:
        self._machine = processes / "meminfo"
        self._pressure = processes / "pressure" / "memory"
        self._groups = tuple(_groups(processes / "self" / "cgroup", groups))

    @property
    def bound(self) -> int | None:
        """Bytes that this process and all that share its bounds may have together at most."""
        limits = [room.limit for group in self._groups if (room := group.room()) is not None]
        total = _fields(self._machine).get("MemTotal")
        return min([*limits, *([total * 1024] if total else [])], default=None)

    def room(self) -> Room | None:
        rooms = [room for group in self._groups if (room := group.room()) is not None]
        found = _fields(self._machine)
        if "MemAvailable" in found and "MemTotal" in found:
            available, limit = found["MemAvailable"] * 1024, found["MemTotal"] * 1024
            rooms.append(Room(available, limit, _stalled(self._pressure)))
        if not rooms:
            return None
        tightest = min(rooms, key=lambda room: room.available)
        return Room(tightest.available, tightest.limit, max(room.stalled for room in rooms))


def _groups(membership: Path, mounted: Path) -> Iterator[_Group]:
    """The groups of this process, from its own to the outermost; found once, since it stays."""
    try:
        lines = membership.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return
    for line in lines:
        _, kinds, path = line.split(":", 2)
        if kinds == "":
            for folder in _upwards(mounted, path, "memory.max"):
                yield _Group(
                    folder / "memory.max",
                    folder / "memory.current",
                    folder / "memory.stat",
                    ("inactive_file", "active_file", "slab_reclaimable"),
                    folder / "memory.pressure",
                )
        elif "memory" in kinds.split(","):
            for folder in _upwards(mounted / "memory", path, "memory.limit_in_bytes"):
                yield _Group(
                    folder / "memory.limit_in_bytes",
                    folder / "memory.usage_in_bytes",
                    folder / "memory.stat",
                    ("total_inactive_file", "total_active_file"),
                )


def _upwards(mounted: Path, path: str, named: str) -> Iterator[Path]:
    """Folders that have the file, from the group's own to where groups are mounted. Inside a
    container the path may be that of the host, and only the last one is there."""
    folder = mounted / path.lstrip("/")
    for each in (folder, *folder.parents):
        if (each / named).is_file():
            yield each
        if each == mounted:
            return


def _number(path: Path) -> int | None:
    """A file's number; None for ``max``, for anything else, and where it cannot be read."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    return int(text) if text.isdecimal() else None


def _fields(path: Path) -> dict[str, int]:
    """Lines of a name and a number, with or without a colon and a unit."""
    found: dict[str, int] = {}
    with contextlib.suppress(OSError, ValueError):
        for line in path.read_text(encoding="ascii").splitlines():
            name, _, rest = line.partition(" ")
            number = rest.split()[:1]
            if number and number[0].isdecimal():
                found[name.rstrip(":")] = int(number[0])
    return found


def _stalled(path: Path | None) -> float:
    if path is None:
        return 0.0
    try:
        said = _STALLED.search(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0.0
    return float(said[1]) / 100 if said else 0.0
