"""The built-in stages' catalogue, the declaring side: what each kind takes. One line a stage."""

from __future__ import annotations

from collections.abc import Mapping

from imagelane.declare.stages.base import StageParameters
from imagelane.declare.stages.command import Command
from imagelane.declare.stages.contact_sheet import ContactSheet
from imagelane.declare.stages.crop import Crop
from imagelane.declare.stages.deidentify import Deidentify
from imagelane.declare.stages.dicom import Dicom
from imagelane.declare.stages.encode import Encode
from imagelane.declare.stages.http import Http
from imagelane.declare.stages.metadata import Metadata
from imagelane.declare.stages.moderate import Moderate
from imagelane.declare.stages.normalize import Normalize
from imagelane.declare.stages.publish import Publish
from imagelane.declare.stages.resize import Resize
from imagelane.declare.stages.store import Store
from imagelane.declare.stages.thumbnails import Thumbnails
from imagelane.declare.stages.validate import Validate
from imagelane.declare.stages.watermark import Watermark

CATALOGUE: Mapping[str, type[StageParameters]] = {
    "validate": Validate,
    "deidentify": Deidentify,
    "dicom": Dicom,
    "metadata": Metadata,
    "normalize": Normalize,
    "thumbnails": Thumbnails,
    "resize": Resize,
    "crop": Crop,
    "watermark": Watermark,
    "encode": Encode,
    "moderate": Moderate,
    "http": Http,
    "command": Command,
    "store": Store,
    "contact-sheet": ContactSheet,
    "publish": Publish,
}

__all__ = [
    "CATALOGUE",
    "Command",
    "ContactSheet",
    "Crop",
    "Deidentify",
    "Dicom",
    "Encode",
    "Http",
    "Metadata",
    "Moderate",
    "Normalize",
    "Publish",
    "Resize",
    "StageParameters",
    "Store",
    "Thumbnails",
    "Validate",
    "Watermark",
]
