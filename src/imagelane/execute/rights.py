"""Who made a picture and whose it is, from the three places where a file may say so."""

from __future__ import annotations

from imagelane.execute import exif, iptc
from imagelane.execute.header import Header
from imagelane.execute.iptc import read_iptc
from imagelane.execute.picture import Rights
from imagelane.execute.xmp import read_xmp

_LONGEST = 500


def rights_of(header: Header) -> Rights:
    """Cameras write EXIF, agencies IPTC and XMP: the first that says something is believed."""
    packet, datasets = read_xmp(header.xmp), read_iptc(header.iptc)
    creator = (
        header.exif.text(exif.ARTIST) or packet.text("dc:creator") or datasets.get(iptc.BYLINE, "")
    )
    notice = (
        header.exif.text(exif.COPYRIGHT)
        or packet.text("dc:rights")
        or datasets.get(iptc.COPYRIGHT, "")
    )
    return Rights(creator[:_LONGEST], notice[:_LONGEST])
