"""The step that makes a group visible: its members become a version, the version goes live."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from imagelane.model.ids import StageName
from imagelane.model.obstacle import Obstacle, ObstacleKind
from imagelane.model.outcome import Failure, Outcome, Rendition, Success
from imagelane.model.states import ErrorClass
from imagelane.ports.artifacts import ArtifactDamagedError
from imagelane.ports.publisher import IndexedPublisher, Publisher, PublishError, Version
from imagelane.publish.index import build_index
from imagelane.publish.manifest import build


def publish_group(
    publisher: Publisher,
    fence: int,
    *,
    pipeline: str,
    group_name: str,
    slug: str,
    members: Path,
    group_outputs: Mapping[StageName, Sequence[Rendition]] | None = None,
    title: str | None = None,
    expected: frozenset[str] | None = None,
) -> Outcome:
    """Publish a group from its members file. Doing it again with the same members is harmless.

    The facts of success are ``manifest`` (the version's digest), ``slug`` and ``images`` (how many
    there are to be seen). The parameters are those of `imagelane.publish.manifest.build`.

    Raises:
        StaleFenceError: a later coordinator has published the group.
    """
    version = build(
        pipeline=pipeline,
        group_name=group_name,
        slug=slug,
        members=read_members(members),
        group_outputs=group_outputs,
        title=title,
        expected=expected,
    )
    try:
        go_live(publisher, version, fence)
    except (PublishError, ArtifactDamagedError) as error:
        return _failure(error)
    return Success(facts={"manifest": version.digest, "slug": slug, "images": len(version.rows)})


def go_live(publisher: Publisher, version: Version, fence: int) -> None:
    """Stage a version, then promote it: after a crash in between, doing both again is right.

    Raises:
        StaleFenceError: a later coordinator has published the group.
        PublishError: it cannot be published.
        ArtifactDamagedError: a file is not what it was.
    """
    publisher.stage(version)
    publisher.promote(version, fence)


def publish_index(
    publisher: IndexedPublisher,
    fence: int,
    *,
    pipeline: str,
    slugs: Iterable[str],
    title: str | None = None,
) -> Outcome:
    """Publish the list of those galleries that are live. The fact of success is ``galleries``: how
    many they are.

    Raises:
        StaleFenceError: a later coordinator has published the list.
    """
    try:
        live = [
            (slug, manifest) for slug in slugs if (manifest := publisher.manifest(slug)) is not None
        ]
        publisher.publish_index(build_index(pipeline, title, live), fence)
    except PublishError as error:
        return _failure(error)
    return Success(facts={"galleries": len(live)})


def read_members(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a members file."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _failure(error: PublishError | ArtifactDamagedError) -> Failure:
    if isinstance(error, ArtifactDamagedError):
        obstacle = Obstacle(ObstacleKind.DAMAGED, error.digest) if error.digest else None
        return Failure(ErrorClass.INVALID, str(error), obstacle=obstacle)
    kind = ErrorClass.TRANSIENT if error.passing else ErrorClass.INVALID
    return Failure(kind, str(error), obstacle=error.obstacle)
