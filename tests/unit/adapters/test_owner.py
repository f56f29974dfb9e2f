from __future__ import annotations

import os
import subprocess

import pytest

from imagelane.adapters.owner import alive, this_process
from tests.unit.adapters.child import start


def owner_of(program: subprocess.Popen[str]) -> str:
    assert program.stdout is not None
    return program.stdout.readline().strip()


@pytest.fixture
def other() -> subprocess.Popen[str]:
    return start(
        "from imagelane.adapters.owner import this_process as p; print(p(), flush=True); input()"
    )


def test_running_process_is_alive() -> None:
    assert alive(this_process())


def test_other_process_is_alive_until_it_ends(other: subprocess.Popen[str]) -> None:
    with other:
        owner = owner_of(other)
        assert owner != this_process()
        assert alive(owner)
        other.kill()
        # Not waited for yet: a zombie is no longer alive.
        os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
        assert not alive(owner)
    assert not alive(owner)


def test_same_number_of_a_later_process_is_another_owner() -> None:
    host, pid, rest = this_process().rsplit(":", 2)
    boot, _, started = rest.rpartition("-")
    assert not alive(f"{host}:{pid}:{boot}-{int(started) - 1}")
    assert not alive(f"{host}:{pid}:00000000-0000-0000-0000-000000000000-{started}")
    assert not alive(f"elsewhere:{pid}:{rest}")


@pytest.mark.parametrize("text", ["", "me", "a:b:c", ":::", "host:-1:x", "host:99999999999:x-1"])
def test_text_that_names_no_process_is_not_alive(text: str) -> None:
    assert not alive(text)
