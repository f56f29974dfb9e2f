"""Targets: the quality is found for each picture, and what was found is recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelane.execute import color, probing
from imagelane.execute.encoders import Encoding
from imagelane.execute.errors import InvalidError
from imagelane.execute.picture import Picture
from imagelane.execute.ssimulacra2 import score
from imagelane.model.outcome import Success
from imagelane.model.states import ErrorClass
from tests.images.bench import Bench
from tests.images.files import Array, coded, opened, photo


def written(tmp_path: Path, pixels: Array) -> Path:
    path = tmp_path / "picture.png"
    path.write_bytes(coded(pixels, "png"))
    return path


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    return written(tmp_path, photo(480, 360))


def found(outcome: Success, name: str = "480.jpg") -> dict[str, Any]:
    coded = dict(outcome.facts["coded"][name])
    assert set(coded) - {"limit"} == {"quality", "ssimulacra2", "tries"}
    return coded


@pytest.mark.parametrize("form", ["jpeg", "webp", "avif"])
@pytest.mark.parametrize("wanted", [60, 80])
def test_the_score_is_reached_and_hardly_passed(
    bench: Bench, picture: Path, form: str, wanted: float
) -> None:
    bench.stage("thumbnails", widths=[480], format=form, target={"ssimulacra2": wanted})
    outcome = bench.one(picture)
    (rendition,) = outcome.renditions
    coded = found(outcome, f"480.{rendition.suffix}")
    assert coded["ssimulacra2"] >= wanted
    assert coded["tries"] <= 6
    assert "limit" not in coded
    # Pillow's view of the file, beside ours.
    seen = score(photo(480, 360), opened(bench.bytes_of(rendition)))
    assert seen == pytest.approx(coded["ssimulacra2"], abs=0.3)
    # One step less would not do, unless it is within a point.
    if coded["ssimulacra2"] >= wanted + 1:
        quality = coded["quality"] - 1
        bench.stage("less", "thumbnails", widths=[480], format=form, quality=quality)
        (less,) = bench.one(picture, "less").renditions
        assert score(photo(480, 360), opened(bench.bytes_of(less))) < wanted


def test_a_hard_picture_gets_a_higher_quality_than_an_easy_one(
    bench: Bench, tmp_path: Path
) -> None:
    bench.stage("thumbnails", widths=[480], target={"ssimulacra2": 75})
    smooth = np.tile(np.linspace(40, 200, 480).astype(np.uint8)[None, :, None], (360, 1, 3))
    qualities = [
        found(bench.one(written(tmp_path, pixels)))["quality"]
        for pixels in (smooth, photo(480, 360))
    ]
    assert qualities[0] != qualities[1]


def test_the_cap_is_kept_and_nearly_filled(bench: Bench, picture: Path) -> None:
    bench.stage("usual", "thumbnails", widths=[480])
    bench.stage("capped", "thumbnails", widths=[480], target={"max_bytes": 15_000})
    usual, capped = bench.all(picture)
    assert usual.renditions[0].bytes > 15_000
    assert 14_000 < capped.renditions[0].bytes <= 15_000
    assert found(capped)["quality"] < 80
    assert found(capped)["limit"] == "max_bytes"


def test_a_file_that_fits_is_left_as_it_is(bench: Bench, picture: Path) -> None:
    bench.stage("usual", "thumbnails", widths=[480], quality=70)
    bench.stage("capped", "thumbnails", widths=[480], quality=70, target={"max_bytes": "1MB"})
    usual, capped = bench.all(picture)
    assert usual.renditions == capped.renditions
    assert found(capped)["tries"] == 1
    assert "limit" not in found(capped)


def test_the_cap_wins_over_the_score_and_says_so(bench: Bench, picture: Path) -> None:
    bench.stage("thumbnails", widths=[480], target={"ssimulacra2": 85, "max_bytes": 15_000})
    outcome = bench.one(picture)
    assert outcome.renditions[0].bytes <= 15_000
    assert found(outcome)["ssimulacra2"] < 85
    assert found(outcome)["limit"] == "max_bytes"


def test_a_cap_that_does_not_bite_leaves_the_score_alone(bench: Bench, picture: Path) -> None:
    bench.stage("score", "thumbnails", widths=[480], target={"ssimulacra2": 65})
    bench.stage("both", "thumbnails", widths=[480], target={"ssimulacra2": 65, "max_bytes": "1MB"})
    score_only, both = bench.all(picture)
    assert score_only == both


def test_a_score_below_which_the_first_try_is_too_large(bench: Bench, picture: Path) -> None:
    """The cap is looked at first, and the score still decides."""
    bench.stage("score", "thumbnails", widths=[480], target={"ssimulacra2": 60})
    reached = bench.one(picture).renditions[0].bytes
    bench.stage(
        "both", "thumbnails", widths=[480], target={"ssimulacra2": 60, "max_bytes": reached + 400}
    )
    outcome = bench.one(picture, "both")
    assert found(outcome)["ssimulacra2"] >= 60
    assert outcome.renditions[0].bytes <= reached + 400


def test_what_no_quality_reaches_is_recorded_with_the_best(bench: Bench, tmp_path: Path) -> None:
    """WebP halves the colours whatever its quality, so thin coloured lines cannot be kept."""
    pixels = np.zeros((120, 160, 3), np.uint8)
    pixels[:, ::2] = (255, 0, 0)
    pixels[:, 1::2] = (0, 0, 255)
    bench.stage("thumbnails", widths=[160], format="webp", target={"ssimulacra2": 95})
    coded = found(bench.one(written(tmp_path, pixels)), "160.webp")
    assert coded["quality"] == 100
    assert coded["ssimulacra2"] < 95
    assert coded["limit"] == "quality"


def test_what_fits_at_no_quality_fails_and_says_how_large_it_is(
    bench: Bench, picture: Path
) -> None:
    bench.stage("thumbnails", widths=[480], target={"max_bytes": 500})
    failure = bench.fails(picture)
    assert failure.error is ErrorClass.INVALID
    assert "480 x 360" in failure.message
    assert "expected at most 500" in failure.message
    assert "target.max_bytes" in failure.message


@given(
    sizes=st.lists(st.integers(1, 500), min_size=100, max_size=100),
    most=st.integers(1, 500),
    quality=st.integers(1, 100),
    tried=st.sets(st.integers(1, 100), max_size=5),
)
def test_the_cap_is_kept_whatever_an_encoder_does(
    sizes: list[int], most: int, quality: int, tried: set[int]
) -> None:
    """Also one whose files do not grow with the quality."""

    class Wild(probing.Tries):
        def file(self, quality: int) -> bytes:
            return self.files.setdefault(quality, bytes(sizes[quality - 1]))

    tries = Wild(Picture.of(photo(8, 8)), Encoding("webp"))
    for each in tried:
        tries.file(each)
    try:
        found = tries.within(most, quality)
    except InvalidError:
        assert sizes[0] > most
    else:
        assert sizes[found - 1] <= most
        assert found <= quality


def test_a_profile_that_is_dropped_is_no_loss(bench: Bench, tmp_path: Path) -> None:
    """The file is compared with the picture in sRGB, not with numbers that meant other colours."""
    path = tmp_path / "wide.jpg"
    path.write_bytes(coded(photo(480, 360), "jpeg", quality=95, icc_profile=color.built_in("p3")))
    bench.stage("normalize", space="keep")
    wanted = {"ssimulacra2": 80}
    bench.stage("kept", "thumbnails", widths=[480], target=wanted, picture="normalize")
    bench.stage("gone", "thumbnails", widths=[480], target=wanted, keep=[], picture="normalize")
    _, kept, gone = bench.all(path)
    assert abs(found(kept)["quality"] - found(gone)["quality"]) <= 8


@pytest.mark.parametrize("form", ["jpeg", "webp", "avif"])
def test_pictures_with_transparency(bench: Bench, tmp_path: Path, form: str) -> None:
    alpha = np.tile(np.linspace(0, 255, 240).astype(np.uint8), (180, 1))
    path = written(tmp_path, np.dstack([photo(240, 180), alpha]))
    bench.stage("thumbnails", widths=[240], format=form, target={"ssimulacra2": 70})
    outcome = bench.one(path)
    coded = found(outcome, f"240.{outcome.renditions[0].suffix}")
    assert 70 <= coded["ssimulacra2"] < 78
    assert coded["tries"] <= 6


def test_what_cannot_be_seen_is_not_scored() -> None:
    original = np.dstack([photo(64, 64), np.zeros((64, 64), np.uint8)])
    other = np.dstack([photo(64, 64, seed=3), np.zeros((64, 64), np.uint8)])
    assert probing.likeness(original, other) == 100
    seen = np.dstack([other[:, :, :3], np.full((64, 64), 255, np.uint8)])
    assert probing.likeness(original, seen) < 50


def test_a_grey_picture(bench: Bench, tmp_path: Path) -> None:
    bench.stage("thumbnails", widths=[320], target={"ssimulacra2": 75})
    outcome = bench.one(written(tmp_path, photo(320, 240)[:, :, 0]))
    assert 75 <= found(outcome, "320.jpg")["ssimulacra2"] < 78


def test_a_picture_of_one_pixel(bench: Bench, tmp_path: Path) -> None:
    bench.stage("encode", formats=["jpeg", "webp", "avif"], target={"ssimulacra2": 75})
    outcome = bench.one(written(tmp_path, np.full((1, 1, 3), 90, np.uint8)))
    assert len(outcome.renditions) == 3


def test_encode_finds_each_format_and_width_its_own_quality(bench: Bench, picture: Path) -> None:
    bench.stage(
        "encode",
        formats=["jpeg", "webp", "png"],
        widths=[160, 480],
        target={"ssimulacra2": 70},
        preset="fast",
    )
    outcome = bench.one(picture)
    assert set(outcome.facts["coded"]) == {"160.jpg", "160.webp", "480.jpg", "480.webp"}
    assert all(one["ssimulacra2"] >= 70 for one in outcome.facts["coded"].values())
    assert len(outcome.renditions) == 6


def test_watermark_finds_the_quality_of_the_marked_picture(bench: Bench, picture: Path) -> None:
    bench.stage("watermark", text="© Gazette", target={"ssimulacra2": 75})
    assert found(bench.one(picture), "marked.jpg")["ssimulacra2"] >= 75


def test_without_a_target_nothing_is_recorded_of_it(bench: Bench, picture: Path) -> None:
    assert bench.stage("thumbnails", widths=[160]).one(picture).facts == {}


def test_what_it_takes_is_asked_for_and_given_back(bench: Bench, picture: Path) -> None:
    bench.stage("thumbnails", widths=[480], target={"ssimulacra2": 70})
    bench.one(picture, reservation=480 * 360 * 3)
    assert bench.claims
    assert max(bench.claims) >= 480 * 360 * (3 + 3 + 8)
