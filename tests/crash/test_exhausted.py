"""One image uses up descriptors, memory or processes: only that image fails."""

from __future__ import annotations

import pytest

from imagelane.model.states import ErrorClass
from tests.crash.aftermath import published
from tests.crash.conftest import STEADY, Bystander, failures

HUNGRY = '''\
import os
import resource
import subprocess

from imagelane import Source, stage


@stage
def hungry(source: Source, *, eats: str) -> dict:
    """Eat all that there is of something, for one picture."""
    if source.name == "2.jpg":
        EATS[eats]()
    return {}


def descriptors():
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    held = [os.open(os.devnull, os.O_RDONLY)]
    try:
        while True:
            held.append(os.dup(held[0]))
    finally:
        for one in held:
            os.close(one)


def memory():
    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (now + (64 << 20), before[1]))
    held = []
    try:
        while True:
            held.append(bytearray(1 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def processes():
    user = os.getuid()
    before = resource.getrlimit(resource.RLIMIT_NPROC)
    if user == 0:
        # The limit is not root's.
        os.setresuid(65534, 65534, 0)
    resource.setrlimit(resource.RLIMIT_NPROC, (0, before[1]))
    try:
        subprocess.run(["true"], check=True)
    finally:
        if user == 0:
            os.setresuid(0, 0, 0)
        resource.setrlimit(resource.RLIMIT_NPROC, before)


EATS = {"descriptors": descriptors, "memory": memory, "processes": processes}
'''


@pytest.mark.parametrize("eats", ["descriptors", "memory", "processes"])
def test_what_uses_something_up_fails_alone(
    bystander: Bystander, expected: dict[str, str], eats: str
) -> None:
    stage = (
        f"  hungry: {{needs: [validate], uses: 'hungry:hungry', with: {{eats: {eats}}}, "
        "sandbox: off, retry: {attempts: 2, initial: 10ms}}\n  store:"
    )
    pipeline = STEADY.replace("  store:", stage).replace(
        "[thumbnails, pace]", "[thumbnails, pace, hungry]"
    )
    project = bystander.project(pipeline=pipeline)
    (project.folder / "hungry.py").write_text(HUNGRY, encoding="utf-8")
    bystander.start(project).ends(1)
    lost = failures(project)
    assert {failure.stage for failure in lost} == {"hungry"}
    assert {failure.error for failure in lost} == {ErrorClass.TRANSIENT}, lost
    assert len({failure.subject for failure in lost}) == 2, "one of each group is hungry"
    left = {name for name in expected if name.split("/")[1].startswith(("0-", "1-", "3-"))}
    assert {name for name in published(project.public) if "-" in name.split("/")[1]} - {
        "harbour/contact-sheet.jpg",
        "market/contact-sheet.jpg",
    } == left
