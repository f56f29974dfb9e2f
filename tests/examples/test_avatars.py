from __future__ import annotations

from collections.abc import Callable

from PIL import Image

from tests.conftest import Imagelane, Paint
from tests.examples.conftest import Example


def test_each_picture_goes_live_by_itself(
    example: Callable[[str], Example], paint: Paint, imagelane: Imagelane
) -> None:
    avatars = example("avatars")
    uploads = avatars.folder / "uploads"
    paint(uploads / "ship.jpg", (900, 600))
    paint(uploads / "tower.png", (300, 800))
    (uploads / "note.jpg").write_text("this is no picture")
    imagelane("run", avatars.pipeline, "--quiet", cwd=avatars.folder, code=1)
    assert len(avatars.live()) == 2
    for slug, stem in zip(avatars.live(), ("ship", "tower"), strict=True):
        assert avatars.files(slug) == {
            "manifest.json",
            *(f"{stem}-{width}.{suffix}" for width in (64, 256) for suffix in ("webp", "jpg")),
        }
        with Image.open(avatars.folder / "public" / slug / f"{stem}-256.webp") as picture:
            assert picture.size == (256, 256)
