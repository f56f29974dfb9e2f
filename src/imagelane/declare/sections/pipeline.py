"""A whole pipeline file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field

from imagelane.declare.sections.alerts import AlertSection
from imagelane.declare.sections.base import Section
from imagelane.declare.sections.failure import ToleranceSection
from imagelane.declare.sections.images import ImagesSection
from imagelane.declare.sections.run import RunSection
from imagelane.declare.values import Text


class PipelineSection(Section):
    """A whole pipeline file."""

    pipeline: Annotated[Text, Field(max_length=100)]
    """The pipeline's name."""
    images: ImagesSection
    """Where the images come from, which of them belong together, and in which order."""
    stages: Any
    """What is done: a mapping of names to stages, or a list in which each needs the one before."""
    run: RunSection | None = None
    """How to execute."""
    tolerance: ToleranceSection | None = None
    """How many images may be lost before their group, or the run, is given up; a share such as 5%,
    or a mapping."""
    alerts: Sequence[AlertSection] = ()
    """Whom to call when a human should look: a list of ways."""
    workspace: Text = ".imagelane"
    """The folder for the journal and what is made on the way, relative to this file."""
