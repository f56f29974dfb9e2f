from __future__ import annotations

import errno
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from imagelane.cli import checks_disk, checks_formats, checks_machine, commands
from imagelane.cli.checks import Finding
from imagelane.cli.checks_disk import disk_checks
from imagelane.cli.checks_formats import format_checks, probed
from imagelane.cli.checks_machine import machine_checks
from imagelane.cli.checks_sandbox import sandbox_checks, tried
from imagelane.cli.failures import ENVIRONMENT
from imagelane.execute.sandbox.terms import LAYERS, examine

WELL: dict[str, Any] = {
    "versions": {"libvips": "8.18.7"},
    "read": dict.fromkeys(["jpeg", "png", "webp", "gif", "tiff", "heic", "avif"], ""),
    "write": dict.fromkeys(["jpeg", "webp", "avif", "png"], ""),
    "text": "",
    "font": "Open Sans Semibold",
    "presets": "",
    "moderation": "",
    "dicom": "",
}


def levels(findings: Iterator[Finding]) -> dict[str, str]:
    return {one.name: one.level for one in findings}


def test_the_real_libraries_are_really_tried() -> None:
    found = probed()
    assert isinstance(found, dict), found
    assert found["read"]["jpeg"] == found["write"]["jpeg"] == ""
    assert set(levels(format_checks(found)).values()) <= {"ok", "warning"}


def test_what_is_required_is_told_from_what_is_not() -> None:
    broken = WELL | {
        "read": WELL["read"] | {"heic": "no HEVC", "jpeg": "no \x1b[2Jdecoder"},
        "text": "no font",
    }
    found = list(format_checks(broken))
    by_name = {one.name: one for one in found}
    assert by_name["read jpeg"].level == "missing"
    assert by_name["read heic"].level == "warning"
    assert by_name["text"].level == "warning"
    assert "left out" in by_name["read heic"].then
    assert "\x1b" not in by_name["read jpeg"].found
    assert all(one.then for one in found if one.level != "ok")


def test_presets_that_save_less_are_told() -> None:
    found = list(format_checks(WELL | {"presets": "libvips stands on another library"}))
    (presets,) = (one for one in found if one.name == "presets")
    assert presets.level == "warning"
    assert "another library" in presets.found
    assert "pyvips-binary" in presets.then


def test_an_extra_that_is_not_there_is_no_trouble_and_one_that_is_broken_is() -> None:
    absent = "not installed: pip install 'imagelane[dicom]'"
    assert levels(format_checks(WELL | {"dicom": absent}))["dicom"] == "ok"
    assert levels(format_checks(WELL | {"dicom": "no decoder"}))["dicom"] == "warning"
    assert probed()["dicom"] == ""  # type: ignore[index]


@pytest.mark.parametrize(
    ("ending", "says"),
    [
        ("import sys; sys.exit('libvips is broken')", "libvips is broken"),
        ("import os; os.kill(os.getpid(), 9)", "signal 9"),
        ("print('hello')", "no JSON"),
        ("print('[]')", "no JSON object"),
        ("import time; time.sleep(60)", "more than 0 s"),
    ],
)
def test_a_probe_that_goes_wrong_is_a_finding(
    ending: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = subprocess.run

    def instead(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        assert command[-1] == "imagelane.workers.probe"
        return run([sys.executable, "-c", ending], **options)

    monkeypatch.setattr(subprocess, "run", instead)
    if "sleep" in ending:
        monkeypatch.setattr(checks_formats, "PATIENCE", 0.2)
    found = probed()
    assert isinstance(found, str)
    assert says in found
    (finding,) = format_checks(found)
    assert (finding.level, bool(finding.then)) == ("missing", True)


def test_a_good_disk(tmp_path: Path) -> None:
    found = levels(disk_checks(tmp_path / "not" / "yet" / "there"))
    assert found["writing"] == found["journal"] == found["symbolic links"] == "ok"
    assert list(tmp_path.iterdir()) == [], "what was tried is removed"


def refused(number: int) -> Callable[..., None]:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    return refuse


def test_a_disk_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", refused(errno.EPERM))
    monkeypatch.setattr(Path, "symlink_to", refused(errno.EPERM))
    found = levels(disk_checks(tmp_path))
    assert (found["hard links"], found["symbolic links"]) == ("warning", "missing")


def test_a_disk_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.mkdtemp", refused(errno.EROFS))
    found = {one.name: one for one in disk_checks(tmp_path)}
    assert found["writing"].level == "missing"
    assert "Read-only file system" in found["writing"].found
    assert "journal" not in found


@pytest.mark.parametrize(
    ("enough", "least", "level"),
    [(0, 0, "ok"), (1 << 60, 0, "warning"), (1 << 60, 1 << 60, "missing")],
)
def test_room_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, enough: int, least: int, level: str
) -> None:
    monkeypatch.setattr(checks_disk, "ENOUGH", enough)
    monkeypatch.setattr(checks_disk, "LEAST", least)
    assert levels(disk_checks(tmp_path))["room"] == level


def test_slow_and_shared_disks_and_an_old_sqlite_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks_disk, "SLOW", 0.0)
    monkeypatch.setattr(checks_disk, "_type_of", lambda _: "nfs4")
    found = levels(disk_checks(tmp_path))
    assert (found["fsync"], found["journal"]) == ("warning", "warning")
    monkeypatch.setattr(checks_disk, "SQLITE", (99, 0, 0))
    assert levels(disk_checks(tmp_path))["journal"] == "missing"


