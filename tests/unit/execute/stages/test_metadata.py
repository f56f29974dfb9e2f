from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import thumbhash as peer
from PIL import Image

from imagelane.execute import exif, glance, iptc, xmp
from imagelane.execute.color import built_in, profile_name
from imagelane.execute.text import clean
from imagelane.model.ids import StageName
from tests.images.bench import Bench
from tests.images.files import coded, photo, quadrants


def facts_of(bench: Bench, path: Path, **parameters: Any) -> dict[str, Any]:
    bench.stages.pop(StageName("metadata"), None)
    return dict(bench.stage("metadata", **parameters).one(path).facts)


def jpeg(folder: Path, name: str = "a.jpg", **options: Any) -> Path:
    path = folder / name
    path.write_bytes(coded(photo(160, 120), "jpeg", **options))
    return path


def tags(main: dict[int, Any], inner: dict[int, Any] | None = None) -> Image.Exif:
    found = Image.Exif()
    for tag, value in main.items():
        found[tag] = value
    directory = found.get_ifd(0x8769)
    for tag, value in (inner or {}).items():
        directory[tag] = value
    return found


def test_what_a_camera_says(bench: Bench, tmp_path: Path) -> None:
    said = tags(
        {
            0x010F: "NIKON CORPORATION",
            0x0110: "NIKON Z 6",
            0x8298: "© A. Gency".encode(),
            0x013B: "B. Line",
        },
        {0x9003: "2026:05:04 03:02:01", 0x9011: "+02:00", 0xA434: "NIKKOR Z 50mm f/1.8 S"},
    )
    facts = facts_of(bench, jpeg(tmp_path, exif=said))
    assert facts["captured"] == "2026-05-04T03:02:01+02:00"
    assert facts["camera"] == "NIKON Z 6"
    assert facts["lens"] == "NIKKOR Z 50mm f/1.8 S"
    assert facts["copyright"] == "© A. Gency"
    assert facts["creator"] == "B. Line"
    assert facts["icc"] == "sRGB"
    assert facts["orientation"] == 1
    assert facts["gps"] is False


def test_what_is_not_said_is_left_out(bench: Bench, tmp_path: Path) -> None:
    facts = facts_of(bench, jpeg(tmp_path), thumbhash=False, phash=False)
    assert set(facts) == {"icc", "orientation", "gps", "dominant"}


@pytest.mark.parametrize(
    ("said", "captured"),
    [
        ({0x9003: "2026:05:04 03:02:01"}, "2026-05-04T03:02:01"),
        ({0x9003: "0000:00:00 00:00:00"}, None),
        ({0x9003: "2026:13:40 99:00:00"}, None),
        ({0x9003: "    :  :     :  :  "}, None),
        ({0x9003: "0000:00:00 00:00:00", 0x9004: "2020:01:02 03:04:05"}, "2020-01-02T03:04:05"),
        ({0x9003: "2026-05-04 03:02:01", 0x9011: "nonsense"}, "2026-05-04T03:02:01"),
    ],
)
def test_when_it_was_taken(
    bench: Bench, tmp_path: Path, said: dict[int, str], captured: str | None
) -> None:
    assert facts_of(bench, jpeg(tmp_path, exif=tags({}, said))).get("captured") == captured


PACKET = """<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
  xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
  photoshop:DateCreated="2025-12-24T18:30:00+01:00">
<dc:creator><rdf:Seq><rdf:li>First</rdf:li><rdf:li>Second</rdf:li></rdf:Seq></dc:creator>
<dc:rights><rdf:Alt><rdf:li xml:lang="de">Rechte</rdf:li>
  <rdf:li xml:lang="x-default">Rights</rdf:li></rdf:Alt></dc:rights>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">A title</rdf:li></rdf:Alt></dc:title>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"""


def test_xmp_says_what_exif_does_not(bench: Bench, tmp_path: Path) -> None:
    facts = facts_of(bench, jpeg(tmp_path, xmp=PACKET.encode()))
    assert facts["creator"] == "First, Second"
    assert facts["copyright"] == "Rights"
    assert facts["title"] == "A title"
    assert facts["captured"] == "2025-12-24T18:30:00+01:00"


@pytest.mark.parametrize(
    "packet",
    [
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]><x>&e;</x>',
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;&b;</x>',
        "<x><unfinished",
        "\x00\x01\x02",
        "",
    ],
)
def test_hostile_xmp_says_nothing(packet: str) -> None:
    assert xmp.read_xmp(packet.encode()) == xmp.Xmp()


def test_iptc_in_both_encodings() -> None:
    def block(text: bytes, *, declared: bool) -> bytes:
        iim = b"\x1c\x01\x5a\0\x03\x1b%G" if declared else b""
        iim += b"\x1c\x02" + bytes((iptc.BYLINE,)) + len(text).to_bytes(2, "big") + text
        return b"8BIM\x04\x04\0\0" + len(iim).to_bytes(4, "big") + iim

    assert iptc.read_iptc(block("Zoë".encode(), declared=True)) == {80: "Zoë"}
    assert iptc.read_iptc(block("Zoë".encode("cp1252"), declared=False)) == {80: "Zoë"}
    assert iptc.read_iptc(b"8BIM\x04\x04\0\0\xff\xff\xff\xff\x1c\x02") == {}


