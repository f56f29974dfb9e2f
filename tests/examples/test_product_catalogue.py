from __future__ import annotations

from collections.abc import Callable

import pytest
from PIL import Image

from tests.conftest import Imagelane, Paint
from tests.examples.conftest import Example


@pytest.fixture
def catalogue(example: Callable[[str], Example], paint: Paint) -> Example:
    found = example("product-catalogue")
    views = found.folder / "views"
    for view in ("back", "front", "side"):
        paint(views / f"SKU100_{view}.jpg", (800, 800), copyright="Harbour Goods, autumn")
        paint(views / f"SKU200_{view}.jpg", (800, 600))
    return found


def test_products_are_published_with_every_size(catalogue: Example, imagelane: Imagelane) -> None:
    imagelane("run", catalogue.pipeline, "--quiet", cwd=catalogue.folder)
    assert len(catalogue.live()) == 2
    slug = catalogue.live()[0]
    assert catalogue.files(slug) == {
        "manifest.json",
        *(
            f"SKU100_{view}-{width}.{suffix}"
            for view in ("back", "front", "side")
            for width in (320, 640)
            for suffix in ("avif", "webp", "jpg")
        ),
    }
    with Image.open(catalogue.folder / "public" / slug / "SKU100_front-320.webp") as picture:
        assert picture.size == (320, 320)


def test_views_are_shown_in_the_order_of_their_names(
    catalogue: Example, imagelane: Imagelane
) -> None:
    """The primary is done first; that changes nothing in how the product is shown."""
    imagelane("run", catalogue.pipeline, "--quiet", cwd=catalogue.folder)
    names = [image["name"] for image in catalogue.manifest(catalogue.live()[0])["images"]]
    assert names == ["SKU100_back.jpg", "SKU100_front.jpg", "SKU100_side.jpg"]


def test_a_product_with_a_damaged_view_never_shows(
    catalogue: Example, imagelane: Imagelane
) -> None:
    torn = catalogue.folder / "views" / "SKU200_side.jpg"
    torn.write_bytes(torn.read_bytes()[:-3000])
    imagelane("run", catalogue.pipeline, "--quiet", cwd=catalogue.folder, code=1)
    assert [slug.upper() for slug in catalogue.live()] == ["SKU100"]


def test_a_product_whose_primary_is_damaged_is_given_up(
    catalogue: Example, imagelane: Imagelane
) -> None:
    (catalogue.folder / "views" / "SKU100_front.jpg").write_bytes(b"no picture")
    imagelane("run", catalogue.pipeline, "--quiet", cwd=catalogue.folder, code=1)
    assert [slug.upper() for slug in catalogue.live()] == ["SKU200"]