def test_the_type_of_a_file_system_is_that_of_the_nearest_mount() -> None:
    assert checks_disk._type_of(Path("/proc/self")) == "proc"


def test_this_machine() -> None:
    found = levels(machine_checks())
    assert found["python"] == "ok"
    assert {"system", "cores", "memory", "open files"} <= set(found)


def test_low_limits_are_said_with_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    low = {
        resource.RLIMIT_NOFILE: 256,
        resource.RLIMIT_NPROC: 30,
        resource.RLIMIT_AS: 10**9,
        resource.RLIMIT_FSIZE: resource.RLIM_INFINITY,
    }
    monkeypatch.setattr(resource, "getrlimit", lambda which: (low[which], low[which]))
    monkeypatch.setattr(checks_machine, "LEAST_MEMORY", 1 << 60)
    found = {one.name: one for one in machine_checks()}
    assert found["open files"].then == "ulimit -n 4096"
    for name in ("open files", "processes", "address space", "memory"):
        assert found[name].level == "warning"
    assert "size of files" not in found


def test_every_layer_of_the_sandbox_is_put_around_a_process_and_tried() -> None:
    had = examine()
    found = tried()
    assert isinstance(found, dict), found
    assert {layer: lack for layer, lack in found.items() if lack} == {
        layer: lack for layer, lack in had.items() if lack
    }
    assert set(levels(sandbox_checks(found))) == set(LAYERS)


def test_a_layer_that_is_lacking_is_said_with_the_next_step() -> None:
    found = {one.name: one for one in sandbox_checks({"tcp": "Landlock ABI 2", "files": ""})}
    assert "missing" not in {one.level for one in found.values()}, "no layer is required"
    assert found["files"].level == "ok"
    assert (found["tcp"].level, found["signals"].level) == ("warning", "warning")
    assert "ABI 2" in found["tcp"].found
    assert "Linux 6.7" in found["tcp"].then
    (none,) = sandbox_checks("no \x1b[2Jprocess")
    assert none.level == "warning"
    assert "\x1b" not in none.found


def doctor(*arguments: str, probe: object, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    monkeypatch.setattr(checks_formats, "probed", lambda: probe)
    done = CliRunner().invoke(commands, ["doctor", *arguments])
    return done.exit_code, done.output


def test_a_line_for_each_thing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = doctor("--workspace", str(tmp_path), probe=WELL, monkeypatch=monkeypatch)
    assert code == 0
    for line in ("Machine", "Formats", "Disk", "Sandbox"):
        assert line in output.splitlines()
    assert "  ok       decodes jpeg, png, webp, gif, tiff, heic, avif" in output
    assert output.splitlines()[-1].startswith("Everything")


def test_something_missing_has_its_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, output = doctor(
        "--workspace", str(tmp_path), probe="no module named pyvips", monkeypatch=monkeypatch
    )
    assert code == ENVIRONMENT
    assert "missing" in output
    assert "next: " in output


def test_the_same_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, output = doctor(
        "--json", "--workspace", str(tmp_path), probe="it is broken", monkeypatch=monkeypatch
    )
    data = json.loads(output)
    assert (code, data["ok"]) == (ENVIRONMENT, False)
    assert {one["level"] for one in data["findings"]} <= {"ok", "warning", "missing"}


def test_what_lies_in_quarantine_is_counted(tmp_path: Path) -> None:
    quarantine = tmp_path / ".imagelane" / "artifacts" / "quarantine"
    quarantine.mkdir(parents=True)
    assert "quarantine" not in levels(disk_checks(tmp_path))
    for name in ("first", "second"):
        (quarantine / name).write_bytes(b"damaged")
    (finding,) = (one for one in disk_checks(tmp_path) if one.name == "quarantine")
    assert finding.level == "warning"
    assert "2 damaged artifacts" in finding.found
