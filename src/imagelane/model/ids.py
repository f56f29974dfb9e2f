"""Identities: of runs, groups, images, tasks and attempts.

An identity is made of numbers given at enumeration, never of a user's file name: names are shown,
they are never keys.
"""

from __future__ import annotations

from typing import NamedTuple, NewType

from imagelane.model.states import Scope

RunId = NewType("RunId", str)
"""Sortable by time, e.g. ``20261123-225900-k3f9``."""

StageName = NewType("StageName", str)
"""The name under which a stage stands in its pipeline file."""

Digest = NewType("Digest", str)
"""A SHA-256 in 64 lower-case hexadecimal digits."""


class Subject(NamedTuple):
    """What a stage works on: one image, one group, or the whole run.

    Groups and ordinals count from 1 in the order of the source. ``group == 0`` is the run;
    ``ordinal == 0`` is the group as a whole. Subjects sort in published order.
    """

    group: int = 0
    ordinal: int = 0

    @property
    def scope(self) -> Scope:
        if self.ordinal:
            return Scope.IMAGE
        return Scope.GROUP if self.group else Scope.RUN

    @property
    def of_group(self) -> Subject:
        """The group that this subject belongs to (itself, for a group)."""
        return Subject(self.group)

    def __str__(self) -> str:
        if self.ordinal:
            return f"{self.group}.{self.ordinal}"
        return str(self.group) if self.group else "run"

    @classmethod
    def parse(cls, text: str) -> Subject:
        """The inverse of ``str``.

        Raises:
            ValueError: the text is not ``run``, ``GROUP`` or ``GROUP.ORDINAL``.
        """
        if text == "run":
            return THE_RUN
        group, _, ordinal = text.partition(".")
        subject = cls(int(group), int(ordinal or 0))
        if subject.group < 1 or subject.ordinal < 0:
            raise ValueError(f"{text!r} is not a subject: expected 'run', GROUP or GROUP.ORDINAL")
        return subject


THE_RUN = Subject()


class Task(NamedTuple):
    """One stage on one subject: the unit of work and of recording."""

    stage: StageName
    subject: Subject

    def __str__(self) -> str:
        return f"{self.stage}@{self.subject}"
