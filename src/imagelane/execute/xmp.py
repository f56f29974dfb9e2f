"""XMP: the few properties that are asked for, through a parser that resolves nothing.

After ISO 16684-1. External entities, entity declarations and oversized packets are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import defusedxml.ElementTree as Defused
from defusedxml.common import DefusedXmlException

from imagelane.execute.text import clean

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_SPACES: Mapping[str, str] = {
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://ns.adobe.com/exif/1.0/aux/": "aux",
    "http://cipa.jp/exif/1.0/": "exifEX",
}
_LARGEST = 2 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Xmp:
    """Properties as clean text under names such as ``dc:rights``; ``gps`` says that one of them
    is a position."""

    properties: Mapping[str, str] = field(default_factory=dict)
    gps: bool = False

    def text(self, name: str) -> str:
        """A property, or an empty string."""
        return self.properties.get(name, "")


def read_xmp(packet: bytes | None) -> Xmp:
    """Read a packet; one that cannot be parsed safely has no properties."""
    if not packet or len(packet) > _LARGEST:
        return Xmp()
    start, end = packet.find(b"<"), packet.rfind(b">")
    try:
        root = Defused.fromstring(packet[start : end + 1], forbid_dtd=True)
    except (Defused.ParseError, DefusedXmlException, ValueError, LookupError):
        return Xmp()
    found: dict[str, str] = {}
    gps = False
    for description in root.iter(f"{_RDF}Description"):
        for name, value in description.attrib.items():
            gps |= _add(found, name, clean(value))
        for element in description:
            gps |= _add(found, element.tag, _value(element))
    return Xmp(found, gps)


def _add(found: dict[str, str], tag: str, value: str) -> bool:
    """Keep a property that is known by its namespace; whether it is a position."""
    space, _, name = tag.removeprefix("{").partition("}")
    prefix = _SPACES.get(space)
    if prefix and value:
        found.setdefault(f"{prefix}:{name}", value)
    return name.startswith("GPS") and bool(value)


def _value(element: Element) -> str:
    items = list(element.iter(f"{_RDF}li"))
    if not items:
        return clean(element.text or "")
    if element.find(f"{_RDF}Alt") is not None:
        default = [item for item in items if item.get(_LANGUAGE) == "x-default"]
        return clean((default or items)[0].text or "")
    return ", ".join(text for item in items if (text := clean(item.text or "")))


def write_xmp(creator: str, rights: str) -> bytes | None:
    """A packet with dc:creator and dc:rights and nothing else; None where both are empty."""
    inside = ""
    if creator:
        inside += (
            f"<dc:creator><rdf:Seq><rdf:li>{_escaped(creator)}</rdf:li></rdf:Seq></dc:creator>"
        )
    if rights:
        inside += (
            '<dc:rights><rdf:Alt><rdf:li xml:lang="x-default">'
            f"{_escaped(rights)}</rdf:li></rdf:Alt></dc:rights>"
        )
    if not inside:
        return None
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"{inside}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def _escaped(text: str) -> str:
    # As xml.sax.saxutils does it, which would load all of urllib into every worker.
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
