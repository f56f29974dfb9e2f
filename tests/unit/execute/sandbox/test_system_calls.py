from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from pathlib import Path

import pytest

from imagelane.execute.sandbox import system_calls
from imagelane.execute.sandbox.system import call
from imagelane.execute.sandbox.system_calls import (
    _ARCHITECTURES,
    Architecture,
    assemble,
    lacking,
)

PROCESS = 4321
ALLOWED = "allowed"
KILLED = "killed"
MASK = (1 << 32) - 1


def verdict(program: bytes, number: int, first: int = 0, *, audit: int) -> str:
    """What the kernel would do: the filter's instructions, executed as linux/filter.h says."""
    data = struct.pack("=iIQ6Q", number, audit, 0, first, *[0] * 5)
    steps = [struct.unpack_from("=HBBI", program, at) for at in range(0, len(program), 8)]
    at = loaded = 0
    while True:
        code, if_true, if_false, value = steps[at]
        at += 1
        match code:
            case 0x20:
                (loaded,) = struct.unpack_from("=I", data, value)
            case 0x15:
                at += if_true if loaded == value else if_false
            case 0x35:
                at += if_true if loaded >= value else if_false
            case 0x45:
                at += if_true if loaded & value else if_false
            case 0x06:
                if value == 0x7FFF0000:
                    return ALLOWED
                if value == 0x80000000:
                    return KILLED
                assert value & 0xFFFF0000 == 0x00050000
                return errno.errorcode[value & 0xFFFF]
            case _:
                raise AssertionError(f"unknown instruction {code:#x}")


@pytest.fixture(params=sorted(_ARCHITECTURES))
def architecture(request: pytest.FixtureRequest) -> Architecture:
    return _ARCHITECTURES[request.param]


def test_what_no_decoder_needs_is_refused_and_what_it_needs_is_not(
    architecture: Architecture,
) -> None:
    program, numbers, audit = (
        assemble(architecture, PROCESS),
        architecture.numbers,
        architecture.audit,
    )
    for name in ("execve", "execveat", "socket", "connect", "ptrace", "mount", "bpf", "keyctl"):
        assert verdict(program, numbers[name], audit=audit) == "EPERM", name
    refused = {
        number for number in range(600) if verdict(program, number, PROCESS, audit=audit) != ALLOWED
    }
    # As thread of its own, or for itself, what is looked at more closely is allowed.
    looked_at = {"clone", "kill", "tgkill", "prctl", "prlimit64"} | {
        name for name in numbers if name.startswith("sched_")
    }
    assert refused == {n for name, n in numbers.items() if name not in looked_at} | {
        numbers["clone"]
    }


def test_threads_may_be_started_and_processes_not(architecture: Architecture) -> None:
    program, numbers, audit = (
        assemble(architecture, PROCESS),
        architecture.numbers,
        architecture.audit,
    )
    thread = 0x3D0F00
    assert verdict(program, numbers["clone"], thread, audit=audit) == ALLOWED
    assert verdict(program, numbers["clone"], 17, audit=audit) == "EPERM"
    # So that the C library falls back on clone, whose flags can be seen.
    assert verdict(program, numbers["clone3"], audit=audit) == "ENOSYS"


@pytest.mark.parametrize("name", ["kill", "tgkill", "prlimit64", "sched_setaffinity"])
def test_only_itself_may_be_signalled_and_changed(architecture: Architecture, name: str) -> None:
    program, number, audit = (
        assemble(architecture, PROCESS),
        architecture.numbers[name],
        architecture.audit,
    )
    assert verdict(program, number, PROCESS, audit=audit) == ALLOWED
    assert verdict(program, number, PROCESS + 1, audit=audit) == "EPERM"
    assert verdict(program, number, -1 & MASK, audit=audit) == "EPERM"
    assert verdict(program, number, 0, audit=audit) == ("EPERM" if "kill" in name else ALLOWED)


def test_what_holds_it_cannot_be_loosened(architecture: Architecture) -> None:
    program, number, audit = (
        assemble(architecture, PROCESS),
        architecture.numbers["prctl"],
        architecture.audit,
    )
    named, death, dumpable = 15, 1, 4
    assert verdict(program, number, named, audit=audit) == ALLOWED
    assert verdict(program, number, death, audit=audit) == "EPERM"
    assert verdict(program, number, dumpable, audit=audit) == "EPERM"


def test_another_machines_language_ends_the_process(architecture: Architecture) -> None:
    program = assemble(architecture, PROCESS)
    for other in (0x40000003, 0x40000028, 0):
        assert verdict(program, 1, audit=other) == KILLED
    assert verdict(program, 0x40000000 + 1, audit=architecture.audit) == "ENOSYS"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="reads the headers of x86-64")
def test_the_numbers_are_those_of_this_systems_headers() -> None:
    header = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
    if not header.exists():
        pytest.skip(f"no {header}: the kernel's headers are not installed")
    known = dict(
        line.removeprefix("#define __NR_").split()
        for line in header.read_text().splitlines()
        if line.startswith("#define __NR_")
    )
    ours = _ARCHITECTURES["x86_64"].numbers
    assert {n: str(ours[n]) for n in ours if n in known} == {
        n: known[n] for n in ours if n in known
    }
    assert len(ours.keys() & known.keys()) > 100


def test_machines_and_kernels_without_filters_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def machine(name: str) -> None:
        found = os.uname_result(("Linux", "quay", "6.1", "#1", name))
        monkeypatch.setattr(os, "uname", lambda: found)

    machine("riscv64")
    assert "riscv64" in lacking()
    machine("aarch64")

    def refuse(*_: object) -> int:
        raise OSError(errno.EINVAL, "no such option")

    monkeypatch.setattr(system_calls, "call", refuse)
    assert "no seccomp filters" in lacking()


def test_a_call_that_fails_says_which_and_why() -> None:
    with pytest.raises(OSError, match="prctl: ") as failed:
        call("prctl", 22, 2, None, 0, 0)
    assert failed.value.errno == errno.EFAULT
    assert ctypes.sizeof(ctypes.c_ulong) == 8
