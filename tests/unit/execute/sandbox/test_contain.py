from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imagelane.execute.sandbox import limits
from imagelane.execute.sandbox.contain import ContainmentError, contain
from imagelane.execute.sandbox.landlock import Access
from imagelane.execute.sandbox.places import allowed
from imagelane.execute.sandbox.terms import Containment

SRC = Path(limits.__file__).parents[3]
TERMS = Containment(("limits",), memory=1 << 30, file=1 << 20, seconds=60)


def run(code: str, *arguments: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={"PYTHONPATH": str(SRC)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_memory_and_files_are_bounded_and_a_lower_limit_stays(tmp_path: Path) -> None:
    code = """
import json, resource, sys
from imagelane.execute.sandbox.limits import apply
resource.setrlimit(resource.RLIMIT_CPU, (7, 9))
apply(memory=300 << 20, seconds=60, file=1000)
found = {"cpu": resource.getrlimit(resource.RLIMIT_CPU)}
try:
    bytes(400 << 20)
except MemoryError:
    found["memory"] = "refused"
with open(sys.argv[1], "wb", buffering=0) as file:
    file.write(bytes(1000))
    try:
        file.write(b"x")
    except OSError as error:
        found["file"] = error.strerror
print(json.dumps(found))
"""
    assert run(code, str(tmp_path / "file")) == {
        "cpu": [7, 9],
        "memory": "refused",
        "file": "File too large",
    }


def test_root_keeps_no_power_but_over_files() -> None:
    code = """
import json
from imagelane.execute.sandbox.privileges import apply
apply()
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps({name: status[name].strip() for name in ("CapEff", "CapPrm", "NoNewPrivs")}))
"""
    found = run(code)
    assert int(found["CapEff"], 16) & ~0b1010 == int(found["CapPrm"], 16) & ~0b1010 == 0
    assert found["NoNewPrivs"] == "1"


def test_a_layer_that_is_refused_leaves_nothing_to_decode_with(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: int) -> None:
        raise OSError("not here")

    monkeypatch.setattr(limits, "apply", refuse)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(ContainmentError, match=r"layer limits .* not here; .*doctor"):
        contain(TERMS, str(tmp_path), str(tmp_path), str(tmp_path))


def test_what_dead_workers_left_behind_is_removed_and_nothing_else(tmp_path: Path) -> None:
    gone = tmp_path / "worker-4194305"  # more than any process number
    (gone / "work-1").mkdir(parents=True)
    (gone / "work-1" / "output.png").touch()
    here = tmp_path / f"worker-{os.getpid()}"
    here.mkdir()
    (tmp_path / "members-1.jsonl").touch()
    code = """
import json, sys
from imagelane.execute.sandbox.contain import contain
from imagelane.execute.sandbox.terms import Containment
terms = Containment((), memory=0, file=0, seconds=0)
print(json.dumps(contain(terms, sys.argv[1], sys.argv[1], sys.argv[1])))
"""
    own = run(code, str(tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {
        "members-1.jsonl",
        here.name,
        Path(own).name,
    }


def places(terms: Containment, project: Path) -> dict[str, Access]:
    store, desk = project / ".imagelane" / "artifacts", project / ".imagelane" / "desk"
    return dict(allowed(terms, str(project), str(store), str(desk)))


def test_of_the_pipelines_folder_only_modules_can_be_read(tmp_path: Path) -> None:
    for name in ("frame.py", "lenses/__init__.py", "photos/convert.py", "words/list.txt", ".env"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    terms = replace(TERMS, modules=True, hidden=(str(tmp_path / "photos" / "*.jpg"),))
    found = places(terms, tmp_path)
    own = {Path(path).name for path in found if Path(path).parent == tmp_path}
    assert own == {"frame.py", "lenses"}
    assert str(tmp_path) not in found
    assert not [path for path in places(TERMS, tmp_path) if Path(path).parent == tmp_path]


def test_a_folder_of_modules_that_holds_the_project_is_not_opened_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lens.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    found = places(TERMS, tmp_path / "project")
    assert str(tmp_path) not in found
    assert found[str(tmp_path / "lens.py")] & Access.READ_FILE


def test_what_is_in_the_store_is_never_written_to_in_place(tmp_path: Path) -> None:
    assert not places(TERMS, tmp_path)[str(tmp_path / ".imagelane" / "artifacts")] & (
        Access.WRITE_FILE | Access.TRUNCATE | Access.REMOVE_DIR
    )
