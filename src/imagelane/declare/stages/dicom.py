"""`dicom`: which frame of a DICOM file is shown, and through which window."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import PlainValidator, WithJsonSchema

from imagelane.declare.stages.base import StageParameters
from imagelane.declare.values import mistake
from imagelane.model.spec import Reads, StageTraits

_NAMED = ("first", "middle", "last")
_MOST = 1_000_000


def _frame(value: Any) -> str | int:
    if value in _NAMED and isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST:
        raise mistake("", "first, middle, last or a number from 1")
    return value


def _window(value: Any) -> str | int | dict[str, float]:
    if value in ("file", "full") and isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 100:
        return value
    if isinstance(value, Mapping) and set(value) == {"center", "width"}:
        numbers = {key: value[key] for key in ("center", "width")}
        whole = all(
            isinstance(number, (int, float)) and not isinstance(number, bool)
            for number in numbers.values()
        )
        if whole and all(map(math.isfinite, numbers.values())) and numbers["width"] >= 1:
            return {key: float(number) for key, number in numbers.items()}
    raise mistake(
        "", "file, full, the number of one of the file's windows, or {center: 40, width: 400}"
    )


Frame = Annotated[
    str | int,
    PlainValidator(_frame),
    WithJsonSchema(
        {"anyOf": [{"enum": list(_NAMED)}, {"type": "integer", "minimum": 1, "maximum": _MOST}]}
    ),
]
Window = Annotated[
    str | int | Mapping[str, float],
    PlainValidator(_window),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": ["file", "full"]},
                {"type": "integer", "minimum": 1, "maximum": 100},
                {
                    "type": "object",
                    "properties": {
                        "center": {"type": "number"},
                        "width": {"type": "number", "minimum": 1},
                    },
                    "required": ["center", "width"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]


class Dicom(StageParameters):
    """Choose the frame of a DICOM file and the window that it is seen through. Without this stage
    the first frame is shown through the file's first window. Brightness never follows from what
    happens to be in the picture: a file without a window is shown over the whole range that its
    samples can have, and the fact `shown_by` says so. Needs the extra:
    pip install 'imagelane[dicom]'."""

    KIND: ClassVar[str] = "dicom"
    TRAITS: ClassVar[StageTraits] = StageTraits(
        reads=Reads.SOURCE,
        makes_picture=True,
        facts=frozenset({"frame", "frames", "shown_by", "window_center", "window_width"}),
    )

    frame: Frame = "first"
    """`first`, `middle`, `last`, or a number from 1."""
    window: Window = "file"
    """`file` is the file's first window or table, a number another one of them, `full` the whole
    range of the samples, and {center: 40, width: 400} one of your own, in the file's units
    (Hounsfield for CT)."""
