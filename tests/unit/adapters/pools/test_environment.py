from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import imagelane
from imagelane.adapters.pools.environment import worker_environment

ROOT = str(Path(imagelane.__file__).parents[1])


@pytest.fixture(autouse=True)
def without_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)


def test_secrets_stay_behind_and_what_is_named_comes_along(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("API_TOKEN", "t")
    monkeypatch.setenv("LENS", "50mm")
    found = worker_environment(["LENS", "NOT_THERE"])
    assert "API_TOKEN" not in found
    assert found["LENS"] == "50mm"
    assert "NOT_THERE" not in found


def test_one_thread_for_every_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIPS_CONCURRENCY", "8")
    found = worker_environment(["VIPS_CONCURRENCY"])
    assert found["VIPS_CONCURRENCY"] == found["OMP_NUM_THREADS"] == "1"


def test_relative_paths_stay_what_they_were(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["lib", "", "/opt/lib"]))
    paths = worker_environment()["PYTHONPATH"].split(os.pathsep)
    assert paths[-2:] == [str(tmp_path / "lib"), "/opt/lib"]


def test_a_worker_imports_the_same_package(tmp_path: Path) -> None:
    script = "import imagelane, pathlib; print(pathlib.Path(imagelane.__file__).parents[1])"
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        env=worker_environment(),
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == ROOT
