"""The built-in stages' catalogue, the worker's side: what each kind does. One line a stage.

A stage's module has ``run(parameters, attempt) -> Result``. One that makes a picture also has
``make(parameters, attempt) -> Picture``: the picture alone, without anything that is written, for
another attempt that needs it again.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, cast

from imagelane.execute.errors import BugError

if TYPE_CHECKING:
    from imagelane.execute.attempt import Attempt, Result
    from imagelane.execute.picture import Picture

MODULES: Mapping[str, str] = {
    "validate": "validate",
    "deidentify": "deidentify",
    "dicom": "dicom",
    "metadata": "metadata",
    "normalize": "normalize",
    "thumbnails": "thumbnails",
    "resize": "resize",
    "crop": "crop",
    "watermark": "watermark",
    "encode": "encode",
    "moderate": "moderate",
    "http": "http",
    "command": "command",
    "store": "store",
    "contact-sheet": "contact_sheet",
}


class Stage(Protocol):
    """A stage's module."""

    def run(self, parameters: Mapping[str, Any], attempt: Attempt) -> Result:
        """Do the stage's work.

        Raises:
            StageError: it cannot be done; its class says whether another attempt can help.
        """


class PictureStage(Stage, Protocol):
    """The module of a stage that makes a picture."""

    def make(self, parameters: Mapping[str, Any], attempt: Attempt) -> Picture:
        """The picture as the stage leaves it."""


def load(uses: str) -> Stage:
    """The module of a kind of stage; ``module:function`` names a user's own.

    Raises:
        BugError: there is no such kind.
    """
    if ":" in uses:
        functions = importlib.import_module("imagelane.execute.stages.function")
        return cast("Stage", functions.Function(uses))
    module = MODULES.get(uses)
    if module is None:
        raise BugError(f"no stage is called {uses!r}: expected one of {', '.join(MODULES)}")
    return cast("Stage", importlib.import_module(f"imagelane.execute.stages.{module}"))
