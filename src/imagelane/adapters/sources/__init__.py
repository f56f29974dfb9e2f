"""Sources: folders, glob patterns and manifests, all read through one spool."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from imagelane.adapters.sources import manifest
from imagelane.adapters.sources.folder import walk
from imagelane.adapters.sources.globs import Glob, has_magic, split
from imagelane.adapters.sources.placing import Placing, check, needed_column
from imagelane.adapters.sources.spool import Listing, SpooledSource, build
from imagelane.model.spec import ImagesSpec
from imagelane.ports.source import SourceError

__all__ = ["SpooledSource", "open_source"]


def open_source(
    images: ImagesSpec, folder: Path, spool: Path, exclude: Sequence[Path] = ()
) -> SpooledSource:
    """The images that a pipeline declares, listed once.

    ``folder`` is the pipeline's own. ``spool`` is the file that keeps the list: if it is there it
    is read, whatever the source holds by now; otherwise it is made. ``exclude`` are folders to
    pass over: the workspace, what is published.

    Raises:
        SourceError: the source cannot be listed, or holds no image.
    """
    declaration = _digest(images, folder)
    if not spool.exists():
        root, listing = _listing(images, folder, exclude)
        placing = Placing(images, root.resolve().name or "images")
        spool.parent.mkdir(parents=True, exist_ok=True)
        build(spool, declaration, placing, listing)
    return SpooledSource(spool, declaration)


def _listing(images: ImagesSpec, folder: Path, exclude: Sequence[Path]) -> tuple[Path, Listing]:
    """The folder that paths are meant from, and how to list what is below it."""
    origin = folder / images.origin
    if origin.is_file():
        if not manifest.is_manifest(origin.name):
            raise SourceError(
                f"{origin} is a single file: expected a folder, a pattern such as photos/**/*.jpg, "
                "or a manifest that ends in .csv, .jsonl or .json"
            )
        check(images, manifest=True)
        rows = manifest.read(origin, images.path_column, needed_column(images))
        return origin.parent, Listing(
            str(origin), manifest=True, walk=lambda _: rows, advice="name a file in each row"
        )
    # A folder may really be called "photos [2024]", so what is there goes before patterns.
    root, pattern, advice = origin, None, "check the path under images: from"
    if not origin.exists() and has_magic(images.origin):
        base, below = split(images.origin)
        root, pattern = folder / base, Glob(below)
        advice = "the pattern names files, so end it in /** for all that is in folders"
    if not root.is_dir():
        raise SourceError(_missing(root))
    check(images, manifest=False)
    return root, Listing(
        str(origin),
        manifest=False,
        walk=lambda todo: walk(root, pattern, exclude, todo),
        advice=advice,
    )


def _missing(path: Path) -> str:
    near = next((parent for parent in path.parents if parent.is_dir()), Path("/"))
    try:
        names = sorted(entry.name for entry in near.iterdir() if not entry.name.startswith("."))
    except OSError:
        names = []
    held = ", ".join(names[:8]) or "nothing that can be seen"
    return (
        f"there is no folder or manifest {path}: {near} holds {held}; check the path under "
        "images: from"
    )


def _digest(images: ImagesSpec, folder: Path) -> str:
    said = json.dumps([asdict(images), str(folder)], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()
