"""Presets of the encoders: what each saves, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imagelane.execute.ssimulacra2 import score
from tests.images.bench import Bench
from tests.images.files import coded, opened, photo

PRESETS = ("fast", "balanced", "small")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    path.write_bytes(coded(photo(480, 360), "png"))
    return path


def sizes(bench: Bench, picture: Path, form: str, **parameters: Any) -> list[int]:
    for preset in PRESETS:
        bench.stage(preset, "thumbnails", widths=[480], format=form, preset=preset, **parameters)
    return [outcome.renditions[0].bytes for outcome in bench.all(picture)]


@pytest.mark.parametrize("form", ["jpeg", "webp", "png"])
def test_slower_presets_make_smaller_files(bench: Bench, picture: Path, form: str) -> None:
    fast, balanced, small = sizes(bench, picture, form)
    assert fast > balanced > small


def test_slower_presets_of_avif_make_smaller_files_of_the_same_quality(
    bench: Bench, picture: Path
) -> None:
    fast, balanced, small = sizes(bench, picture, "avif", target={"ssimulacra2": 70})
    assert fast > balanced > small


@pytest.mark.parametrize("form", ["jpeg", "webp", "avif"])
def test_no_preset_takes_the_quality_for_the_size(bench: Bench, picture: Path, form: str) -> None:
    for preset in PRESETS:
        bench.stage(preset, "thumbnails", widths=[480], format=form, preset=preset)
    original = photo(480, 360)
    scores = [
        score(original, opened(bench.bytes_of(outcome.renditions[0])))
        for outcome in bench.all(picture)
    ]
    assert max(scores) - min(scores) < 5


@pytest.mark.parametrize(
    ("form", "usual"),
    [("jpeg", "fast"), ("webp", "balanced"), ("avif", "balanced"), ("png", "balanced")],
)
def test_what_nothing_is_said_about(bench: Bench, picture: Path, form: str, usual: str) -> None:
    bench.stage("silent", "thumbnails", widths=[160], format=form)
    bench.stage("said", "thumbnails", widths=[160], format=form, preset=usual)
    silent, said = (outcome.renditions for outcome in bench.all(picture))
    assert silent == said


def test_an_effort_of_ones_own_wins(bench: Bench, picture: Path) -> None:
    bench.stage("preset", "encode", formats=["webp"], preset="small")
    bench.stage("effort", "encode", formats=["webp"], preset="small", effort={"webp": 0})
    bench.stage("fastest", "encode", formats=["webp"], effort=0)
    preset, effort, fastest = (outcome.renditions[0] for outcome in bench.all(picture))
    assert effort.digest == fastest.digest != preset.digest


def test_png_loses_nothing_by_any_preset(bench: Bench, picture: Path) -> None:
    for preset in PRESETS:
        bench.stage(preset, "encode", formats=["png"], preset=preset)
    for outcome in bench.all(picture):
        assert (opened(bench.bytes_of(outcome.renditions[0])) == photo(480, 360)).all()


@pytest.mark.parametrize("preset", PRESETS)
def test_a_transparent_picture_becomes_a_jpeg_over_its_background(
    bench: Bench, tmp_path: Path, preset: str
) -> None:
    pixels = np.dstack([photo(64, 64), np.zeros((64, 64), np.uint8)])
    path = tmp_path / "clear.png"
    path.write_bytes(coded(pixels, "png"))
    bench.stage("thumbnails", widths=[64], preset=preset, background="#00ff00")
    found = opened(bench.bytes_of(bench.one(path).renditions[0]))
    assert np.abs(found.astype(int) - (0, 255, 0)).max() < 6


def test_small_is_progressive(bench: Bench, picture: Path) -> None:
    bench.stage("thumbnails", widths=[480], preset="small", quality=92)
    assert b"\xff\xc2" in bench.bytes_of(bench.one(picture).renditions[0])


def test_a_contact_sheet_takes_a_preset(bench: Bench) -> None:
    for preset in PRESETS:
        bench.stage(preset, "contact-sheet", preset=preset, title="Harbour")
    path = bench.members([])
    fast, balanced, small = (
        outcome.renditions[0].bytes for outcome in bench.all(None, members=path)
    )
    assert fast > balanced
    assert fast > small
