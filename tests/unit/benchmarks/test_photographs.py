"""Sets of pictures of one size, derived from whatever photographs there are."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.photographs import SIZES, Size, derive, make, originals

HUNDRED_KB = SIZES[2]


def upright(path: Path) -> bool:
    with Image.open(path) as picture:
        return bool(picture.getexif().get(0x0112, 1) == 1)


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    make(tmp_path / "origins", 1, 800, 600)
    return next((tmp_path / "origins").glob("*.jpg"))


def test_pictures_of_100_kilobytes_have_about_so_many(origin: Path, tmp_path: Path) -> None:
    derive(HUNDRED_KB, [origin], tmp_path / "made", 4)
    made = sorted((tmp_path / "made").rglob("*.jpg"))
    assert len(made) == 4
    assert all(80_000 < path.stat().st_size < 120_000 for path in made)


def test_no_two_pictures_are_the_same(origin: Path, tmp_path: Path) -> None:
    """What is stored under its digest is stored once, and a copy would cost nothing."""
    derive(Size("small", 0, 0.05), [origin], tmp_path / "made", 30)
    made = [path.read_bytes() for path in (tmp_path / "made").rglob("*.jpg")]
    assert len({hashlib.sha256(data).digest() for data in made}) == 30


def test_an_original_of_the_right_size_is_taken_as_it_is(origin: Path, tmp_path: Path) -> None:
    derive(Size("half", 0, 0.5, taken=(0.4, 0.6)), [origin], tmp_path / "made", 2)
    first, second = sorted((tmp_path / "made").rglob("*.jpg"))
    assert first.read_bytes() == origin.read_bytes()
    assert second.read_bytes() != origin.read_bytes()


def test_every_picture_is_upright(origin: Path, tmp_path: Path) -> None:
    with Image.open(origin) as picture:
        exif = picture.getexif()
        exif[0x0112] = 6
        picture.save(origin, exif=exif)
    assert not upright(origin)
    derive(Size("half", 0, 0.5, taken=(0.4, 0.6)), [origin], tmp_path / "made", 2)
    made = sorted((tmp_path / "made").rglob("*.jpg"))
    assert all(upright(path) for path in made)
    with Image.open(made[0]) as picture:
        assert picture.size == (600, 800)


def test_a_folder_without_photographs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"holds no \.jpg"):
        originals(tmp_path, tmp_path)
