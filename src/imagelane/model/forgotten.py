"""Events of which the payload was erased: as much as follows from their type, and from the outcome
and the role that their leaves keep. So a run folds, and its counts add up, as before."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from imagelane.model import events as e
from imagelane.model.ids import StageName, Subject
from imagelane.model.records import ImageRecord, image_json
from imagelane.model.states import ImageState
from imagelane.model.work import SourceFile

NAME = "(erased)"
"""Stands for an erased image's name."""


def fingerprint_of(digest: str) -> str:
    """What is kept of the digest of an erased file: whoever has the file can tell that it is the
    one, and nobody else can tell anything."""
    return sha256(f"imagelane erased {digest}".encode()).hexdigest()


def forgotten(
    type_name: str, subject: Subject, stage: str | None, body: Mapping[str, Any]
) -> e.Event:
    """The event that stands for an erased one. ``settled`` of the body, beside what leaves keep, is
    the state in which an image that was taken up again had settled."""
    match type_name:
        case "image_received":
            return e.ImageReceived(subject, 0, NAME, "", 0, 0, body["role"])
        case "image_settled":
            return e.ImageSettled(subject, ImageState(body["outcome"]))
        case "image_reopened":
            settled = ImageState(body["settled"])
            record = ImageRecord(source=SourceFile("", NAME, 0, 0), sequence=0, role=body["role"])
            return e.ImageReopened(subject, settled, "", "", "", image_json(record))
        case "task_succeeded" | "task_failed" | "task_skipped":
            return e.TaskSkipped(subject, StageName(stage or ""), "what was recorded was erased")
        case _:
            return e.Erased(subject, None if stage is None else StageName(stage), type_name)
