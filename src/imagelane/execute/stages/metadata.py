"""What the file says of its picture, and what a glance at it tells."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, TypedDict

from imagelane.execute import exif, glance, iptc
from imagelane.execute.attempt import Attempt, Result
from imagelane.execute.color import profile_name
from imagelane.execute.exif import Exif
from imagelane.execute.header import Header
from imagelane.execute.iptc import read_iptc
from imagelane.execute.picture import Picture
from imagelane.execute.resample import inside, resized
from imagelane.execute.rights import rights_of
from imagelane.execute.sniff import DICOM
from imagelane.execute.text import clean
from imagelane.execute.xmp import Xmp, read_xmp
from imagelane.model.spec import Resampler

_GLANCE = 100
_DATE = re.compile(
    r"(\d{4})[:\-/]?(\d\d)[:\-/]?(\d\d)[ T]+(\d\d):?(\d\d)(?::?(\d\d))?(?:[.,]\d+)?"
    r"\s*(Z|[+-]\d\d:?\d\d)?"
)
_NO_TITLE = frozenset({"default", "untitled", "ole"})


class Parameters(TypedDict):
    thumbhash: bool
    phash: bool


def run(parameters: Parameters, attempt: Attempt) -> Result:
    """Facts only; what the file does not say is left out."""
    header = attempt.piece.header
    facts = {**_said(header), **_seen(parameters, attempt.picture(), attempt.resampler)}
    return Result(facts={name: value for name, value in facts.items() if value not in ("", None)})


def _said(header: Header) -> dict[str, Any]:
    tags, packet, datasets = header.exif, read_xmp(header.xmp), read_iptc(header.iptc)
    rights = rights_of(header)
    description = (
        tags.text(exif.DESCRIPTION)
        or packet.text("dc:description")
        or datasets.get(iptc.CAPTION, "")
    )
    return {
        "captured": _captured(tags, packet, datasets.get(iptc.DATE, ""), datasets.get(iptc.TIME)),
        "camera": _device(tags.text(exif.MAKE), tags.text(exif.MODEL)),
        "lens": _device(tags.text(exif.LENS_MAKE), tags.text(exif.LENS_MODEL))
        or packet.text("aux:Lens"),
        "copyright": rights.copyright,
        "creator": rights.creator,
        "title": packet.text("dc:title") or datasets.get(iptc.TITLE, ""),
        "description": "" if description.lower() in _NO_TITLE else description,
        "icc": _profile(header),
        "orientation": header.orientation,
        "gps": tags.gps or packet.gps,
    }


def _seen(parameters: Parameters, picture: Picture, by: Resampler) -> dict[str, Any]:
    small = resized(picture, *_at_most(picture, _GLANCE), by)
    facts: dict[str, Any] = {"dominant": glance.dominant_colour(small.pixels)}
    if parameters["thumbhash"]:
        facts["thumbhash"] = glance.thumbhash(small.pixels)
    if parameters["phash"]:
        facts["phash"] = glance.perceptual_hash(resized(small, 32, 32, by).pixels)
    return facts


def _at_most(picture: Picture, side: int) -> tuple[int, int]:
    if max(picture.full) <= side:
        return picture.full
    return inside(picture.full, side, side)


def _profile(header: Header) -> str:
    """What the profile calls itself. That of a DICOM file may be called after its device or its
    owner, so it is left out."""
    if header.format == DICOM:
        return ""
    return "Display P3" if header.wide and not header.icc else profile_name(header.icc)


def _device(make: str, model: str) -> str:
    """Maker and model, without saying the maker twice."""
    first = make.partition(" ")[0].lower()
    return model if first and model.lower().startswith(first) else f"{make} {model}".strip()


def _captured(tags: Exif, packet: Xmp, date: str, time: str | None) -> str:
    """When the picture was taken, in ISO 8601; with an offset only where the file says one."""
    offset = tags.text(exif.OFFSET_ORIGINAL) or tags.text(exif.OFFSET)
    said = (
        (tags.text(exif.ORIGINAL), offset),
        (tags.text(exif.DIGITIZED), tags.text(exif.OFFSET_DIGITIZED)),
        (packet.text("exif:DateTimeOriginal"), ""),
        (packet.text("photoshop:DateCreated"), ""),
        (packet.text("xmp:CreateDate"), ""),
        (f"{date} {time or '000000'}" if date else "", ""),
        (tags.text(exif.DATE_TIME), tags.text(exif.OFFSET)),
    )
    return next((found for text, zone in said if (found := _iso(text + zone))), "")


def _iso(text: str) -> str:
    match = _DATE.match(clean(text))
    if match is None:
        return ""
    *numbers, zone = match.groups()
    try:
        year, month, day, hour, minute, second = (int(number or 0) for number in numbers)
        moment = datetime.fromisoformat(
            f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone or ''}"
        )
    except ValueError:
        return ""
    return moment.isoformat()
