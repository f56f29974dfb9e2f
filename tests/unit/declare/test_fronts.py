"""One model, two fronts: the same pipeline in YAML and in Python."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from imagelane.declare.pipeline import Images, Pipeline, Run, Stage
from imagelane.declare.problems import DeclarationError
from imagelane.declare.sections.images import ImagesSection
from imagelane.declare.sections.run import RunSection
from imagelane.declare.sections.stage import StageSection
from imagelane.declare.stages import (
    CATALOGUE,
    Command,
    ContactSheet,
    Http,
    Metadata,
    Publish,
    Store,
    Thumbnails,
    Validate,
    Watermark,
)
from imagelane.model.policy import BreakerPolicy, GatePolicy, RetryPolicy, Tolerance

from .conftest import GALLERY, Read, describe, without_places


def gallery(folder: Path) -> Pipeline:
    """The same as `GALLERY`."""
    return Pipeline(
        "news-gallery",
        images=Images("photos/", primary="first"),
        stages=[
            Validate(formats=["jpeg", "png", "webp", "heic"], max_megapixels=100, max_bytes="50MB"),
            Stage("metadata", Metadata(), needs=["validate"]),
            Stage(
                "thumbnails",
                Thumbnails(widths=(160, 480, 1080), format="jpeg", quality=80),
                needs=["validate"],
                on_failure="partial",
            ),
            Stage(
                "watermark",
                Watermark(
                    text="© {copyright|Gazette}, {primary.captured}", width=1600, opacity="80%"
                ),
                needs=["metadata"],
            ),
            Stage(
                "moderate",
                Http(url="https://moderation.internal/check/{stem}"),
                needs=["validate"],
                workers=5,
                timeout=10,
                retry=RetryPolicy(attempts=5),
                on_failure="halt",
            ),
            Stage(
                "sharpen",
                Command(
                    run=["sharpen", "{source}", "{output}"], input="thumbnails", output="sharp.jpg"
                ),
                needs="thumbnails",
                retry=2,
                pool="slow",
            ),
            Stage(
                "store",
                Store(to="public/"),
                needs=["thumbnails", "watermark", "moderate", "sharpen"],
            ),
            Stage("contact-sheet", ContactSheet(), scope="group", needs=["thumbnails"]),
            Stage(
                "publish",
                Publish(),
                scope="group",
                needs=["store", "contact-sheet"],
                gate=GatePolicy(0.9, 600, "held"),
            ),
        ],
        run=Run(
            "hybrid", batch_size=4, workers={"thumbnails": 2}, pools={"slow": 1}, memory="2GiB"
        ),
        folder=folder,
    )


def test_both_fronts_give_the_same_pipeline(read: Read, tmp_path: Path) -> None:
    assert without_places(gallery(tmp_path).spec()) == without_places(read(GALLERY))


def test_a_file_opened_from_python(tmp_path: Path) -> None:
    (tmp_path / "gallery.yaml").write_text(GALLERY)
    opened = Pipeline.from_file(tmp_path / "gallery.yaml")
    assert without_places(opened.spec()) == without_places(gallery(tmp_path).spec())
    assert (opened.name, opened.folder) == ("news-gallery", tmp_path)


@pytest.mark.parametrize(
    ("front", "section", "renamed"),
    [
        (Images, ImagesSection, {"origin": "from"}),
        (Run, RunSection, {}),
        (Stage, StageSection, {"parameters": "with"}),
    ],
)
def test_both_fronts_know_the_same_words(front: Any, section: Any, renamed: dict[str, str]) -> None:
    words = {renamed.get(one.name, one.name) for one in fields(front)} - {"at", "name"}
    assert words == {field.alias or name for name, field in section.model_fields.items()}


def test_every_built_in_stage_survives_the_way_through_yaml() -> None:
    url, run = "https://example.org", ["a"]
    needed: dict[str, dict[str, Any]] = {
        "http": {"url": url},
        "command": {"run": run},
        "watermark": {"text": "x"},
        "crop": {"aspect": "3:2"},
        "deidentify": {"key": "secret.key"},
        "resize": {"width": 9},
    }
    for kind, model in CATALOGUE.items():
        made = model(**needed.get(kind, {}))
        written = yaml.safe_dump(made.model_dump(mode="json"))
        assert model.model_validate(yaml.safe_load(written)) == made


def test_mistakes_are_found_when_the_pipeline_is_made_and_name_its_lines() -> None:
    with pytest.raises(DeclarationError) as caught:
        Pipeline(
            "p",
            images=Images("photos/", order="nam"),  # type: ignore[arg-type]
            stages=[
                Validate(),
                Stage("thumbnails", Thumbnails(), needs=["valdate"], workers=0),
            ],
        )
    lines = [one.line.strip() for one in caught.value.problems]
    assert [one.where for one in caught.value.problems] == [
        "images.order",
        "stages[1].thumbnails.workers",
        "stages[1].thumbnails.needs[0]",
    ]
    assert lines[0].startswith("images=Images(")
    assert lines[1].startswith('Stage("thumbnails"')
    assert {one.location.file for one in caught.value.problems if one.location} == {__file__}


def test_two_stages_of_one_name() -> None:
    with pytest.raises(DeclarationError, match="a second stage called 'validate'"):
        Pipeline("p", images=Images("a"), stages=[Validate(), Validate()])


def threshold(picture: Any, at: float = 0.5) -> None:
    """Stands for a function of a user's."""


