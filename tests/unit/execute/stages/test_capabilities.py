from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import imagelane
from imagelane.execute import capabilities, encoders, header, presets


def test_everything_works_here() -> None:
    found = capabilities.probe()
    assert set(found["read"].values()) == {""}
    assert set(found["write"].values()) == {""}
    assert found["text"] == found["presets"] == ""
    assert found["versions"]["libvips"]
    assert found["versions"]["libheif"]


def test_a_codec_that_is_missing_is_found_by_trying(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(header._LOADERS, "webp", "nosuchload_buffer")
    monkeypatch.setitem(encoders._ENCODERS, "avif", lambda *_: b"nothing")
    found = capabilities.probe()
    assert found["read"]["webp"]
    assert found["write"]["avif"]
    assert found["read"]["jpeg"] == ""


def test_a_jpeg_library_that_knows_no_tuning_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another library than mozjpeg passes over every option but this one."""
    monkeypatch.setitem(presets.JPEG, "balanced", {"optimize_coding": True})
    assert "mozjpeg" in capabilities.probe()["presets"]


def test_in_a_process_of_its_own() -> None:
    source = str(Path(imagelane.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-m", "imagelane.workers.probe"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": source},
    )
    assert json.loads(done.stdout)["read"]["heic"] == ""
