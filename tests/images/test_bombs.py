"""Small files that ask for much are refused by what their headers say."""

from __future__ import annotations

import io
import resource
import time
from pathlib import Path

import pytest
from PIL import Image

from imagelane.execute import jpeg
from imagelane.model.outcome import Failure
from imagelane.model.states import ErrorClass
from tests.images.bench import Bench
from tests.images.bombs import many_scans, many_texts, packed_chunk, packed_zeros, refused, webp
from tests.images.files import coded, photo

MOST_SECONDS = 5.0
MOST_MEGABYTES = 200


REFUSED = refused()


@pytest.mark.parametrize("name", REFUSED)
def test_refused_at_once(bench: Bench, tmp_path: Path, name: str) -> None:
    data, limit = REFUSED[name]
    path = tmp_path / "bomb"
    path.write_bytes(data)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    failure = bench.stage("validate").fails(path)
    assert time.monotonic() - started < MOST_SECONDS
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < MOST_MEGABYTES
    assert failure.error is ErrorClass.INVALID
    assert limit in failure.message
    assert bench.claims == []


def test_stages_refuse_too_where_nothing_validates(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "bomb.webp"
    path.write_bytes(webp(16_383, 16_383))
    bench.stage("thumbnails")
    assert bench.fails(path).error is ErrorClass.INVALID


def test_a_validate_stage_that_allows_more_allows_it_to_all(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "small.png"
    path.write_bytes(coded(photo(100, 100), "png"))
    bench.stage("validate", max_megapixels=0.009).stage("thumbnails", widths=[10])
    assert [type(report.outcome) for report in bench.order(path)] == [Failure, Failure]
    bench.stages.clear()
    bench.stage("validate", max_megapixels=0.01).stage("thumbnails", widths=[10])
    assert bench.one(path).renditions


def test_a_file_of_too_many_bytes_is_not_even_read(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "long.jpg"
    path.write_bytes(coded(photo(64, 64), "jpeg") + b"\0" * 100_000)
    failure = bench.stage("validate", max_bytes="50kB").fails(path)
    assert failure.error is ErrorClass.INVALID
    assert "max_bytes" in failure.message


@pytest.mark.parametrize("kind", ["zTXt", "iTXt", "iCCP", "tEXt"])
def test_chunks_that_unpack_to_half_a_gigabyte_stay_packed(
    bench: Bench, tmp_path: Path, kind: str
) -> None:
    data = many_texts(100_000) if kind == "tEXt" else packed_chunk(kind, packed_zeros(512))
    assert len(data) < 3 << 20
    path = tmp_path / "packed.png"
    path.write_bytes(data)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    bench.stage("validate").stage("metadata").stage("thumbnails")
    for report in bench.order(path):
        assert not isinstance(report.outcome, Failure) or (
            report.outcome.error is ErrorClass.INVALID
        )
    assert time.monotonic() - started < MOST_SECONDS
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < MOST_MEGABYTES


def test_scans_are_counted_exactly_where_it_matters(bench: Bench, tmp_path: Path) -> None:
    for count in (5, 150):
        data = many_scans(count)
        header = jpeg.read_header(data)
        out = io.BytesIO()
        Image.fromarray(photo(64, 64)).save(out, "jpeg", progressive=True)
        own = out.getvalue().count(b"\xff\xda")
        assert jpeg.count_scans(data, header, 10_000) == own + count
        assert jpeg.count_scans(data, header, own + count - 1) == own + count
    # The marker's bytes inside a thumbnail in the metadata are no scan.
    plain = coded(photo(64, 64), "jpeg")
    noted = plain[:2] + b"\xff\xe1" + (2 + 2000).to_bytes(2, "big") + b"\xff\xda" * 1000 + plain[2:]
    path = tmp_path / "noted.jpg"
    path.write_bytes(noted)
    assert bench.stage("validate", max_scans=1).one(path).facts["format"] == "jpeg"


def test_what_is_decoded_is_claimed_beyond_the_reservation(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(coded(photo(400, 300), "png"))
    bench.stage("validate")
    (report,) = bench.order(path, reservation=100_000)
    assert bench.claims == [2 * 400 * 300 * 3]  # with headroom for what is made from it
    assert report.decoded_bytes == 400 * 300 * 3
    bench.claims.clear()
    bench.order(path, reservation=400 * 300 * 3)
    assert bench.claims == []


def test_a_progressive_jpeg_claims_its_coefficients(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "slow.jpg"
    path.write_bytes(coded(photo(400, 300), "jpeg", progressive=True))
    bench.stage("thumbnails", widths=[50])
    bench.order(path, reservation=1)
    assert bench.claims[0] == 2 * (50 * 38 * 3 + 400 * 300 * 3 * 2)
