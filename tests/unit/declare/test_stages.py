"""The built-in stages, the declaring side: what they take, and what the planner learns of them."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from imagelane.declare.problems import DeclarationError
from imagelane.declare.stages import (
    CATALOGUE,
    Command,
    ContactSheet,
    Crop,
    Deidentify,
    Dicom,
    Encode,
    Http,
    Metadata,
    Moderate,
    Normalize,
    Publish,
    Resize,
    StageParameters,
    Store,
    Thumbnails,
    Validate,
    Watermark,
)
from imagelane.execute.stages import MODULES
from imagelane.model.spec import Extent, Place, Reads
from imagelane.model.states import Scope


def test_the_catalogue_says_what_each_kind_is_called() -> None:
    assert {kind: model.KIND for kind, model in CATALOGUE.items()} == {
        kind: kind for kind in CATALOGUE
    }


@pytest.mark.parametrize("kind", CATALOGUE)
def test_every_parameter_is_described(kind: str) -> None:
    """Editors show these texts."""
    assert CATALOGUE[kind].__doc__
    for name, field in CATALOGUE[kind].model_json_schema()["properties"].items():
        assert field.get("description"), name


@pytest.mark.parametrize("kind", MODULES)
def test_both_sides_of_a_stage_have_the_same_parameters(kind: str) -> None:
    module = importlib.import_module(f"imagelane.execute.stages.{MODULES[kind]}")
    assert set(module.Parameters.__annotations__) == set(CATALOGUE[kind].model_fields)


def test_both_catalogues_have_the_same_stages() -> None:
    # Publishing is the engine's own: no worker does it.
    assert set(MODULES) == set(CATALOGUE) - {"publish"}


@pytest.mark.parametrize(
    ("stage", "extent"),
    [
        (Validate(), None),
        (Metadata(), Extent(256, 256)),
        (Normalize(), Extent()),
        (Thumbnails(widths=[160, 1080, 480]), Extent(width=1080)),
        (Resize(width=800), Extent(width=800)),
        (Resize(width=800, height=600), Extent(800, 600)),
        (Resize(width=800, height=600, fit="cover"), Extent(800, 600, "cover")),
        (Resize(width=800, height=600, fit="fill"), Extent(800, 600, "cover")),
        (Crop(width=800, height=600), Extent(800, 600, "cover")),
        (Crop(aspect="3:2"), Extent()),
        (Watermark(text="a"), Extent()),
        (Watermark(text="a", width=1600), Extent(width=1600)),
        (Encode(), Extent()),
        (Encode(widths=[400, 800]), Extent(width=800)),
        (Moderate(), Extent(256, 256, "cover")),
        (Deidentify(key="secret.key"), None),
        (Dicom(frame="middle", window={"center": 40, "width": 400}), None),
        (Http(url="https://example.org"), None),
        (Command(run=["true"]), None),
        (Store(), None),
        (ContactSheet(), None),
        (Publish(), None),
    ],
    ids=repr,
)
def test_extents(stage: StageParameters, extent: Extent | None) -> None:
    assert stage.extent() == extent
    assert (extent is not None) == (stage.traits().reads is Reads.PICTURE)


def test_what_the_planner_learns() -> None:
    makers = {kind for kind, model in CATALOGUE.items() if model.TRAITS.makes_picture}
    assert makers == {"dicom", "normalize", "resize", "crop", "watermark"}
    gathering = {kind for kind, model in CATALOGUE.items() if model.TRAITS.gathers}
    assert gathering == {"store", "contact-sheet", "publish"}
    threads = {kind for kind, model in CATALOGUE.items() if model.TRAITS.place is Place.THREAD}
    assert threads == {"http", "command", "store"}
    groups = {kind for kind, model in CATALOGUE.items() if Scope.IMAGE not in model.TRAITS.scopes}
    assert groups == {"contact-sheet", "publish"}
    assert Publish.TRAITS.place is Place.COORDINATOR
    assert Http.TRAITS.pool == "io"
    assert Command.TRAITS.pool == "cpu"


def test_traits_that_depend_on_parameters() -> None:
    url = "https://example.org"
    assert Watermark(text="a").traits().makes_renditions
    assert not Watermark(text="a", format="none").traits().makes_renditions
    assert Http(url=url).traits().facts == {"*"}
    assert Http(url=url, facts=["score"]).traits().facts == {"score"}
    assert Http(url=url, facts="none").traits().facts == frozenset()
    assert Http(url=url).traits().reads is Reads.SOURCE
    assert Http(url=url, send="facts").traits().reads is Reads.NOTHING
    assert Http(url=url, send="thumbnails").traits().reads is Reads.RENDITIONS
    assert not Command(run=["a"]).traits().makes_renditions
    assert Command(run=["a"], output="a.png").traits().makes_renditions
    assert Command(run=["a"], facts="json").traits().facts == {"*"}
    assert Command(run=["a"], input="thumbnails").traits().reads is Reads.RENDITIONS


def test_parameters_are_normalised() -> None:
    stage = Validate(max_bytes="2MiB", max_megapixels=50)
    assert stage.model_dump(mode="json")["max_bytes"] == 2 * 1024**2
    marked = Watermark(text="a", opacity="50%", color="#FFF")
    assert (marked.opacity, marked.color) == (0.5, "#ffffff")
    crop = Crop(aspect="3:2", focal=["20%", 0.5])
    assert crop.model_dump(mode="json")["focal"] == [0.2, 0.5]
    command = Command(run=["a"], exit_codes={3: "invalid", "75": "bug"})
    usual = Command(run=["a"]).exit_codes
    assert command.exit_codes == {**usual, "3": "invalid", "75": "bug"}


WRONG: list[tuple[type[StageParameters], dict[str, Any], str]] = [
    (Validate, {"formats": []}, "formats: found an empty list"),
    (Validate, {"formats": ["jpeg", "jpg"]}, "did you mean 'jpeg'?"),
    (Validate, {"max_megapixels": 0}, "expected more than 0"),
    (Validate, {"max_megapixels": 10**30}, "expected at most 100,000"),
    (Validate, {"max_megapixels": True}, "found true"),
    (Thumbnails, {"widths": [-160]}, "widths[0]: found -160"),
    (Thumbnails, {"widths": [10**30]}, "found a number of more than 20 digits"),
    (Thumbnails, {"widths": 160}, "expected a list"),
    (Thumbnails, {"widths": "160"}, "expected a list"),
    (Thumbnails, {"widths": [160.0]}, "expected a whole number"),
    (Thumbnails, {"widths": [160, 480, 160]}, "160 stands twice in the list"),
    (Thumbnails, {"widths": [20_000], "format": "webp"}, "at most 16383 pixels for webp"),
    (Thumbnails, {"format": "png", "quality": 80}, "png is lossless and has no quality"),
    (Thumbnails, {"effort": 3}, "jpeg has no effort"),
    (Thumbnails, {"format": "webp", "effort": 9}, "at most 6 for webp"),
    (Thumbnails, {"quality": 101}, "expected at most 100"),
    (Thumbnails, {"linear": "yes"}, "expected auto, true or false"),
    (Thumbnails, {"keep": ["gps"]}, "expected icc or copyright"),
    (Thumbnails, {"preset": "smal"}, "did you mean 'small'?"),
    (Thumbnails, {"target": {}}, "target: found neither"),
    (Thumbnails, {"target": 75}, "target: found 75"),
    (Thumbnails, {"target": {"ssimulacra2": 101}}, "target.ssimulacra2: found 101"),
    (Thumbnails, {"target": {"ssimulacra": 75}}, "did you mean 'ssimulacra2'?"),
    (Thumbnails, {"target": {"max_bytes": "small"}}, "target.max_bytes: found 'small'"),
    (Thumbnails, {"target": {"ssimulacra2": 75}, "quality": 80}, "found both quality and target"),
    (Thumbnails, {"target": {"max_bytes": 9}, "format": "png"}, "png is lossless"),
    (Watermark, {"text": "a", "target": {"max_bytes": 9}, "format": "png"}, "png is lossless"),
    (Encode, {"target": {"max_bytes": 9}, "formats": ["webp", "png"]}, "png is lossless"),
    (Encode, {"target": {"ssimulacra2": 75}, "formats": ["png"]}, "png is lossless"),
    (Encode, {"target": {"ssimulacra2": 75}, "quality": {"webp": 7}}, "found both quality and"),
    (Thumbnails, {"qualty": 80}, "did you mean 'quality'?"),
    (Resize, {}, "found neither width nor height"),
    (Resize, {"width": 10, "fit": "cover"}, "'cover' without a height"),
    (Crop, {}, "found no whole size"),
    (Crop, {"width": 10}, "found no whole size"),
    (Crop, {"width": 10, "aspect": "3:2"}, "aspect beside width or height"),
    (Crop, {"aspect": "3:0"}, "expected width:height, such as 3:2"),
    (Crop, {"aspect": "3:2", "focal": [0.5]}, "expected two shares"),
    (Crop, {"aspect": "3:2", "focal": [0.5, 2]}, "focal: found a list"),
    (Crop, {"aspect": "3:2", "at": "center"}, "did you mean 'centre'?"),
    (Watermark, {}, "found neither text nor logo"),
    (Watermark, {"text": "a", "logo": "b"}, "found both text and logo"),
    (Watermark, {"text": "© {copyright"}, "a '{' stands alone"),
    (Watermark, {"text": "a", "color": "white"}, "expected a colour such as #ffffff"),
    (Watermark, {"text": "a", "size": 0}, "size: found 0"),
    (Watermark, {"text": "a", "opacity": "120%"}, "expected a share"),
    (Encode, {"quality": {"jpg": 80}}, "did you mean 'jpeg'?"),
    (Encode, {"quality": {"jpeg": 0}}, "from 1 to 100"),
    (Encode, {"quality": {"png": 80}}, "png is lossless"),
    (Encode, {"effort": 9}, "at most 6 for webp"),
    (Encode, {"formats": ["jpeg", "jpeg"]}, "'jpeg' stands twice"),
    (Moderate, {"review": 0.9}, "at most `reject`, 0.85"),
    (Http, {}, "the key 'url' is missing"),
    (Http, {"url": "ftp://x"}, "a URL that begins with https:// or http://"),
    (Http, {"url": "https://x", "headers": {"a b": "c"}}, "'a b' is no header name"),
    (Http, {"url": "https://x", "headers": {"a": "b\r\nc: d"}}, "line breaks"),
    (Http, {"url": "https://x", "method": "GET"}, "GET has no body"),
    (Http, {"url": "https://x", "facts": []}, "expected all, none or a list"),
    (Http, {"url": "https://x", "expect_status": [20]}, "expected at least 100"),
    (Command, {"run": "ls"}, "shell: true beside it"),
    (Command, {"run": ["ls"], "shell": True}, "a list beside shell: true"),
    (Command, {"run": []}, "expected a list of words"),
    (Command, {"run": ["a"], "output": "../x"}, "the plain name of a file"),
    (Command, {"run": ["a"], "exit_codes": {"300": "ok"}}, "a number from 0 to 255"),
    (Command, {"run": ["a"], "exit_codes": {"3": "fine"}}, "ok, invalid, transient or bug"),
    (ContactSheet, {"cell": 8}, "expected at least 16"),
    (Publish, {"to": ""}, "to: found ''"),
]


@pytest.mark.parametrize(("model", "values", "message"), WRONG)
def test_wrong_parameters(
    model: type[StageParameters], values: dict[str, Any], message: str
) -> None:
    with pytest.raises(DeclarationError) as caught:
        model(**values)
    assert message in str(caught.value)


def test_a_mistake_in_python_names_the_line_of_the_caller() -> None:
    with pytest.raises(DeclarationError) as caught:
        Thumbnails(
            widths=[0],
        )
    (problem,) = caught.value.problems
    assert problem.location is not None
    assert problem.location.file == __file__
    assert problem.line.strip() == "Thumbnails("
