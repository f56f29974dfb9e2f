"""What a file says of itself, before any of its pixels are decoded."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from imagelane.execute import jpeg
from imagelane.execute.boxes import check_boxes, largest_coded
from imagelane.execute.errors import InvalidError
from imagelane.execute.exif import Exif, read_exif
from imagelane.execute.gif import check_blocks
from imagelane.execute.limits import MOST_BYTES
from imagelane.execute.sniff import DICOM, FORMATS, describe, sniff
from imagelane.execute.vips import Image, VipsError, VipsImage, refusal

if TYPE_CHECKING:  # its module is loaded with the first DICOM file
    from imagelane.execute.dicom.reading import Described as DicomHeader

_LOADERS: Mapping[str, str] = {
    "png": "pngload_buffer",
    "webp": "webpload_buffer",
    "gif": "gifload_buffer",
    "tiff": "tiffload_buffer",
    "avif": "heifload_buffer",
    "jpeg": "jpegload_buffer",
}
_DISPLAY_P3 = 12
"""The number of its primaries in ITU-T H.273."""
_LARGEST_PROFILE = 4 << 20
_MOST_BANDS = 8
"""CMYK, transparency and a few spot colours; a TIFF of a few bytes may claim thousands."""
_BITS = {"uchar": 8, "char": 8, "ushort": 16, "short": 16, "double": 64, "complex": 64}

# One thread a worker, and nothing but the picture itself.


@dataclass(frozen=True, slots=True)
class Header:
    """Width and height are in pixels and as stored; ``orientation`` says how to turn them.

    ``frames`` counts those of an animation, the pages of a TIFF, the pictures of a HEIC.
    ``bits`` are those of one sample. ``icc`` is the embedded profile, ``wide`` says that a file
    without one still declares Display-P3. ``scan`` is where the coded data of a JPEG begins.
    ``dicom`` is what only a DICOM file says. ``coded`` is the size of what a HEIF codes, where that
    is more than it shows.
    """

    format: str
    width: int
    height: int
    bands: int
    bits: int = 8
    frames: int = 1
    has_alpha: bool = False
    orientation: int = 1
    icc: bytes | None = None
    wide: bool = False
    exif: Exif = field(default_factory=Exif)
    xmp: bytes | None = None
    iptc: bytes | None = None
    jpeg: jpeg.JpegHeader | None = None
    dicom: DicomHeader | None = None
    coded: tuple[int, int] = (0, 0)

    @property
    def area(self) -> int:
        """Pixels that are decoded for a picture: what a file crops away is decoded, too."""
        return max(self.width * self.height, self.coded[0] * self.coded[1])

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height as they will be seen."""
        if self.orientation >= 5:
            return self.height, self.width
        return self.width, self.height


def read_header(data: bytes, most: int = MOST_BYTES) -> Header:
    """Read a file's header; what it is, is decided by its content. ``most`` bounds the bytes of
    what must be inflated to be read at all.

    Raises:
        InvalidError: it is none of the formats that can be read, or its header is broken.
    """
    format_ = sniff(data)
    if format_ is None:
        found = describe(data)
        expected = ", ".join(FORMATS)
        raise InvalidError(
            "the file is empty" if found == "empty" else f"this is {found}: expected {expected}"
        )
    if format_ in {"heic", "avif"}:
        check_boxes(data, format_)
    if format_ == "gif":
        check_blocks(data)
    if format_ == "jpeg":
        header = _jpeg(data)
    elif format_ == "heic":
        header = _heic(data)
    elif format_ == DICOM:
        header = _dicom(data, most)
    else:
        header = _through_vips(data, format_)
    if header.width < 1 or header.height < 1:
        raise InvalidError(f"the {format_} says that it is {header.width} x {header.height} pixels")
    return header


def load(data: bytes, format_: str, **options: Any) -> Image:
    """Open with the loader of the format and no other; pixels are decoded when asked for.

    Raises:
        InvalidError: libvips cannot read it.
    """
    try:
        return getattr(VipsImage, _LOADERS[format_])(data, **options)
    except VipsError as error:
        raise refusal(f"the {format_} cannot be read", error) from error