def test_hostile_text_is_cleaned(bench: Bench, tmp_path: Path) -> None:
    said = tags(
        {0x8298: "<img onerror=x>\x1b[2J\x07 gpj.\u202eexe\n\ttwo".encode(), 0x010E: "x" * 50_000}
    )
    facts = facts_of(bench, jpeg(tmp_path, exif=said))
    assert facts["copyright"] == "<img onerror=x> [2J gpj.exe two"
    assert len(facts.get("description", "")) <= 2000


def test_clean() -> None:
    assert clean("a\0b\r\nc\u2028d") == "a b c d"
    assert clean("\u202eabc\u2066\ufeff") == "abc"
    assert clean("\ud800x") == "x"
    assert clean("👩\u200d🚀 Ünï") == "👩\u200d🚀 Ünï"
    assert len(clean("word " * 10_000)) <= 2000


@pytest.mark.parametrize(
    "block",
    [
        b"",
        b"II*\0",
        b"II*\0\x08\0\0\0\xff\xff",
        b"MM\0*\0\0\0\x08\0\x01\x87\x69\0\x04\0\0\0\x01\0\0\0\x08\0\0\0\0",  # leads to itself
        b"II*\0\x08\0\0\0\x01\0\x98\x82\x02\0\xff\xff\xff\xff\x10\0\0\0",
        b"II*\0\xff\xff\xff\xff",
    ],
)
def test_hostile_exif_says_nothing(block: bytes) -> None:
    found = exif.read_exif(block)
    assert found.text(exif.COPYRIGHT) == ""
    assert found.orientation == 1
    assert not found.gps


def test_what_is_written_is_what_another_reader_reads() -> None:
    for creator, notice in (("Zoë", "© Zoë"), ("", "abc"), ("ab", "")):
        block = exif.write_exif(creator, notice)
        assert block is not None
        found = Image.Exif()
        found.load(b"Exif\0\0" + block)
        raw = {0x013B: creator, 0x8298: notice}
        for tag, text in raw.items():
            read = found.get(tag, "")
            assert read in (text, text.encode().decode("latin-1"))
        assert exif.read_exif(block).text(exif.ARTIST) == creator
        assert exif.read_exif(block).text(exif.COPYRIGHT) == notice
    assert exif.write_exif("", "") is None


def test_thumbhash_is_what_others_make_of_it() -> None:
    for size in ((100, 75), (60, 100), (32, 32), (1, 1), (3, 90)):
        pixels = np.asarray(Image.fromarray(photo(400, 300)).resize(size))
        rgba = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
        expected = bytes(peer.rgba_to_thumb_hash(*size, rgba.ravel().tolist()))
        found = base64.b64decode(glance.thumbhash(pixels))
        # The peer rounds halves to even, the reference does not: one step in a nibble at most.
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert abs((one & 15) - (other & 15)) <= 1
            assert abs((one >> 4) - (other >> 4)) <= 1


@pytest.mark.parametrize("level", [0, 77, 255])
def test_a_flat_picture_has_no_noise_in_its_hashes(level: int) -> None:
    flat = np.full((32, 32, 3), level, np.uint8)
    assert set(base64.b64decode(glance.thumbhash(flat))[5:]) <= {0}
    assert glance.perceptual_hash(flat) in {"0" * 16, "8" + "0" * 15}


def test_thumbhash_knows_transparency() -> None:
    pixels = np.zeros((40, 40, 4), np.uint8)
    pixels[:20] = (200, 10, 10, 255)
    found = base64.b64decode(glance.thumbhash(pixels))
    assert found[2] & 0x80
    with pytest.raises(ValueError, match="more than 100"):
        glance.thumbhash(photo(101, 10))


def test_the_perceptual_hash_stays_when_a_picture_is_resized_and_coded(
    bench: Bench, tmp_path: Path
) -> None:
    def distance(one: str, other: str) -> int:
        return (int(one, 16) ^ int(other, 16)).bit_count()

    paths = []
    for name, pixels, options in (
        ("a", photo(800, 600), {"quality": 95}),
        ("b", np.asarray(Image.fromarray(photo(800, 600)).resize((300, 225))), {"quality": 40}),
        ("c", photo(800, 600, seed=3), {"quality": 95}),
    ):
        paths.append(tmp_path / f"{name}.jpg")
        paths[-1].write_bytes(coded(pixels, "jpeg", **options))
    same, smaller, other = (facts_of(bench, path)["phash"] for path in paths)
    assert distance(same, smaller) <= 4
    assert distance(same, other) >= 12


def test_the_dominant_colour(bench: Bench, tmp_path: Path) -> None:
    pixels = quadrants(100, 100)
    pixels[:, :60] = (10, 120, 200)
    path = tmp_path / "blue.png"
    path.write_bytes(coded(pixels, "png"))
    assert facts_of(bench, path)["dominant"] == "#0a78c8"


def test_the_profiles_name(bench: Bench, tmp_path: Path) -> None:
    facts = facts_of(bench, jpeg(tmp_path, icc_profile=built_in("p3")))
    assert "P3" in facts["icc"]
    assert profile_name(None) == "sRGB"
    assert profile_name(b"\0" * 200) == "unnamed profile"
    assert profile_name(b"\xff" * 200) == "unnamed profile"


def test_facts_are_json(bench: Bench, tmp_path: Path) -> None:
    import json

    out = io.StringIO()
    json.dump(facts_of(bench, jpeg(tmp_path)), out, allow_nan=False)
    assert out.getvalue()
