"""``images``: where they come from, which of them belong together, and in which order."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, model_validator

from imagelane.declare.problems import shown
from imagelane.declare.sections.base import Section
from imagelane.declare.values import Text, mistake
from imagelane.model.spec import GroupSpec, ImagesSpec, PrimarySpec


def _pattern(value: str) -> str:
    try:
        groups = re.compile(value).groupindex
    except (re.error, OverflowError, RecursionError) as error:
        found = f"{shown(value)} is no regular expression: {error}"
        raise mistake(found, r"such as (?P<group>SKU\d+)_.*") from None
    if "group" not in groups:
        found = f"{shown(value)} has no part called group"
        raise mistake(found, r"(?P<group>…) around the part that images of a group share")
    return value


class GroupSection(Section):
    """Which images belong together: `folder` (those in one folder), `none` (each stands alone), or
    a mapping with a pattern or a column."""

    SHORT: ClassVar[str] = "by"

    by: Literal["folder", "pattern", "column", "none"] | None = None
    """What they share; need not be said beside a pattern or a column."""
    pattern: Annotated[Text, AfterValidator(_pattern)] | None = None
    r"""A regular expression for file names, with a part called group: (?P<group>SKU\d+)_.*"""
    column: Text | None = None
    """The manifest's column that holds the group's name."""

    @model_validator(mode="after")
    def _one(self) -> GroupSection:
        said = [key for key in ("pattern", "column") if getattr(self, key) is not None]
        by = self.by or (said[0] if said else "folder")
        wanted = [by] if by in {"pattern", "column"} else []
        if said != wanted:
            raise mistake(
                f"found {' and '.join([*([f'by: {self.by}'] if self.by else []), *said])}",
                "folder, none, {pattern: …} or {column: …}",
            )
        return self

    def spec(self) -> GroupSpec:
        by = "pattern" if self.pattern else "column" if self.column else self.by or "folder"
        return GroupSpec(by, self.pattern, self.column)


class PrimarySection(Section):
    """Which image of a group runs first, so that the others can use its facts: `first`, or the one
    that a pattern or a column points out."""

    SHORT: ClassVar[str] = "which"

    which: Literal["first"] = "first"
    """`first`: the first in order."""
    pattern: Text | None = None
    """A glob for file names, such as *_front.*."""
    column: Text | None = None
    """The manifest's column that points it out."""
    value: Text | None = None
    """What that column says of it; primary where nothing is said."""
    on_failure: Literal["abort", "partial", "halt"] = "abort"
    """What becomes of the group when its primary fails."""

    @model_validator(mode="after")
    def _one(self) -> PrimarySection:
        if self.pattern is not None and self.column is not None:
            raise mistake("found both pattern and column", "one of them")
        if "which" in self.model_fields_set and (self.pattern or self.column):
            raise mistake("found 'first' beside another way to choose", "one of them", at="which")
        if self.value is not None and self.column is None:
            raise mistake("found value without column", "column and value", at="value")
        return self

    def spec(self) -> PrimarySpec:
        if self.pattern is not None:
            return PrimarySpec("pattern", pattern=self.pattern, on_failure=self.on_failure)
        if self.column is not None:
            value = self.value or "primary"
            return PrimarySpec(
                "column", column=self.column, value=value, on_failure=self.on_failure
            )
        return PrimarySpec(on_failure=self.on_failure)


MANIFEST_ENDINGS = (".csv", ".jsonl", ".ndjson", ".json")


class ImagesSection(Section):
    """Where the images come from, which of them belong together, and in which order."""

    origin: Text = Field(alias="from")
    """A folder, a glob such as photos/**/*.jpg, or a manifest (.csv or .jsonl)."""
    group: GroupSection = Field(default_factory=GroupSection)
    """Which images belong together: they go live together."""
    order: Literal["name", "captured", "manifest"] = "name"
    """The order within a group: by file name, by time of capture, or as the manifest lists them."""
    primary: PrimarySection | None = None
    """Which image of a group runs first, so that the others can use its facts."""
    path_column: Text = "path"
    """The manifest's column that holds the path, relative to the manifest."""

    @property
    def manifest(self) -> bool:
        """Whether the images come from a manifest, whose columns are facts."""
        return self.origin.lower().endswith(MANIFEST_ENDINGS)

    @model_validator(mode="after")
    def _with_a_manifest(self) -> ImagesSection:
        if self.manifest:
            return self
        expected = "a manifest in `from`, ending in .csv or .jsonl"
        if self.order == "manifest":
            raise mistake("found 'manifest', and no manifest", expected, at="order")
        if self.group.column:
            raise mistake("found a column, and no manifest", expected, at="group")
        if self.primary and self.primary.column:
            raise mistake("found a column, and no manifest", expected, at="primary")
        return self

    def spec(self) -> ImagesSpec:
        primary = self.primary.spec() if self.primary else None
        return ImagesSpec(self.origin, self.group.spec(), self.order, primary, self.path_column)
