"""A source of which somebody has withdrawn images: they come, and say that they are withheld."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from imagelane.adapters.durable import file_digest
from imagelane.model.forgotten import fingerprint_of
from imagelane.ports.journal import Mark
from imagelane.ports.source import Source, SourceItem


class WithholdingSource:
    """``marks`` are withdrawals: of groups, of images by group and path, and of files by digest. A
    file is read for that only where it has as many bytes as one that was withdrawn."""

    def __init__(self, source: Source, marks: Sequence[Mark]) -> None:
        self._source = source
        self._named = {(mark.group, mark.path): mark for mark in marks}
        self._digests = {mark.digest: mark for mark in marks if mark.digest}
        self._sizes = {mark.bytes for mark in marks if mark.digest}

    def items(self, start: int = 0) -> Iterator[SourceItem]:
        for item in self._source.items(start):
            mark = self._mark(item)
            if mark is None:
                yield item
            else:
                did = "withdrawn" if mark.reason else "erased before"
                why = f"{did} by {mark.actor}{': ' if mark.reason else ''}{mark.reason}"
                yield replace(item, withheld=why)

    def count(self) -> tuple[int, int]:
        return self._source.count()

    def ignored(self) -> Mapping[str, int]:
        return self._source.ignored()

    def close(self) -> None:
        self._source.close()

    def _mark(self, item: SourceItem) -> Mark | None:
        for path in (item.path, ""):
            if (mark := self._named.get((item.group_name, path))) is not None:
                return mark
        if item.bytes not in self._sizes:
            return None
        try:
            digest = file_digest(Path(item.path))
        except OSError:
            # Whoever reads it next says what is wrong with it.
            return None
        return self._digests.get(digest) or self._digests.get(fingerprint_of(digest))
