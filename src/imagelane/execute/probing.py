"""A file whose quality is found: as good as it must look, and as small as it must be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypedDict

import numpy as np
import simplejpeg

from imagelane.execute import search, ssimulacra2
from imagelane.execute.allowance import Allowance
from imagelane.execute.encoders import QUALITY, Encoding, converted, encode, flattened
from imagelane.execute.errors import InvalidError
from imagelane.execute.picture import Picture
from imagelane.execute.sniff import sniff
from imagelane.execute.vips import Pixels, VipsImage, to_pixels

_USUAL: Mapping[str, tuple[int, float]] = {"jpeg": (75, 76), "webp": (75, 74), "avif": (55, 74)}
"""For each format with a quality one of those, and the score that photographs have there."""
_GREYS = 26, 230
"""What transparent pictures are looked at on, from 0 to 255: once dark, once light."""


class Target(TypedDict):
    """What a stage was told; at least one of both."""

    ssimulacra2: float | None
    max_bytes: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """A file, the quality that it was written with, and its score.

    ``tries`` counts the files that were written to find it. ``limit`` says what held it back from
    what was asked for: ``max_bytes``, or ``quality``, of which there is no more.
    """

    data: bytes
    quality: int
    score: float
    tries: int
    limit: str | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """For the record."""
        facts = {"quality": self.quality, "ssimulacra2": self.score, "tries": self.tries}
        return facts if self.limit is None else {**facts, "limit": self.limit}


def find(picture: Picture, how: Encoding, target: Target, allowance: Allowance) -> Found:
    """The file at the lowest quality whose score is what it must be, or little more; but at the
    highest that fits, if that one does not.

    Raises:
        InvalidError: it fits at no quality.
    """
    picture = _as_written(picture, how)
    taken = picture.size + picture.width * picture.height * ssimulacra2.BYTES_A_PIXEL
    allowance.take(taken)
    try:
        tries = Tries(picture, how)
        quality, limit = _quality(tries, target)
        score = round(tries.score(quality), 2)
        return Found(tries.file(quality), quality, score, len(tries.files), limit)
    finally:
        allowance.give_back(taken)


def _as_written(picture: Picture, how: Encoding) -> Picture:
    """What a file without any loss would hold: files are compared with that."""
    picture = converted(picture, how)
    pixels = flattened(picture, how.background) if how.format == "jpeg" else picture.pixels
    return Picture.of(pixels, picture.profile, picture.rights)


def _quality(tries: Tries, target: Target) -> tuple[int, str | None]:
    """The quality, and what it is held back by."""
    wanted, most = target["ssimulacra2"], target["max_bytes"]
    if wanted is None:
        own = QUALITY[tries.how.format] if tries.how.quality is None else tries.how.quality
        fits = tries.within(most, own)
        return fits, "max_bytes" if fits < own else None
    level = search.of_score(wanted)
    usual, there = _USUAL[tries.how.format]
    begin = search.bounded(usual + (wanted - there) / level.a_step)
    fits = tries.within(most, begin)
    if fits < begin and tries.score(fits) < wanted:
        return fits, "max_bytes"
    _, quality = search.search(tries.score, level, begin, tries.scores)
    best = min(quality, search.HIGHEST)
    fits = tries.within(most, best)
    if fits < best:
        return fits, "max_bytes"
    return best, "quality" if best < quality else None


@dataclass(frozen=True, slots=True)
class Tries:
    """What a picture becomes at each quality that was tried."""

    picture: Picture
    how: Encoding
    files: dict[int, bytes] = field(default_factory=dict)
    scores: dict[int, float] = field(default_factory=dict)

    def file(self, quality: int) -> bytes:
        if quality not in self.files:
            self.files[quality] = encode(self.picture, replace(self.how, quality=quality))
        return self.files[quality]

    def within(self, most: int | None, quality: int) -> int:
        """That quality, or the highest below it that fits, or nearly fills what it may.

        Raises:
            InvalidError: none does.
        """
        if most is None or len(self.file(quality)) <= most:
            return quality
        known = {each: self._size(each) for each in self.files if each <= quality}
        fits, _ = search.search(self._size, search.of_size(most), quality, known)
        if fits < search.LOWEST:
            least = len(self.file(search.LOWEST))
            raise InvalidError(
                f"the {self.how.format} of {self.picture.width} x {self.picture.height} pixels has "
                f"{least:,} bytes even at quality {search.LOWEST}, expected at most {most:,} "
                "(target.max_bytes): allow more, or make it narrower"
            )
        return fits

    def _size(self, quality: int) -> float:
        return math.log(len(self.file(quality)))

    def score(self, quality: int) -> float:
        if quality not in self.scores:
            self.scores[quality] = likeness(self.picture.pixels, _decoded(self.file(quality)))
        return self.scores[quality]


def likeness(original: Pixels, other: Pixels) -> float:
    """The score of SSIMULACRA 2; of pictures with transparency the lower of two, on dark grey and
    on light. Samples in a profile of their own are taken for sRGB, on both sides."""
    if original.shape[2] == 3:
        return ssimulacra2.score(original, other)
    return min(ssimulacra2.score(_over(grey, original), _over(grey, other)) for grey in _GREYS)


def _over(grey: int, pixels: Pixels) -> Pixels:
    if pixels.shape[2] == 3:
        return pixels
    alpha = pixels[:, :, 3:].astype(np.uint16)
    blended = pixels[:, :, :3] * alpha + (255 - alpha) * np.uint16(grey)
    return ((blended + 127) // 255).astype(np.uint8)


def _decoded(data: bytes) -> Pixels:
    if sniff(data) == "jpeg":
        return np.asarray(simplejpeg.decode_jpeg(data, "RGB"))
    return to_pixels(VipsImage.new_from_buffer(data, ""))
