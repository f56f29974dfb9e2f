"""A picture in memory, as it goes from stage to stage."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field

from imagelane.execute.errors import BugError
from imagelane.execute.vips import Image, Pixels, VipsImage, from_pixels, to_pixels

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Rights:
    """Who made a picture and whose it is: all of a file's metadata that may be kept."""

    creator: str = ""
    copyright: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Upright samples in memory: 8 bits, 3 bands, or 4 with straight alpha.

    ``full`` is the size in pixels that the picture stands for: larger than its own where it was
    shrunk while it was decoded. ``profile`` is what its samples are meant in; None is sRGB.
    ``samples`` are those of ``image``, where they are an array already: taking them out of libvips
    again would copy them. Nobody may write to them.
    """

    image: Image
    full: tuple[int, int]
    profile: bytes | None = None
    rights: Rights = field(default_factory=Rights)
    samples: Pixels | None = None

    @property
    def width(self) -> int:
        # Cheaper than to ask libvips through its properties.
        return int(self.image.width) if self.samples is None else self.samples.shape[1]

    @property
    def height(self) -> int:
        return int(self.image.height) if self.samples is None else self.samples.shape[0]

    @property
    def has_alpha(self) -> bool:
        return int(self.image.bands) == 4

    @property
    def size(self) -> int:
        """The bytes that its samples take."""
        return self.width * self.height * int(self.image.bands)

    @property
    def pixels(self) -> Pixels:
        """Its samples as an array, height x width x bands, to be read only."""
        return to_pixels(self.image) if self.samples is None else self.samples

    def with_image(self, image: Image) -> Picture:
        """Another picture of the same origin, which stands for its own size."""
        return Picture(image, (int(image.width), int(image.height)), self.profile, self.rights)

    def with_pixels(self, pixels: Pixels) -> Picture:
        """Another picture of the same origin, over an array that nobody writes to any more."""
        return Picture.of(pixels, self.profile, self.rights)

    def dump(self) -> bytes:
        """Header and samples, for `load`: the same picture in another process."""
        head = {
            "version": _VERSION,
            "width": self.width,
            "height": self.height,
            "bands": int(self.image.bands),
            "full": self.full,
            "profile": base64.b64encode(self.profile or b"").decode(),
            "rights": [self.rights.creator, self.rights.copyright],
        }
        line = json.dumps(head, separators=(",", ":")).encode() + b"\n"
        return line + bytes(self.image.write_to_memory())

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
        width, height, bands = head["width"], head["height"], head["bands"]
        samples = memoryview(raw)[end + 1 :]
        image = VipsImage.new_from_memory(samples, width, height, bands, "uchar")
        return cls(
            image.copy(interpretation="srgb"),
            (head["full"][0], head["full"][1]),
            base64.b64decode(head["profile"]) or None,
            Rights(*head["rights"]),
        )

    @classmethod
    def of(
        cls, pixels: Pixels, profile: bytes | None = None, rights: Rights | None = None
    ) -> Picture:
        """A picture over an array of height x width x 3 or 4 samples."""
        height, width, _ = pixels.shape
        return cls(from_pixels(pixels), (width, height), profile, rights or Rights(), pixels)
