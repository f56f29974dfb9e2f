"""Pipelines for photographs: declared once, run sequentially, in parallel or hybrid, with the same
bytes out.

    from imagelane import Images, Pipeline, Publish, Store, Thumbnails, Validate, run

    gallery = Pipeline(
        "gallery",
        images=Images("photos/"),
        stages=[Validate(), Thumbnails(widths=[160, 480]), Store(to="public/"), Publish()],
    )
    print(run(gallery))

Names are imported when they are first used, so that importing this package costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imagelane.declare.pipeline import Images, Pipeline, Run, Stage
    from imagelane.declare.problems import DeclarationError
    from imagelane.declare.stages import (
        Command,
        ContactSheet,
        Crop,
        Deidentify,
        Dicom,
        Encode,
        Http,
        Metadata,
        Moderate,
        Normalize,
        Publish,
        Resize,
        Store,
        Thumbnails,
        Validate,
        Watermark,
    )
    from imagelane.execute.user import (
        Group,
        InvalidError,
        Picture,
        Rendition,
        Source,
        TransientError,
        Verdict,
        stage,
    )
    from imagelane.wiring import run

__version__ = "0.1.0"

__all__ = [
    "Command",
    "ContactSheet",
    "Crop",
    "DeclarationError",
    "Deidentify",
    "Dicom",
    "Encode",
    "Group",
    "Http",
    "Images",
    "InvalidError",
    "Metadata",
    "Moderate",
    "Normalize",
    "Picture",
    "Pipeline",
    "Publish",
    "Rendition",
    "Resize",
    "Run",
    "Source",
    "Stage",
    "Store",
    "Thumbnails",
    "TransientError",
    "Validate",
    "Verdict",
    "Watermark",
    "__version__",
    "run",
    "stage",
]

_HOMES = {
    "imagelane.declare.pipeline": ("Images", "Pipeline", "Run", "Stage"),
    "imagelane.declare.problems": ("DeclarationError",),
    "imagelane.declare.stages": (
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
        "Store",
        "Thumbnails",
        "Validate",
        "Watermark",
    ),
    "imagelane.execute.user": (
        "Group",
        "InvalidError",
        "Picture",
        "Rendition",
        "Source",
        "TransientError",
        "Verdict",
        "stage",
    ),
    "imagelane.wiring": ("run",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
