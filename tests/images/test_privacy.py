"""Nothing that leaves says where a picture was taken, and whose it is stays with it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from imagelane.execute.errors import BugError
from imagelane.execute.inspection import examine, inspect
from tests.images.bench import Bench
from tests.images.files import coded, photo, png_chunk

SECRETS = (b"GPS", b"Hidden Lane", b"53,32.5N", b"Secretville", b"SN-12345", b"Exif-Thumb")
OWNER = "Zoë Owner"
NOTICE = "© 2026 Zoë Owner"

XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:exif="http://ns.adobe.com/exif/1.0/"
 xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 exif:GPSLatitude="53,32.5N" exif:GPSLongitude="9,58E" photoshop:City="Secretville">
 <dc:title><rdf:Alt><rdf:li xml:lang="x-default">Boats</rdf:li></rdf:Alt></dc:title>
</rdf:Description></rdf:RDF></x:xmpmeta>"""


def iptc() -> bytes:
    """City and sublocation, as an agency writes them."""
    datasets = ((90, b"Secretville"), (92, b"Hidden Lane"), (80, b"By Line"))
    iim = b"".join(
        b"\x1c\x02" + bytes((number,)) + len(text).to_bytes(2, "big") + text
        for number, text in datasets
    )
    return b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + len(iim).to_bytes(4, "big") + iim


def telling() -> bytes:
    """A JPEG that says where it was taken in EXIF, in XMP and in IPTC."""
    exif = Image.Exif()
    exif[0x013B], exif[0x8298], exif[0x010F] = OWNER.encode(), NOTICE.encode(), "Camera"
    inner = exif.get_ifd(0x8769)
    inner[0xA431] = "SN-12345"
    place = exif.get_ifd(0x8825)
    place[1], place[2], place[3], place[4] = "N", (53.0, 32.0, 30.0), "E", (9.0, 58.0, 0.0)
    out = io.BytesIO()
    Image.fromarray(photo(320, 240)).save(out, "jpeg", exif=exif, xmp=XMP.encode(), quality=92)
    data = out.getvalue()
    block = iptc()
    app13 = b"\xff\xed" + (len(block) + 2).to_bytes(2, "big") + block
    return data[:2] + app13 + data[2:]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "telling.jpg"
    path.write_bytes(telling())
    assert all(secret in path.read_bytes() for secret in (b"Hidden Lane", b"53,32.5N", b"SN-12345"))
    return path


def test_no_output_of_any_stage_says_where(bench: Bench, picture: Path) -> None:
    bench.stage("validate").stage("metadata", needs=["validate"])
    bench.stage("thumbnails", widths=[100], needs=["validate"])
    bench.stage("watermark", text="© {copyright}", needs=["metadata"])
    bench.stage("encode", formats=["jpeg", "webp", "avif", "png"], needs=["validate"])
    # A resize to the size that it has must not pass the file through either.
    bench.stage("encode-own", "encode", widths=[320], formats=["jpeg"], needs=["validate"])
    files = [one for outcome in bench.all(picture) for one in outcome.renditions]
    assert len(files) == 7
    for rendition in files:
        data = bench.bytes_of(rendition)
        assert [secret for secret in SECRETS if secret in data] == []
        found = Image.open(io.BytesIO(data))
        assert found.getexif().get_ifd(0x8825) == {}
        assert 0x8298 in found.getexif()
        assert b"Zo\xc3\xab Owner" in data


def test_the_fact_says_only_that_there_was_a_position(bench: Bench, picture: Path) -> None:
    facts = bench.stage("metadata").one(picture).facts
    assert facts["gps"] is True
    assert not any("53" in str(value) for name, value in facts.items() if name != "captured")


def test_copyright_is_dropped_where_it_is_not_to_be_kept(bench: Bench, picture: Path) -> None:
    bench.stage("encode", formats=["jpeg", "webp", "avif", "png"], keep=[])
    for rendition in bench.one(picture).renditions:
        data = bench.bytes_of(rendition)
        assert b"Owner" not in data
        assert dict(Image.open(io.BytesIO(data)).getexif()) == {}


def test_a_file_with_a_position_is_not_let_out() -> None:
    with pytest.raises(BugError, match="position"):
        inspect(telling(), "jpeg", 320, 240)
    with pytest.raises(BugError, match="position"):
        examine(telling(), "jpeg")


def test_a_position_in_xmp_alone_is_found() -> None:
    data = coded(photo(64, 64), "jpeg", xmp=XMP.encode())
    with pytest.raises(BugError, match="position"):
        examine(data, "jpeg")


def test_other_metadata_of_our_own_is_not_let_out_either() -> None:
    exif = Image.Exif()
    exif[0x010F] = "Camera"
    with pytest.raises(BugError, match="0x010f"):
        inspect(coded(photo(64, 48), "jpeg", exif=exif), "jpeg", 64, 48)
    block = iptc()
    app13 = b"\xff\xed" + (len(block) + 2).to_bytes(2, "big") + block
    plain = coded(photo(64, 48), "jpeg")
    with pytest.raises(BugError, match="IPTC"):
        inspect(plain[:2] + app13 + plain[2:], "jpeg", 64, 48)
    with pytest.raises(BugError, match="APP11"):
        inspect(plain[:2] + b"\xff\xeb\0\x06JP\0\0" + plain[2:], "jpeg", 64, 48)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (coded(photo(64, 48), "jpeg"), "64 x 48 pixels, not 65 x 48"),
        (coded(photo(65, 48), "png"), "it is none"),
        (coded(photo(65, 48), "jpeg")[:150], "cannot be read"),
    ],
)
def test_a_file_that_is_not_what_was_to_be_written_is_a_bug(data: bytes, message: str) -> None:
    with pytest.raises(BugError, match=message):
        inspect(data, "jpeg", 65, 48)


def test_text_chunks_of_a_png_do_not_come_through(bench: Bench, tmp_path: Path) -> None:
    plain = coded(photo(64, 64), "png")
    path = tmp_path / "noted.png"
    path.write_bytes(plain[:33] + png_chunk(b"tEXt", b"Comment\0Hidden Lane") + plain[33:])
    bench.stage("encode", formats=["png", "webp"])
    for rendition in bench.one(path).renditions:
        assert b"Hidden Lane" not in bench.bytes_of(rendition)


def test_a_polyglot_is_made_anew_and_its_rider_left_behind(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "poly.jpg"
    path.write_bytes(coded(photo(64, 64), "jpeg") + b"<script>alert(1)</script>PK\x03\x04")
    bench.stage("encode", formats=["jpeg"])
    (rendition,) = bench.one(path).renditions
    data = bench.bytes_of(rendition)
    assert b"script" not in data
    assert np.asarray(Image.open(io.BytesIO(data))).shape == (64, 64, 3)
