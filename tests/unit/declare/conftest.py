"""A pipeline file that says all that one can say, and ways to read and change it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imagelane.declare.load import parse
from imagelane.declare.problems import DeclarationError, Problem
from imagelane.model.spec import Described, PipelineSpec, StageTraits

GALLERY = """\
pipeline: news-gallery

images:
  from: photos/
  group: folder
  order: name
  primary: first

stages:
  validate:
    with: {formats: [jpeg, png, webp, heic], max_megapixels: 100, max_bytes: 50MB}
  metadata:
    needs: [validate]
  thumbnails:
    needs: [validate]
    with: {widths: [160, 480, 1080], format: jpeg, quality: 80}
    on_failure: partial
  watermark:
    needs: [metadata]
    with: {text: "© {copyright|Gazette}, {primary.captured}", width: 1600, opacity: 80%}
  moderate:
    needs: [validate]
    uses: http
    with: {url: "https://moderation.internal/check/{stem}"}
    workers: 5
    timeout: 10s
    retry: {attempts: 5, initial: 500ms, backoff: 2, max: 30s, jitter: full}
    on_failure: halt
  sharpen:
    uses: command
    needs: thumbnails
    with: {run: [sharpen, "{source}", "{output}"], input: thumbnails, output: sharp.jpg}
    retry: 2
    pool: slow
  store:
    needs: [thumbnails, watermark, moderate, sharpen]
    with: {to: public/}
  contact-sheet:
    scope: group
    needs: [thumbnails]
  publish:
    scope: group
    needs: [store, contact-sheet]
    gate: {require: 90%, timeout: 10m, on_failure: held}

run:
  model: hybrid
  batch_size: 4
  workers: {thumbnails: 2}
  pools: {slow: 1}
  memory: 2GiB
"""

Read = Callable[[str], PipelineSpec]
Mistakes = Callable[[str], list[Problem]]


def describe(uses: str, parameters: Mapping[str, Any], _folder: Path) -> Described:
    """What a process that looks at users' functions would say of `mine:threshold`."""
    if uses != "mine:threshold":
        return Described(errors=(("", f"{uses} is not there"),))
    errors = tuple((name, "not a parameter of it") for name in parameters if name != "at")
    return Described(
        StageTraits(facts=frozenset({"over"})), {"at": 0.5, **parameters}, None, errors
    )


@pytest.fixture
def read(tmp_path: Path) -> Read:
    return lambda text: parse(text, "gallery.yaml", tmp_path, describe)


@pytest.fixture
def mistakes(read: Read) -> Mistakes:
    """The mistakes of a text, at least one."""

    def find(text: str) -> list[Problem]:
        with pytest.raises(DeclarationError) as caught:
            read(text)
        return list(caught.value.problems)

    return find


def without_places(spec: PipelineSpec) -> PipelineSpec:
    stages = tuple(replace(stage, location=None) for stage in spec.stages)
    return replace(spec, file=None, stages=stages)
