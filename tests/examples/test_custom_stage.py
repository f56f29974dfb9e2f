from __future__ import annotations

import hashlib
from collections.abc import Callable

from PIL import Image

from tests.conftest import Imagelane, Paint, rgb
from tests.examples.conftest import Example


def test_functions_and_commands_are_stages(
    example: Callable[[str], Example], paint: Paint, imagelane: Imagelane
) -> None:
    custom = example("custom-stage")
    photo = paint(custom.folder / "photos" / "quay" / "boat.jpg", (960, 640), colour=(20, 20, 220))
    imagelane("run", custom.pipeline, "--quiet", cwd=custom.folder)
    assert custom.files("quay") == {"boat-480.jpg", "boat-checksum.sha256", "manifest.json"}
    public = custom.folder / "public" / "quay"
    digest = hashlib.sha256(photo.read_bytes()).hexdigest()
    assert (public / "boat-checksum.sha256").read_text().strip() == digest
    with Image.open(public / "boat-480.jpg") as picture:
        red, _, blue = rgb(picture, (100, 80))
    # Half sepia: the blue corner has turned towards brown.
    assert blue < 160
    assert red > 20
