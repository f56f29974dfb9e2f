"""A folder that nobody should be given: bombs, damage, strangers, polyglots, and good pictures.

Every file is made here, most of them by other programs' libraries than those under test.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from tests.images import bombs
from tests.images.files import HERE, coded, photo

ENDINGS = {"jpeg": ".jpg", "png": ".png", "webp": ".webp", "gif": ".gif", "tiff": ".tif"}
ENDINGS |= {"avif": ".avif", "heic": ".heic"}

XXE = """<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY xxe SYSTEM "file:///etc/passwd">]>
<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>&xxe;</text></svg>"""
SSRF = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">
<image xlink:href="http://127.0.0.1:1/" width="9" height="9"/></svg>"""
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + ']><svg xmlns="http://www.w3.org/2000/svg"><text>&a9;</text></svg>'
)
EPS = "%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(/etc/passwd) (r) file showpage\n"
PDF = "%PDF-1.7\n1 0 obj<</OpenAction<</S/Launch/F(/bin/sh)>>>>endobj\n"
MVG = "push graphic-context\nviewbox 0 0 9 9\nfill 'url(https://127.0.0.1:1/\"|id)'\n"


def small() -> dict[str, bytes]:
    """One whole picture of some hundred bytes in every format and coding that is read."""
    pixels = photo(16, 12)
    found = {form: coded(pixels, form) for form in ("jpeg", "png", "webp", "gif", "avif")}
    found["jpeg, progressive"] = coded(pixels, "jpeg", progressive=True)
    found["jpeg, cmyk"] = _cmyk(pixels)
    found["webp, lossless"] = coded(pixels, "webp", lossless=True)
    found["gif, animated"] = _animated("gif")
    found["webp, animated"] = _animated("webp")
    for packing in ("raw", "tiff_lzw", "tiff_adobe_deflate"):
        found[f"tiff, {packing}"] = coded(pixels, "tiff", compression=packing)
    found["heic"] = (HERE / "fixtures" / "gradient.heic").read_bytes()
    return found


def _cmyk(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).convert("CMYK").save(out, "jpeg")
    return out.getvalue()


def _animated(form: str) -> bytes:
    frames = [Image.fromarray(photo(16, 12, seed)) for seed in range(3)]
    out = io.BytesIO()
    frames[0].save(out, form, save_all=True, append_images=frames[1:])
    return out.getvalue()


def good(width: int = 4000, height: int = 3000) -> dict[str, bytes]:
    """Whole pictures, a camera's size, that must come through whatever lies beside them."""
    pixels = np.kron(photo(width // 8, height // 8), np.ones((8, 8, 1), np.uint8))
    cut = pixels[: height // 2, : width // 2]
    return {
        "good-1.jpg": coded(pixels, "jpeg", quality=90),
        "good-2.jpg": coded(pixels, "jpeg", quality=85, progressive=True),
        "good-3.png": coded(pixels, "png", compress_level=1),
        "good-4.webp": coded(pixels, "webp", method=0),
        "good-5.tif": coded(cut, "tiff", compression="tiff_lzw"),
        "good-6.gif": coded(cut, "gif"),
        "good-7.avif": coded(cut, "avif", speed=10),
        "good-8.heic": (HERE / "fixtures" / "quadrants-turned.heic").read_bytes(),
    }


def stubborn() -> Iterator[tuple[str, bytes]]:
    """Bombs that unpack to half a gigabyte where nobody looks: the pictures in them are whole."""
    packed = bombs.packed_zeros(512)
    for kind in ("zTXt", "iTXt", "iCCP"):
        yield f"packed-{kind}.png", bombs.packed_chunk(kind, packed)
    yield "texts.png", bombs.many_texts(100_000)


def bad() -> Iterator[tuple[str, bytes]]:
    """Files none of which is a whole picture within the limits; their names say what they are."""
    for number, (data, _) in enumerate(bombs.refused().values()):
        yield f"bomb-{number:02}.png", data
    for number, (name, whole) in enumerate(small().items()):
        ending = ENDINGS[name.partition(",")[0]]
        for share in (0.1, 0.5, 0.9):
            yield f"cut-{number:02}-{share:.1f}{ending}", whole[: int(len(whole) * share)]
    for name, text in strangers().items():
        yield f"stranger-{name}.jpg", text.encode()
    yield "empty.jpg", b""
    yield "zeros.png", bytes(4096)
    yield "archive.jpg", zipped()


def strangers() -> Mapping[str, str]:
    """What other programs would take for a picture, and act upon."""
    return {"xxe": XXE, "ssrf": SSRF, "laughs": LAUGHS, "eps": EPS, "pdf": PDF, "mvg": MVG}


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("rider.txt", "rider")
    return out.getvalue()


def polyglots() -> dict[str, bytes]:
    """Whole pictures that are something else as well."""
    jpeg, png, gif = (coded(photo(64, 48), form) for form in ("jpeg", "png", "gif"))
    rider = b"<html><script>alert('rider')</script>"
    noted = b"\xff\xfe" + (len(rider) + 2).to_bytes(2, "big") + rider
    return {
        "html-behind.jpg": jpeg + rider,
        "html-inside.jpg": jpeg[:2] + noted + jpeg[2:],
        "zip-behind.jpg": jpeg + zipped(),
        "zip-behind.png": png + zipped(),
        "script-behind.gif": gif + b"*/=1;alert('rider');",
        "really-a-png.jpg": png,
        "really-a-jpeg.png": jpeg,
    }


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
