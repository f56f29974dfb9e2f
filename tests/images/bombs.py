"""Small files that ask for much, each made here from its format's own rules."""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image

from tests.images.files import HERE, coded, photo, png, png_chunk


def tiff(width: int, height: int, *, next_directory: int = 0) -> bytes:
    """A TIFF of some 130 bytes with one strip of one byte."""
    tags = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, 120), (277, 1)]
    tags += [(278, height), (279, 1)]
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    head = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags))
    return head + body + struct.pack("<I", next_directory) + b"\0" * 8


def channels(count: int) -> bytes:
    """A TIFF of some 140 bytes, 3,000 x 300 pixels, with so many samples in each of them."""
    tags = [(256, 3_000), (257, 300), (258, 8), (259, 1), (262, 1), (273, 130), (277, count)]
    tags += [(278, 300), (279, 1)]
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + body + b"\0" * 16


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


def gif_with_a_larger_frame(width: int, height: int) -> bytes:
    """A canvas of 10 x 10 pixels, and a frame that claims more."""
    head = b"GIF89a" + struct.pack("<HH", 10, 10) + b"\x80\0\0\0\0\0\xff\xff\xff"
    return head + b"\x2c\0\0\0\0" + struct.pack("<HH", width, height) + b"\0\2\2\x44\1\0\x3b"


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


def _claiming(data: bytes, width: int, height: int) -> bytes:
    """A HEIF file that says in its ``ispe`` property (ISO/IEC 23008-12) that it is larger."""
    changed = bytearray(data)
    at = -1
    while (at := data.find(b"ispe", at + 1)) >= 0:
        changed[at + 8 : at + 16] = struct.pack(">II", width, height)
    return bytes(changed)


def avif(width: int, height: int) -> bytes:
    """A real AVIF of a kilobyte or so."""
    return _claiming(coded(photo(48, 48), "avif", quality=40), width, height)


def heic(width: int, height: int) -> bytes:
    """A real HEIC of a few kilobytes."""
    return _claiming((HERE / "fixtures" / "gradient.heic").read_bytes(), width, height)


def packed_zeros(megabytes: int) -> bytes:
    """A zlib stream of zeros, made of one block again and again."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = squeeze.compress(b"\0" * (1 << 20)) + squeeze.flush(zlib.Z_FULL_FLUSH)
    check = ((megabytes << 20) % 65521) << 16 | 1
    return b"\x78\xda" + block * megabytes + b"\x03\0" + check.to_bytes(4, "big")


def packed_chunk(kind: str, packed: bytes) -> bytes:
    """A PNG of 16 x 16 pixels with a chunk that unpacks to much: ``zTXt``, ``iTXt``, ``iCCP``."""
    head = b"x\0\1\0\0\0" if kind == "iTXt" else b"x\0\0"
    return png(16, 16, extra=png_chunk(kind.encode(), head + packed))


def many_texts(count: int) -> bytes:
    """A PNG with so many comments."""
    return png(16, 16, extra=png_chunk(b"tEXt", b"Comment\0hello") * count)


def refused() -> dict[str, tuple[bytes, str]]:
    """Bombs that no limit lets through, each with the limit that its refusal must name."""
    rows = (b"\0" + b"\0" * 3 * 30_000) * 30
    return {
        "tiff of 500,000 x 500,000": (tiff(500_000, 500_000), "max_megapixels"),
        "webp of 16,383 x 16,383": (webp(16_383, 16_383), "max_megapixels"),
        "png of 30,000 x 30,000": (png(30_000, 30_000, rows=rows), "max_megapixels"),
        "jpeg of 65,500 x 65,500": (wide_jpeg(65_500, 65_500), "max_megapixels"),
        "avif of 17,000 x 17,000": (avif(17_000, 17_000), "max_megapixels"),
        "heic of 17,000 x 17,000": (heic(17_000, 17_000), "max_megapixels"),
        "gif of 20,000 frames": (gif(5_000, 5_000, 20_000), "max_total_megapixels"),
        "gif of 3,000 small frames": (gif(300, 300, 3_000), "max_total_megapixels"),
        "jpeg of 2,000 scans": (many_scans(2_000), "max_scans"),
        "gif whose frame is larger": (gif_with_a_larger_frame(60_000, 60_000), "max_megapixels"),
        "tiff of 2,000 channels": (channels(2_000), "2,000 channels"),
        "png of no size": (png(0, 0, rows=b"\0"), ""),
        "tiff without end": (tiff(8, 8, next_directory=8), ""),
    }
