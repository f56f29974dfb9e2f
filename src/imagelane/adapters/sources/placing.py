"""Which group a file belongs to, and the keys by which groups and files are put in order."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from imagelane.adapters.sources.candidate import Candidate, LeftOut
from imagelane.adapters.sources.exif import captured
from imagelane.adapters.sources.natural import by_folder, by_name, by_number
from imagelane.model.spec import ImagesSpec
from imagelane.ports.source import SourceError

UNMATCHED = "name that the group's pattern does not match"


@dataclass(frozen=True, slots=True)
class Placed:
    """A file in its group. ``key`` tells groups apart; several groups can have one name.

    ``group_order`` and ``order`` sort groups and the files within one. ``may_lead``: it may be the
    group's primary, if it is the first in order of those that may.
    """

    key: str
    group: str
    group_order: bytes
    order: bytes
    may_lead: bool
    role: str


class Placing:
    """Places files as an `ImagesSpec` says.

    ``root_name`` names the group of files that lie in the source's own folder. Where each image
    stands alone, groups are named after files, and `names_are_made_distinct`.
    """

    def __init__(self, images: ImagesSpec, root_name: str) -> None:
        """Raises:
        SourceError: the pattern is no regular expression with a group called ``group``.
        """
        self._images = images
        self._root_name = root_name
        self._pattern = _compiled(images.group.pattern) if images.group.by == "pattern" else None
        self._leads = _leads(images)
        # Files of one group mostly follow each other.
        self._last_group: tuple[str, bytes] = ("", b"")
        self.names_are_made_distinct = images.group.by == "none"

    def place(self, candidate: Candidate) -> Placed | LeftOut:
        """Where a file belongs; left out where no group claims it."""
        key = self._key(candidate)
        if key is None:
            return LeftOut(UNMATCHED, candidate.relative)
        order = self._order(candidate)
        match self._images.group.by:
            case "none":
                group = candidate.name.rpartition(".")[0] or candidate.name
            case "folder":
                group = key or self._root_name
            case _:
                group = key
        # A manifest's groups come as they first appear in it; images that stand alone, as images.
        if self._images.order == "manifest" or self._images.group.by == "none":
            group_order = order
        else:
            group_order = self._group_order(key)
        role = candidate.columns.get("role", "").strip()
        # With a primary declared, the declaration alone says which image that is.
        if self._images.primary is not None and role == "primary":
            role = ""
        return Placed(key, group, group_order, order, self._leads(candidate), role)

    def _group_order(self, key: str) -> bytes:
        if key != self._last_group[0]:
            by = by_folder if self._images.group.by == "folder" else by_number
            self._last_group = (key, by(key))
        return self._last_group[1]

    def _key(self, candidate: Candidate) -> str | None:
        group = self._images.group
        match group.by:
            case "folder":
                return candidate.folder
            case "column":
                return candidate.columns[group.column or ""].strip()
            case "none":
                return candidate.relative
        found = self._pattern.match(candidate.name) if self._pattern else None
        return (found["group"] or None) if found else None

    def _order(self, candidate: Candidate) -> bytes:
        match self._images.order:
            case "manifest":
                return candidate.row.to_bytes(8)
            case "captured":
                taken = captured(candidate.path)
                # What has no date follows what has one.
                date = b"\1" if taken is None else b"\0" + taken.encode() + b"\0"
                return date + by_name(candidate.name)
            case _:
                return by_name(candidate.name)


def _compiled(pattern: str | None) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern or "")
    except re.error as error:
        raise SourceError(f"images: group: pattern {pattern!r} is no pattern: {error}") from error
    if "group" not in compiled.groupindex:
        raise SourceError(
            f"images: group: pattern {pattern!r} has no part called group: expected "
            r"(?P<group>…) around what the images of a group share"
        )
    return compiled


def _leads(images: ImagesSpec) -> Callable[[Candidate], bool]:
    primary = images.primary
    if primary is None:
        return lambda _: False
    match primary.which:
        case "pattern":
            pattern = primary.pattern or "*"
            return lambda candidate: fnmatch.fnmatchcase(candidate.name, pattern)
        case "column":
            column, value = primary.column or "role", primary.value or "primary"
            return lambda candidate: candidate.columns.get(column, "").strip() == value
        case _:
            return lambda _: True


def needed_column(images: ImagesSpec) -> str | None:
    """The manifest column in which every row must say something."""
    return images.group.column if images.group.by == "column" else None


def check(images: ImagesSpec, *, manifest: bool) -> None:
    """Refuse what only a manifest can answer.

    Raises:
        SourceError: the source is a folder.
    """
    asked: Mapping[str, bool] = {
        "order: manifest": images.order == "manifest",
        "group: {column: …}": images.group.by == "column",
        "primary: {column: …}": images.primary is not None and images.primary.which == "column",
    }
    for words, said in asked.items():
        if said and not manifest:
            raise SourceError(
                f"images: {words} needs a manifest, and {images.origin!r} is a folder: name a .csv "
                "or .jsonl file under images: from"
            )
