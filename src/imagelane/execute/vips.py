"""The one place where libvips is loaded, and how it is set up for a worker.

One libvips thread a worker is best for throughput with several workers, and AVIF's bytes depend on
the number of threads. Loaders that this project does not use, or that are not meant for untrusted
input, are blocked.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

if "pyvips" not in sys.modules:  # libvips reads these once, when it is loaded
    os.environ["VIPS_CONCURRENCY"] = "1"
    os.environ.setdefault("VIPS_WARNING", "0")
    os.environ.setdefault("FONTCONFIG_FILE", str(Path(__file__).parent / "fonts" / "fonts.conf"))

import numpy as np
import numpy.typing as npt
import pyvips

from imagelane.execute.errors import InvalidError, StageError, TransientError
from imagelane.execute.resources import lacking_in

logging.getLogger("pyvips").addHandler(logging.NullHandler())
logging.getLogger("pyvips").propagate = False

Pixels: TypeAlias = npt.NDArray[np.uint8]
"""Samples of one picture: height x width x bands, 8 bits each."""

Image: TypeAlias = Any
"""A libvips image. pyvips makes its methods while it runs, so there are no types to check."""

VipsImage: Any = pyvips.Image
VipsError: type[Exception] = pyvips.Error
_BLOB: Any = pyvips.GValue.blob_type

_MOST_COMPLAINTS = 2
"""The last ones: what comes before are often warnings that it has put up with."""

pyvips.block_untrusted_set(state=True)
# Each picture is seen once, so remembering operations would only hold memory.
pyvips.cache_set_max(0)


def version() -> str:
    """The version of libvips itself."""
    return ".".join(str(pyvips.version(place)) for place in range(3))


def has_operation(name: str) -> bool:
    """Whether this libvips was built with an operation, e.g. ``heifload_buffer``."""
    return bool(pyvips.type_find("VipsOperation", name))


def from_pixels(pixels: Pixels) -> Image:
    """A libvips image over an array's own memory, marked as sRGB; nothing is copied."""
    height, width, bands = pixels.shape
    image = VipsImage.new_from_memory(np.ascontiguousarray(pixels), width, height, bands, "uchar")
    return image.copy(interpretation="srgb")


def to_pixels(image: Image) -> Pixels:
    """The image's samples as an array of 8 bits; computes what was put off."""
    if image.format != "uchar":
        image = image.cast("uchar")
    samples: Pixels = np.frombuffer(image.write_to_memory(), np.uint8)
    return samples.reshape(image.height, image.width, image.bands)


def with_blobs(image: Image, blobs: Mapping[str, bytes]) -> Image:
    """The image with metadata blocks under libvips' names, e.g. ``icc-profile-data``."""
    tagged = image.copy()
    for name, blob in blobs.items():
        tagged.set_type(_BLOB, name, blob)
    return tagged


def refusal(
    said: str, error: BaseException, otherwise: type[StageError] = InvalidError
) -> StageError:
    """What to raise for an error of libvips: bad input, or what else the caller takes it for; but
    transient if it was the machine that lacked something."""
    lacking = lacking_in(str(error))
    if lacking is not None:
        return TransientError(f"{said}: {lacking}")
    return otherwise(f"{said}: {complaint(error)}")


def complaint(error: BaseException) -> str:
    """What libvips had to say, without the names of its functions, each thing once."""
    said: list[str] = []
    for line in str(error).splitlines():
        text = line.strip()
        head, colon, rest = text.partition(": ")
        if colon and head.replace("_", "").isalnum():
            text = rest.strip()
        harmless = text.startswith("unable to ") or "tag is not read" in text
        if text and not harmless and text not in said:
            said.append(text)
    return "; ".join(said[-_MOST_COMPLAINTS:]) or "libvips cannot make sense of it"
