"""What a DICOM file may ask for is checked before its pixels are touched, and before memory is."""

from __future__ import annotations

import resource
import struct
import traceback
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import Decoder
from pydicom.sequence import Sequence

from imagelane.execute.dicom import file
from imagelane.execute.dicom.reading import describe, show
from imagelane.execute.errors import InvalidError
from imagelane.execute.sniff import sniff
from tests.unit.execute.dicom.made import IMPLICIT, data_set, ramp, shipped, written

DEFLATED = "1.2.840.10008.1.2.1.99"
MOST = 1 << 28
SMALL = ramp("u2", 0, 4095)


def refused(data: bytes, said: str, most: int = MOST) -> None:
    """It is refused with these words, and with little memory."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InvalidError, match=said):
        show(describe(data, most))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 200, f"{grown:.0f} MB more"


def deflated(found: Dataset, padding: int = 0) -> bytes:
    """A deflated file, with so many zeros behind its pixels."""
    plain = written(found)
    start = plain.index(struct.pack("<HH", 8, 8))
    head = plain[:start].replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99")
    packer = zlib.compressobj(9, wbits=-15)
    body = packer.compress(plain[start:])
    for _ in range(padding >> 20):
        body += packer.compress(bytes(1 << 20))
    # The syntax has grown by two bytes, and so must its length.
    head = head.replace(b"\x10\0UI\x14\0", b"\x10\0UI\x16\0")
    return head + body + packer.flush()


def test_it_is_recognised_by_its_content() -> None:
    assert sniff(shipped("CT_small")) == "dicom"
    # A file that is a TIFF as well, as those of slide scanners are, is a DICOM file first.
    assert sniff(b"II*\0" + shipped("CT_small")[4:]) == "dicom"
    refused(bytes(132), "DICM is missing at byte 128")


def test_a_deflated_file_is_read_like_any_other() -> None:
    expected = show(describe(written(data_set(SMALL, 12)), MOST)).pixels
    assert (show(describe(deflated(data_set(SMALL, 12)), MOST)).pixels == expected).all()
    assert show(describe(shipped("image_dfl"), MOST)).pixels.shape == (512, 512, 3)


def test_a_deflated_bomb_is_refused_by_what_it_becomes() -> None:
    bomb = deflated(data_set(SMALL, 12), padding=200 << 20)
    assert len(bomb) < 1_000_000
    refused(bomb, "becomes more than max_bytes, 50,000,000", 50_000_000)
    refused(deflated(data_set(SMALL, 12))[:-40], "deflated dicom is (cut off|damaged)")


def test_attributes_without_end_are_refused() -> None:
    found = written(data_set(SMALL, 12))
    start = found.index(struct.pack("<HH", 8, 0x16))
    element = struct.pack("<HH2sH", 9, 0x1001, b"LO", 64) + bytes(64)
    refused(found[:start] + element * 150_000, "more than 8 MB of attributes")


def test_items_without_end_are_refused() -> None:
    found = written(data_set(SMALL, 12))
    start = found.index(struct.pack("<HH", 8, 0x16))
    head = struct.pack("<HH2sHI", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF)
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0)
    refused(found[:start] + head + item * 500_000 + found[start:], "more than 100,000 items")


def test_nesting_without_end_is_refused() -> None:
    found = written(data_set(SMALL, 12))
    start = found.index(struct.pack("<HH", 8, 0x16))
    level = struct.pack("<HH2sHI", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF)
    level += struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    refused(found[:start] + level * 40_000, "cannot be read|holds no picture")


def test_a_coded_frame_larger_than_the_file_says_is_refused() -> None:
    """Its decoder would go by what the frame says, and not by what the limits were checked on."""
    for name, marker, at in (
        ("JPEG2000", b"\xff\x4f\xff\x51", 8),
        ("MR_small_jpeg_ls_lossless", b"\xff\xf7", 5),
        ("SC_rgb_jpeg", b"\xff\xc0", 5),
    ):
        data = bytearray(shipped(name))
        place = data.index(marker) + at
        data[place : place + 2] = b"\x7f\xff"
        refused(bytes(data), "frame of the dicom is .* pixels, and the file says")


def test_run_lengths_that_unpack_to_more_are_refused() -> None:
    found = data_set(np.zeros((64, 64), np.uint8))
    plane = b"\x81\0" * 400_000  # 128 bytes each
    frame = struct.pack("<16I", 1, 64, *[0] * 14) + plane
    found.PixelData = encapsulate([frame])
    found["PixelData"].VR, found["PixelData"].is_undefined_length = "OB", True
    refused(written(found, "1.2.840.10008.1.2.5"), "unpacks to more than it says")


def changed(**what: object) -> Callable[[], bytes]:
    def make() -> bytes:
        found = data_set(SMALL, 12)
        for keyword, value in what.items():
            if value is None:
                delattr(found, keyword)
            else:
                setattr(found, keyword, value)
        return written(found)

    return make


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (changed(Rows=65_535, Columns=65_535), "its pixels have 8,192 bytes, and 1 frames of"),
        (changed(NumberOfFrames=2_000_000_000), "cut off: its pixels have"),
        (changed(NumberOfFrames=0), "NumberOfFrames of the dicom is 0"),
        (changed(Rows=None), "does not say its Rows"),
        (changed(BitsStored=17), "BitsStored of the dicom is 17: expected 1 to 16"),
        (changed(HighBit=15), "not in the lower bits"),
        (changed(SamplesPerPixel=2), "2 samples a pixel"),
        (changed(PhotometricInterpretation="JANETTE"), "expected MONOCHROME1, MONOCHROME2"),
        (changed(PixelData=None), "holds no picture"),
        (lambda: shipped("test-SR"), "holds no picture: it is cut off, or a report"),
        (lambda: shipped("rtplan"), "or a report, a plan"),
        (lambda: shipped("waveform_ecg"), "holds no picture"),
        (lambda: shipped("meta_missing_tsyntax"), "does not say its transfer syntax"),
        (lambda: shipped("liver_1frame"), "1 bits a sample"),
        (lambda: shipped("MR_truncated"), "cut off"),
        (lambda: shipped("badVR"), "cannot be read"),
    ],
)
def test_what_is_no_picture_or_contradicts_itself(make: Callable[[], bytes], said: str) -> None:
    data = make()
    refused(data, said)
    with pytest.raises(InvalidError) as error:
        show(describe(data, MOST))
    assert "JANETTE" not in error.value.message


@pytest.mark.parametrize("syntax", [IMPLICIT, "1.2.840.10008.1.2.1"])
def test_a_file_cut_off_anywhere_is_refused(syntax: str) -> None:
    whole = written(data_set(SMALL, 12), syntax)
    for length in range(0, len(whole) - 1, 97):
        with pytest.raises(InvalidError):
            show(describe(whole[:length], MOST))


def test_transfer_syntaxes_that_are_not_read_are_named() -> None:
    video = written(data_set(SMALL, 12)).replace(
        b"UI\x14\x001.2.840.10008.1.2.1\0", b"UI\x18\x001.2.840.10008.1.2.4.100\0"
    )
    refused(video, "transfer syntax of the dicom is MPEG2 .*: expected an uncompressed")
    odd = written(data_set(SMALL, 12)).replace(
        b"1.2.840.10008.1.2.1\0", b"Doevale^Janette\0\0\0\0\0"
    )
    refused(odd, "one that is not in the standard")


def test_a_decoder_sees_the_pixels_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of patients never reach a library that was not meant to see them."""
    seen: list[Dataset] = []
    real = Decoder.as_array

    def spied(self: Decoder, source: Dataset, **how: object) -> object:
        seen.append(source)
        return real(self, source, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(Decoder, "as_array", spied)
    show(describe(shipped("MR_small_RLE"), MOST))
    assert {one.tag >> 16 for source in seen for one in source} == {0x0028, 0x7FE0}


def test_private_sequences_and_what_follows_the_pixels_are_no_trouble() -> None:
    found = data_set(SMALL, 12)
    block = found.private_block(0x0009, "Somebody", create=True)
    item = Dataset()
    item.PatientName = "Doevale"
    block.add_new(0x10, "SQ", Sequence([item]))
    found.add_new(0xFFFCFFFC, "OB", b"Doevale^Janette ")
    shown = show(describe(written(found), MOST))
    assert shown.pixels.shape == (64, 64, 3)


def test_the_limit_on_attributes_leaves_room_for_thousands_of_frames() -> None:
    each = []
    for number in range(2_000):
        item, content, place = Dataset(), Dataset(), Dataset()
        content.DimensionIndexValues, content.FrameAcquisitionNumber = [1, number], number
        place.ImagePositionPatient = [0.125, -17.5, number * 0.5]
        item.FrameContentSequence, item.PlanePositionSequence = (
            Sequence([content]),
            Sequence([place]),
        )
        each.append(item)
    found = data_set(np.zeros((2_000, 4, 4), np.uint8), NumberOfFrames=2_000)
    found.PerFrameFunctionalGroupsSequence = Sequence(each)
    assert describe(written(found), MOST).layout.frames == 2_000
    assert 4 * len(written(found)) < file.MOST_ATTRIBUTES


def test_reading_is_quiet(capfd: pytest.CaptureFixture[str]) -> None:
    """pydicom's warnings quote the file."""
    for name in ("badVR", "MR_truncated", "J2K_pixelrep_mismatch", "693_J2KI"):
        try:
            show(describe(shipped(name), MOST))
        except InvalidError as error:
            said = "".join(traceback.format_exception(error))
            assert "pydicom" not in said, "a traceback would quote the file"
    assert capfd.readouterr() == ("", "")
