"""What the kernel says of memory, in files as it writes them, and in those of this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from imagelane.adapters.memory import SystemMemory
from imagelane.ports.memory import Room

MIB = 1 << 20
MEMINFO = "MemTotal:        8388608 kB\nMemFree:          102400 kB\nMemAvailable:    2097152 kB\n"
WHOLE = Room(2 << 30, 8 << 30)


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    write(tmp_path / "proc", meminfo=MEMINFO)
    write(tmp_path / "proc" / "self", cgroup="")
    return tmp_path


def memory(machine: Path) -> SystemMemory:
    return SystemMemory(machine / "proc", machine / "groups")


def test_without_control_groups_it_is_the_machines(machine: Path) -> None:
    assert memory(machine).room() == WHOLE
    assert memory(machine).bound == 8 << 30


def test_of_nested_groups_the_tightest_counts(machine: Path) -> None:
    write(machine / "proc" / "self", cgroup="0::/user/job\n")
    write(machine / "groups" / "user" / "job", memory__max="max\n", memory__current="1\n")
    write(
        machine / "groups" / "user",
        memory__max=f"{512 * MIB}\n",
        memory__current=f"{500 * MIB}\n",
        memory__stat=f"anon {400 * MIB}\ninactive_file {30 * MIB}\nslab_reclaimable {MIB}\n",
        memory__pressure="some avg10=40.00 total=9\nfull avg10=25.50 total=3\n",
    )
    assert memory(machine).room() == Room(43 * MIB, 512 * MIB, 0.255)
    assert memory(machine).bound == 512 * MIB


def test_a_container_that_sees_its_hosts_path_reads_its_own_group(machine: Path) -> None:
    write(machine / "proc" / "self", cgroup="0::/docker/0123abc\n")
    write(machine / "groups", memory__max=f"{64 * MIB}\n", memory__current=f"{60 * MIB}\n")
    assert memory(machine).room() == Room(4 * MIB, 64 * MIB)


def test_the_first_version_of_control_groups(machine: Path) -> None:
    write(machine / "proc" / "self", cgroup="5:cpu,cpuacct:/\n4:memory:/job:1\n0::/\n")
    write(machine / "groups" / "memory", memory__limit_in_bytes="9223372036854771712\n")
    write(
        machine / "groups" / "memory" / "job:1",
        memory__limit_in_bytes=f"{256 * MIB}\n",
        memory__usage_in_bytes=f"{250 * MIB}\n",
        memory__stat=f"cache 1\ntotal_inactive_file {10 * MIB}\n",
    )
    assert memory(machine).room() == Room(16 * MIB, 256 * MIB)


def test_a_machine_that_stalls_says_so(machine: Path) -> None:
    write(machine / "proc" / "pressure", memory="full avg10=7.25 avg60=0.10 avg300=0 total=3\n")
    found = memory(machine).room()
    assert found is not None
    assert found.stalled == pytest.approx(0.0725)


@pytest.mark.parametrize("text", ["", "MemTotal: many kB\n", "\0\xff", "MemAvailable:\n"])
def test_what_makes_no_sense_says_nothing(machine: Path, text: str) -> None:
    (machine / "proc" / "meminfo").write_text(text, encoding="latin-1")
    assert memory(machine).room() is None
    assert memory(machine).bound is None


def test_this_machine_says_something_sensible() -> None:
    found = SystemMemory().room()
    assert found is not None
    assert 0 < found.available <= found.limit
    assert 0 <= found.stalled <= 1


@pytest.fixture
def group() -> Iterator[Path]:
    """A real control group of version 1 with 200 MiB, where this process may make one."""
    parent = Path("/sys/fs/cgroup/memory")
    mine = parent / f"imagelane-test-{os.getpid()}"
    try:
        mine.mkdir()
        (mine / "memory.limit_in_bytes").write_text(str(200 * MIB))
    except OSError as error:
        pytest.skip(f"no control group of version 1 can be made here: {error}")
    yield mine
    mine.rmdir()


TAKES = """
import sys
from imagelane.adapters.memory import SystemMemory
memory = SystemMemory()
before = memory.room()
held = bytearray(b"x") * (100 << 20)
after = memory.room()
print(before.limit, before.available - after.available)
"""


def test_a_real_group_is_watched_while_it_fills(group: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f'echo $$ > {group}/cgroup.procs && exec "$0" -c "$1"', sys.executable, TAKES],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    limit, taken = map(int, done.stdout.split())
    assert limit == 200 * MIB
    assert 95 * MIB < taken < 130 * MIB