def open_heic(data: bytes) -> Any:
    """Open with libheif through pi_heif; pixels are decoded when asked for.

    It has no error type of its own: a damaged file may raise any of Python's.

    Raises:
        InvalidError: it is no HEIC, or broken.
    """
    import pi_heif  # noqa: PLC0415 - takes a while, and most pictures are no HEIC

    pi_heif.options.DECODE_THREADS = 1
    pi_heif.options.THUMBNAILS = False
    pi_heif.options.DEPTH_IMAGES = False
    pi_heif.options.AUX_IMAGES = False
    try:
        opened = pi_heif.open_heif(io.BytesIO(data))
        count = len(opened)
    except Exception as error:
        raise InvalidError(f"the heic cannot be read: {error}") from error
    if not count:
        raise InvalidError("the heic has no picture in it")
    return opened


def _jpeg(data: bytes) -> Header:
    found = jpeg.read_header(data)
    if found.precision != 8:
        raise InvalidError(f"the jpeg has {found.precision} bits a sample: expected 8")
    if found.components not in {1, 3, 4}:
        raise InvalidError(f"the jpeg has {found.components} components: expected 1, 3 or 4")
    exif = read_exif(found.exif)
    return Header(
        format="jpeg",
        width=found.width,
        height=found.height,
        bands=found.components,
        orientation=exif.orientation,
        icc=_usable(found.icc),
        exif=exif,
        xmp=found.xmp,
        iptc=found.iptc,
        jpeg=found,
    )


def _heic(data: bytes) -> Header:
    opened = open_heic(data)
    width, height = opened.size
    exif = opened.info.get("exif")
    xmp = opened.info.get("xmp")
    return Header(
        format="heic",
        width=width,
        height=height,
        bands=len(opened.mode.split(";")[0]),
        bits=int(opened.info.get("bit_depth", 8)),
        frames=len(opened),
        has_alpha=opened.has_alpha,
        icc=_usable(opened.info.get("icc_profile")),
        wide=_declares_p3(data),
        exif=read_exif(exif),
        xmp=xmp if isinstance(xmp, bytes) else None,
        coded=largest_coded(data),
    )


def _dicom(data: bytes, most: int) -> Header:
    from imagelane.execute.dicom.reading import describe as described  # noqa: PLC0415 - an extra

    found = described(data, most)
    return Header(
        format=DICOM,
        width=found.layout.columns,
        height=found.layout.rows,
        bands=found.layout.samples,
        bits=found.layout.stored,
        frames=found.layout.frames,
        icc=_usable(found.icc),
        dicom=found,
    )


def _through_vips(data: bytes, format_: str) -> Header:
    image = load(data, format_)
    if image.bands > _MOST_BANDS:
        raise InvalidError(
            f"the {format_} has {image.bands:,} channels: expected {_MOST_BANDS} at most"
        )
    fields = set(image.get_fields())

    def blob(name: str) -> bytes | None:
        return bytes(image.get(name)) if name in fields else None

    exif = read_exif(blob("exif-data"))
    orientation = int(image.get("orientation")) if "orientation" in fields else 1
    return Header(
        format=format_,
        width=image.width,
        height=image.height,
        bands=image.bands,
        bits=128 if image.format == "dpcomplex" else _BITS.get(image.format, 32),
        frames=int(image.get("n-pages")) if "n-pages" in fields else 1,
        has_alpha=bool(image.hasalpha()),
        # libheif has turned an AVIF already, whatever its EXIF says.
        orientation=1 if format_ == "avif" or not 1 <= orientation <= 8 else orientation,
        icc=_usable(blob("icc-profile-data")),
        wide=_declares_p3(data),
        exif=exif,
        xmp=blob("xmp-data"),
        iptc=blob("iptc-data"),
        coded=largest_coded(data) if format_ == "avif" else (0, 0),
    )


def _usable(icc: bytes | None) -> bytes | None:
    """A profile of a size that profiles have: those of presses have up to three megabytes."""
    return icc if icc and len(icc) <= _LARGEST_PROFILE else None


def _declares_p3(data: bytes) -> bool:
    """Whether coding-independent code points (HEIF ``nclx``, PNG ``cICP``) name Display-P3."""
    at = data.find(b"colrnclx")
    if at >= 0:
        return int.from_bytes(data[at + 8 : at + 10], "big") == _DISPLAY_P3
    at = data.find(b"cICP", 0, 4096)
    return at >= 0 and data[at + 4 : at + 5] == bytes((_DISPLAY_P3,))
