"""The starter file: right for the folder, right as a pipeline, and worth reading."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagelane.declare.init import SCHEMA_NAME, starter
from imagelane.declare.load import parse
from imagelane.model.spec import GroupSpec, ImagesSpec, PipelineSpec, PrimarySpec


def folder_with(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def started(folder: Path) -> PipelineSpec:
    return parse(starter(folder), "gallery.yaml", folder)


VIEWS = GroupSpec("pattern", "(?P<group>[^_]+)_.*")


@pytest.mark.parametrize(
    ("names", "images"),
    [
        ((), ImagesSpec("photos/")),
        (("readme.txt", "empty/readme.txt"), ImagesSpec("photos/")),
        (("DSC_0001.JPG", "DSC_0002.jpg", "IMG_0003.heic"), ImagesSpec("./")),
        (("a.jpg", "b.png"), ImagesSpec("./")),
        (("photos/a.jpg",), ImagesSpec("photos/")),
        (("2024 à Köln #1/a.jpg",), ImagesSpec("2024 à Köln #1/")),
        (("harbour/a.jpg", "market/b.jpg"), ImagesSpec("./")),
        (("photos/harbour/a.jpg", "photos/market/b.jpg"), ImagesSpec("photos/")),
        (("public/a/b.jpg", "public/b.jpg", ".imagelane/c.jpg"), ImagesSpec("photos/")),
        (
            tuple(f"SKU{n}_{view}.jpg" for n in range(3) for view in ("front", "back")),
            ImagesSpec("./", VIEWS, primary=PrimarySpec("pattern", pattern="*_front.*")),
        ),
        (
            tuple(f"in/shoe-{n}_{view}.png" for n in range(3) for view in ("left", "right")),
            ImagesSpec("in/", VIEWS),
        ),
    ],
)
def test_it_fits_the_folder(tmp_path: Path, names: tuple[str, ...], images: ImagesSpec) -> None:
    assert started(folder_with(tmp_path, *names)).images == images


@pytest.mark.parametrize("name", ["Summer 2026", "# { } : &", "日本", "-", "a" * 200, "null", "7"])
def test_any_name_of_a_folder_makes_a_pipeline(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    assert started(folder).name


def test_hostile_names_of_files_stay_comments(tmp_path: Path) -> None:
    """faults.md 26."""
    names = [f"x\n\x1b[1mpipeline: evil{n}_{view}.jpg" for n in "ab" for view in ("1", "2")]
    assert started(folder_with(tmp_path, *names)).name != "evil"
    folder_with(tmp_path / "other", 'a"b\nfrom: evil/c.jpg')
    assert started(tmp_path / "other").images.origin == 'a"b\nfrom: evil/'


def test_a_folder_that_may_not_be_read(tmp_path: Path) -> None:
    assert started(tmp_path / "gone").images.origin == "photos/"


def test_it_reads_from_top_to_bottom_and_explains_itself(tmp_path: Path) -> None:
    text = starter(tmp_path)
    assert text.startswith(f"# yaml-language-server: $schema=./{SCHEMA_NAME}\n")
    assert max(map(len, text.splitlines())) <= 100
    stages = [stage.name for stage in started(tmp_path).stages]
    assert [text.index(f"\n  {name}:") for name in stages] == sorted(
        text.index(f"\n  {name}:") for name in stages
    )
    for name in stages:
        above = text[: text.index(f"\n  {name}:")].splitlines()[-1]
        assert above.startswith("  # "), name
