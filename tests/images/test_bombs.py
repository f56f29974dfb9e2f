"""Small files that ask for much are refused by what their headers say."""

from __future__ import annotations

import io
import resource
import struct
import time
import zlib
from pathlib import Path

import pytest
from PIL import Image

from imagelane.execute import jpeg
from imagelane.model.outcome import Failure
from imagelane.model.states import ErrorClass
from tests.images.bench import Bench
from tests.images.files import coded, photo, png, png_chunk

MOST_SECONDS = 5.0
MOST_MEGABYTES = 200


def tiff(width: int, height: int, *, next_directory: int = 0) -> bytes:
    """A TIFF of some 130 bytes with one strip of one byte."""
    tags = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 120), (277, 1)]
    tags += [(278, height), (279, 1)]
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    head = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags))
    return head + body + struct.pack("<I", next_directory) + b"\0" * 8


def webp(width: int, height: int) -> bytes:
    """A lossless WebP that is a header and nothing else."""
    bits = (width - 1) | (height - 1) << 14
    body = b"VP8L" + struct.pack("<I", 10) + b"\x2f" + struct.pack("<I", bits) + b"\0" * 5
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def gif(width: int, height: int, frames: int) -> bytes:
    """Frames that each claim the whole canvas and have data for one pixel."""
    one = b"\x2c\0\0\0\0" + struct.pack("<HH", width, height) + b"\0" + b"\2\2\x44\1\0"
    head = b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\0\0\0\0\0\xff\xff\xff"
    return head + one * frames + b"\x3b"


def wide_jpeg(width: int, height: int) -> bytes:
    """A real JPEG whose frame header claims more than it has."""
    data = bytearray(coded(photo(32, 32), "jpeg"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def many_scans(count: int) -> bytes:
    """A progressive JPEG with its last scan again and again."""
    out = io.BytesIO()
    Image.fromarray(photo(64, 64)).save(out, "jpeg", progressive=True)
    data = out.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:-2] + data[last:-2] * count + b"\xff\xd9"


def bombs() -> dict[str, tuple[bytes, str]]:
    rows = (b"\0" + b"\0" * 3 * 30_000) * 30
    return {
        "tiff of 500,000 x 500,000": (tiff(500_000, 500_000), "max_megapixels"),
        "webp of 16,383 x 16,383": (webp(16_383, 16_383), "max_megapixels"),
        "png of 30,000 x 30,000": (png(30_000, 30_000, rows=rows), "max_megapixels"),
        "jpeg of 65,500 x 65,500": (wide_jpeg(65_500, 65_500), "max_megapixels"),
        "gif of 20,000 frames": (gif(5_000, 5_000, 20_000), "max_total_megapixels"),
        "gif of 3,000 small frames": (gif(300, 300, 3_000), "max_total_megapixels"),
        "jpeg of 2,000 scans": (many_scans(2_000), "max_scans"),
        "png of no size": (png(0, 0, rows=b"\0"), ""),
        "tiff without end": (tiff(8, 8, next_directory=8), ""),
    }


@pytest.mark.parametrize("name", bombs())
def test_refused_at_once(bench: Bench, tmp_path: Path, name: str) -> None:
    data, limit = bombs()[name]
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


def packed_zeros(megabytes: int) -> bytes:
    """A zlib stream of zeros, made of one block again and again."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = squeeze.compress(b"\0" * (1 << 20)) + squeeze.flush(zlib.Z_FULL_FLUSH)
    check = ((megabytes << 20) % 65521) << 16 | 1
    return b"\x78\xda" + block * megabytes + b"\x03\0" + check.to_bytes(4, "big")


@pytest.mark.parametrize("kind", ["zTXt", "iCCP", "tEXt"])
def test_chunks_that_unpack_to_half_a_gigabyte_stay_packed(
    bench: Bench, tmp_path: Path, kind: str
) -> None:
    packed = packed_zeros(512)
    assert len(packed) < 1 << 20
    many = png_chunk(b"tEXt", b"Comment\0hello") * 100_000
    extra = many if kind == "tEXt" else png_chunk(kind.encode(), b"x\0\0" + packed)
    path = tmp_path / "packed.png"
    path.write_bytes(png(16, 16, extra=extra))
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