def test_functions_of_ones_own(tmp_path: Path) -> None:
    pipeline = Pipeline(
        "p",
        images=Images("photos/"),
        stages=[
            Stage("mine", "mine:threshold", parameters={"at": 0.7}),
            Stage("later", Watermark(text="{over}"), takes="mine", needs=["mine"]),
        ],
        folder=tmp_path,
    )
    with pytest.raises(DeclarationError, match="cannot be looked at here"):
        pipeline.spec()
    with pytest.raises(DeclarationError, match="'mine' makes no picture"):
        pipeline.spec(describe)


def test_a_function_is_named_by_its_module(tmp_path: Path) -> None:
    pipeline = Pipeline(
        "p", images=Images("photos/"), stages=[Stage("mine", threshold)], folder=tmp_path
    )
    with pytest.raises(DeclarationError, match=f"{__name__}:threshold is not there"):
        pipeline.spec(describe)


def test_a_function_that_no_worker_could_import() -> None:
    with pytest.raises(DeclarationError, match="a function at the top of a module of its own"):
        Pipeline("p", images=Images("a"), stages=[Stage("mine", lambda picture: picture)])


def test_parameters_beside_a_built_in_stage() -> None:
    stage = Stage("small", Thumbnails(), parameters={"widths": [1]})
    with pytest.raises(DeclarationError, match="which has its own"):
        Pipeline("p", images=Images("a"), stages=[stage])


def test_paths_may_be_paths(tmp_path: Path) -> None:
    spec = Pipeline(
        "p", images=Images(tmp_path), stages=[Validate()], folder=tmp_path, workspace=tmp_path / "w"
    ).spec()
    assert (spec.images.origin, spec.workspace) == (str(tmp_path), str(tmp_path / "w"))


def test_relative_paths_are_meant_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Pipeline("p", images=Images("a"), stages=[Validate()]).spec().folder == str(tmp_path)


def test_policies_of_failure_in_both(tmp_path: Path, read: Read) -> None:
    pipeline = Pipeline(
        "p",
        images=Images("photos/"),
        stages=[
            Stage(
                "check",
                Http(url="http://a/"),
                retry=RetryPolicy(attempts=5, budget=0.5),
                breaker=BreakerPolicy(3, 4),
                on_failure={"abort": "run"},
            )
        ],
        tolerance=Tolerance(0.05, 0.1),
        alerts=[{"log": "alerts.jsonl"}, {"mail": {"to": ["a@b.org"], "from": "c@d.org"}}],
        folder=tmp_path,
    )
    text = """\
pipeline: p
images: {from: photos/}
stages:
  - check:
      uses: http
      with: {url: http://a/}
      retry: {attempts: 5, budget: 50%}
      breaker: {failures: 3, of: 4}
      on_failure: {abort: run}
tolerance: {run: 5%, group: 10%}
alerts: [{log: alerts.jsonl}, {mail: {to: a@b.org, from: c@d.org}}]
"""
    assert without_places(pipeline.spec()) == without_places(read(text))
