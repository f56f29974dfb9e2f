"""What this installation can really do: each format is decoded and encoded, a text is drawn.

A library that says that it knows a format may still lack the codec inside it, and finds out when
it meets the pixels. So nothing here is believed; all is tried, on pictures of 16 x 16 pixels.
"""

from __future__ import annotations

import base64
import importlib.metadata
import importlib.util
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np

from imagelane.execute import decode
from imagelane.execute.allowance import Allowance
from imagelane.execute.dicom import library, reading
from imagelane.execute.encoders import QUALITY, Encoding, encode
from imagelane.execute.errors import StageError
from imagelane.execute.failures import failure_of
from imagelane.execute.header import read_header
from imagelane.execute.lettering import FONT, letters
from imagelane.execute.picture import Picture
from imagelane.execute.presets import JPEG
from imagelane.execute.sniff import FORMATS
from imagelane.execute.stages.moderate import PACKAGE
from imagelane.execute.vips import Pixels, from_pixels, version

_SIDE = 16
WRITTEN = ("jpeg", "webp", "avif", "png")
_HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAXxtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAA"
    "AAAAAAAAACJpbG9jAAAAAERAAAEAAQAAAAABoAABAAAAAAAAAEwAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABo"
    "dmMxAAAAAA5waXRtAAAAAAABAAAA/GlwcnAAAADcaXBjbwAAAHVodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEA"
    "GEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQApQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbqrprm4CGgwIAAAAyAAAAD"
    "AIRiAAEABkQBwXPBiQAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAAAABAAAAAQAAAAChjbGFwAAAAEAAAAAEA"
    "AAAQAAAAAf///9AAAAAC////0AAAAAIAAAAQcGl4aQAAAAADCAgIAAAAGGlwbWEAAAAAAAAAAQABBYECAwWEAAAAVG1k"
    "YXQAAABIKAGvCchoyho97I8R9a0h+wX6H9QXYUWgsFwO07W1DTkMP0QrhCMb1nqDP/v+WLBV54nqahmpNMzeFMu4LpAx"
    "O+uRUpJJdkWe"
)
"""A gradient of 16 x 16 pixels: there is no free encoder in the wheels that could make one here."""
_DICOM = zlib.decompress(
    base64.b64decode(
        "eNrNkL1OwzAUhY/dCCyBkAuiQkxhy3TlmKB2bopopQajhg48DQy8Bw8DD8DAAEhIfRLMcYbyszDClZLz+eYq5/gCf1uTWd1o"
        "6nKe4YaqoRDGSVlKU5ezQ5TiZVQ5KZ1zIzmRUio+pQz5vceJDXjxbGtYngY/5tOpkqHT2P2c9Rp7aKc7uLhihtDkx+LE5waD"
        "XxwNDr44Filhm1IXyFC322jCeaini9Cc+rxIedqUqkB/TVCJDEmtSXe0Sep1BNLCTkiOf2k7KkmXdh6S4+radnuKrPeIVVpX"
        "0idqfI732DL0skr1ER+wT6fve89MfIVhl/27x9sjM7b/9nUWX3i3t+6OH2HdZpY="
    )
)
"""A gradient in lossless JPEG, which nothing but the decoder of the extra decodes."""


def probe() -> dict[str, Any]:
    """What was tried and what came of it, as JSON values.

    ``read`` and ``write`` give for each format an empty text, or why it does not work; ``text``,
    ``presets``, ``moderation`` and ``dicom`` likewise. ``versions`` names the libraries.
    """
    samples = _samples()
    return {
        "versions": _versions(),
        "read": {name: _tried(partial(_read, samples[name])) for name in FORMATS},
        "write": {name: _tried(partial(_write, name)) for name in WRITTEN},
        "text": _tried(lambda: letters("Ag \N{COPYRIGHT SIGN}", 24)),
        "font": FONT,
        "presets": _tried(_tuned),
        "moderation": _moderation(),
        "dicom": _dicom(),
    }


def _versions() -> dict[str, str]:
    heif = importlib.import_module("pi_heif")
    names = (
        *("pyvips", "pyvips-binary", "simplejpeg", "cykooz-resizer", "pi-heif", "numpy", "pillow"),
        *("pydicom", "python-gdcm"),
    )
    found = {name: installed for name in names if (installed := _installed(name))}
    return {"libvips": version(), "libheif": str(heif.libheif_version()), **found}


def _installed(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _tried(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a broken library may raise anything
        return failure_of(error).message or "it does not work"
    return ""


def _gradient() -> Picture:
    steps = np.linspace(0, 255, _SIDE).astype(np.uint8)
    across, down = np.meshgrid(steps, steps)
    pixels: Pixels = np.stack([across, down, np.full_like(across, 128)], axis=-1)
    return Picture.of(pixels)


def _samples() -> Mapping[str, Callable[[], bytes]]:
    picture = _gradient()

    def written(name: str) -> Callable[[], bytes]:
        return lambda: encode(picture, Encoding(name, quality=None if name == "png" else 90))

    return {
        **{name: written(name) for name in WRITTEN},
        "gif": lambda: bytes(from_pixels(picture.pixels).gifsave_buffer()),
        "tiff": lambda: bytes(from_pixels(picture.pixels).tiffsave_buffer()),
        "heic": lambda: _HEIC,
    }


def _read(sample: Callable[[], bytes]) -> None:
    data = sample()
    picture = decode.decode(data, read_header(data), (), Allowance(1 << 40, lambda _: None))
    pixels = picture.pixels
    if pixels.shape[:2] != (_SIDE, _SIDE):
        raise StageError(f"decoded {picture.width} x {picture.height} pixels, not 16 x 16")
    difference = np.abs(pixels[:, :, :3].astype(int) - _gradient().pixels).mean()
    if difference > 24:
        raise StageError(f"decoded wrong colours: {difference:.0f} of 255 off")


def _write(name: str) -> None:
    header = read_header(encode(_gradient(), Encoding(name)))
    if header.format != name:
        raise StageError(f"encoded a {header.format} instead")


def _tuned() -> None:
    """A libvips over another JPEG library than mozjpeg passes over what makes files smaller."""
    files = {preset: encode(_gradient(), Encoding("jpeg", preset=preset)) for preset in JPEG}
    plain = _gradient().image.jpegsave_buffer(Q=QUALITY["jpeg"], keep=0, optimize_coding=True)
    if bytes(plain) in files.values():
        raise StageError("libvips stands on a JPEG library that is not mozjpeg")


def _moderation() -> str:
    if importlib.util.find_spec(PACKAGE) is None:
        return "not installed: pip install 'imagelane[moderation]'"
    return ""


def _dicom() -> str:
    if importlib.util.find_spec(library.PACKAGE) is None:
        return "not installed: pip install 'imagelane[dicom]'"
    return _tried(_read_dicom)


def _read_dicom() -> None:
    """A compressed DICOM file: the decoder that it needs is another package than its reader."""
    shown = reading.show(reading.describe(_DICOM, 1 << 20))
    expected = np.add.outer(np.arange(_SIDE), np.arange(_SIDE)) * 8
    if shown.pixels.shape != (_SIDE, _SIDE, 3) or (shown.pixels[:, :, 0] != expected).any():
        raise StageError("decoded another picture than was in it")
