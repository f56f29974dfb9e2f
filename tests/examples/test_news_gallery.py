from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from PIL.ExifTags import IFD, Base

from tests.conftest import SRC, Imagelane, Paint, rgb
from tests.examples.conftest import Example


@pytest.fixture(scope="module")
def gallery(example: Callable[[str], Example], paint: Paint, imagelane: Imagelane) -> Example:
    """Run once: what the tests look at is what it left."""
    found = example("news-gallery")
    photos = found.folder / "photos"
    paint(photos / "harbour" / "b-crane.jpg", (1800, 1200), gps=True, copyright="© Quayside Press")
    paint(photos / "harbour" / "a-quay.jpg", (1200, 1800), gps=True)
    paint(photos / "harbour" / "c-tide.png", (700, 500))
    paint(photos / "market" / "stall.jpg", (900, 600), orientation=6, gps=True)
    (photos / "market" / "torn.jpg").write_bytes(
        (photos / "market" / "stall.jpg").read_bytes()[:-4000]
    )
    done = imagelane("run", found.pipeline, "--quiet", cwd=found.folder, code=1)
    assert "torn.jpg" in done.stdout + done.stderr
    return found


def test_it_publishes_every_gallery(gallery: Example) -> None:
    assert gallery.live() == ["harbour", "market"]
    assert gallery.files("harbour") == {
        *(f"{stem}-{width}.jpg" for stem in ("a-quay", "b-crane") for width in (160, 480, 1080)),
        *(f"c-tide-{width}.jpg" for width in (160, 480, 1080)),
        *(f"{stem}-marked.jpg" for stem in ("a-quay", "b-crane", "c-tide")),
        "contact-sheet.jpg",
        "manifest.json",
    }
    images = gallery.manifest("harbour")["images"]
    assert [image["name"] for image in images] == ["a-quay.jpg", "b-crane.jpg", "c-tide.png"]


def test_a_damaged_photograph_is_left_out(gallery: Example) -> None:
    assert not [name for name in gallery.files("market") if name.startswith("torn")]
    images = gallery.manifest("market")["images"]
    assert [image["name"] for image in images] == ["stall.jpg"]


def test_no_position_leaves_and_rights_do(gallery: Example) -> None:
    published = [
        path
        for group in gallery.live()
        for path in (gallery.folder / "public" / group).glob("*.jpg")
    ]
    assert len(published) > 12
    for path in published:
        assert b"GPS" not in path.read_bytes(), path.name
        with Image.open(path) as picture:
            assert not picture.getexif().get_ifd(IFD.GPSInfo), path.name
    with Image.open(gallery.folder / "public" / "harbour" / "b-crane-480.jpg") as picture:
        assert "Quayside Press" in str(picture.getexif()[Base.Copyright])


def test_turned_photographs_are_published_upright(gallery: Example) -> None:
    with Image.open(gallery.folder / "public" / "market" / "stall-480.jpg") as picture:
        assert picture.size == (480, 720)
        assert picture.getexif().get(Base.Orientation, 1) == 1
        red, green, _ = rgb(picture, (400, 60))
    # The red quarter lies to the upper right once the picture stands upright.
    assert red > 150
    assert green < 90


def test_thumbnails_have_their_widths(gallery: Example) -> None:
    sizes = {}
    for path in sorted((gallery.folder / "public" / "harbour").glob("*-*.jpg")):
        with Image.open(path) as picture:
            sizes[path.name] = picture.size
    assert sizes["b-crane-160.jpg"] == (160, 107)
    assert sizes["a-quay-1080.jpg"] == (1080, 1620)
    # Never larger than the photograph was.
    assert sizes["c-tide-1080.jpg"] == (700, 500)
    assert sizes["b-crane-marked.jpg"] == (1600, 1067)


def test_a_second_run_finds_the_same(gallery: Example, imagelane: Imagelane) -> None:
    manifest = Path("public") / "harbour" / "manifest.json"
    before = (gallery.folder / manifest).read_bytes()
    imagelane(
        "run",
        gallery.pipeline,
        "--quiet",
        "--fresh",
        "--model",
        "sequential",
        cwd=gallery.folder,
        code=1,
    )
    assert (gallery.folder / manifest).read_bytes() == before


def test_every_image_replays_as_it_was_recorded(gallery: Example, imagelane: Imagelane) -> None:
    for subject in ("1.1", "1.2", "1.3", "2.1"):
        told = imagelane("replay", subject, cwd=gallery.folder)
        assert "4 of 5 stages executed, 4 digests" in told.stdout
    told = imagelane("replay", "torn.jpg", cwd=gallery.folder)
    assert "as recorded: it fails with invalid" in told.stdout


def test_replay_names_a_stage_whose_code_was_altered(
    gallery: Example, imagelane: Imagelane, tmp_path: Path
) -> None:
    shutil.copytree(SRC / "imagelane", tmp_path / "imagelane")
    altered = tmp_path / "imagelane" / "execute" / "stages" / "watermark.py"
    code = altered.read_text(encoding="utf-8")
    assert code.count("look.opacity") == 1
    altered.write_text(code.replace("look.opacity", "0.9 * look.opacity"))
    told = imagelane(
        "replay",
        "b-crane.jpg",
        cwd=gallery.folder,
        code=1,
        environment={"PYTHONPATH": str(tmp_path)},
    )
    assert "It first differs at watermark." in told.stdout
    assert told.stdout.count("DIFFERS") == 1
