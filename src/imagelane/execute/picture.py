"""A picture in memory, as it goes from stage to stage."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field

import numpy as np

from imagelane.execute.errors import BugError
from imagelane.execute.vips import Image, Pixels, from_pixels, to_pixels

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Rights:
    """Who made a picture and whose it is: all of a file's metadata that may be kept."""

    creator: str = ""
    copyright: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Upright samples in memory: 8 bits, height x width x 3, or 4 with straight alpha.

    Nobody may write to ``pixels``. ``full`` is the size in pixels that the picture stands for:
    larger than its own where it was shrunk while it was decoded. ``profile`` is what its samples
    are meant in; None is sRGB.
    """

    pixels: Pixels
    full: tuple[int, int]
    profile: bytes | None = None
    rights: Rights = field(default_factory=Rights)

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def has_alpha(self) -> bool:
        return bool(self.pixels.shape[2] == 4)

    @property
    def size(self) -> int:
        """The bytes that its samples take."""
        return self.pixels.nbytes

    @property
    def image(self) -> Image:
        """It as a libvips image, over the same memory."""
        return from_pixels(self.pixels)

    def with_image(self, image: Image) -> Picture:
        """Another picture of the same origin, which stands for its own size; computed now."""
        return self.with_pixels(to_pixels(image))

    def with_pixels(self, pixels: Pixels) -> Picture:
        """Another picture of the same origin, over an array that nobody writes to any more."""
        return Picture.of(pixels, self.profile, self.rights)

    def dump(self) -> bytes:
        """Header and samples, for `load`: the same picture in another process."""
        head = {
            "version": _VERSION,
            "width": self.width,
            "height": self.height,
            "bands": self.pixels.shape[2],
            "full": self.full,
            "profile": base64.b64encode(self.profile or b"").decode(),
            "rights": [self.rights.creator, self.rights.copyright],
        }
        line = json.dumps(head, separators=(",", ":")).encode() + b"\n"
        return line + self.pixels.tobytes()

    @classmethod
    def load(cls, raw: bytes) -> Picture:
        """The inverse of `dump`.

        Raises:
            BugError: it was written by another version.
        """
        end = raw.index(b"\n")
        head = json.loads(raw[:end])
        if head.get("version") != _VERSION:
            raise BugError("a stored picture was written by another version: start a new run")
        samples: Pixels = np.frombuffer(raw, np.uint8, offset=end + 1)
        return cls(
            samples.reshape(head["height"], head["width"], head["bands"]),
            (head["full"][0], head["full"][1]),
            base64.b64decode(head["profile"]) or None,
            Rights(*head["rights"]),
        )

    @classmethod
    def of(
        cls, pixels: Pixels, profile: bytes | None = None, rights: Rights | None = None
    ) -> Picture:
        """A picture over an array of height x width x 3 or 4 samples, which stands for its size."""
        height, width, _ = pixels.shape
        return cls(pixels, (width, height), profile, rights or Rights())
