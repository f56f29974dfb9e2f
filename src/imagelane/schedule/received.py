"""From an item of the source to the event that records that it came in."""

from __future__ import annotations

from imagelane.model.events import ImageReceived
from imagelane.model.ids import Subject
from imagelane.ports.source import SourceItem


def received(subject: Subject, item: SourceItem) -> ImageReceived:
    """The image is taken in."""
    return ImageReceived(
        subject,
        item.sequence,
        item.name,
        item.path,
        item.bytes,
        item.mtime_ns,
        item.role,
        item.columns,
        item.withheld,
    )
