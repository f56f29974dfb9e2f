"""One run over everything that is bad at once, four workers, 512 MiB each, good pictures among it.

No hang, nothing unclassified, no good picture lost.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from imagelane.model.states import ErrorClass, ImageState
from tests.hostile import files
from tests.hostile.conftest import Ended, RunOver

GOOD = tuple(f"good-{number}" for number in range(1, 9))


@pytest.fixture(scope="module")
def ended(run_over: RunOver) -> Ended:
    # Sorted by name, each good picture comes behind and before a dozen bad ones.
    mixed = dict(files.bad()) | files.good()
    everything = {f"mixed/{name}": mixed[name] for name in mixed}
    everything |= {f"stubborn/{name}": data for name, data in files.stubborn()}
    everything |= {f"polyglots/{name}": data for name, data in files.polyglots().items()}
    return run_over(everything)


def published(ended: Ended) -> Iterator[Path]:
    for gallery in sorted((ended.folder / "public").iterdir()):
        if gallery.is_symlink():
            yield from (path for path in sorted(gallery.iterdir()) if path.suffix != ".json")


def test_no_good_picture_is_lost(ended: Ended) -> None:
    good = {name: row.state for name, row in ended.images.items() if name.startswith("good-")}
    assert good == dict.fromkeys(good, ImageState.PUBLISHED)
    assert len(good) == len(GOOD)
    names = [path.name for path in published(ended)]
    for good_one in GOOD:
        assert sum(name.startswith(f"{good_one}-") for name in names) >= 2, good_one


def test_what_is_bad_is_left_out_and_is_invalid_and_nothing_else(ended: Ended) -> None:
    bad = [name for name, _ in files.bad()]
    assert len(bad) > 60
    assert {ended.state(name) for name in bad} == {ImageState.SKIPPED}
    assert set(ended.classes) == {ErrorClass.INVALID}
    assert ended.classes[ErrorClass.INVALID] == len(bad)
    for failure in ended.failures:
        assert failure.message
        assert "\n" not in failure.message
        assert failure.retry_in is None


def test_what_is_packed_where_nobody_looks_costs_nothing(ended: Ended) -> None:
    assert [ended.state(name) for name, _ in files.stubborn()] == [ImageState.PUBLISHED] * 4


def test_polyglots_are_made_anew_and_their_riders_left_behind(ended: Ended) -> None:
    for name in files.polyglots():
        assert ended.state(name) is ImageState.PUBLISHED
    everything = list(published(ended))
    assert len(everything) > 30
    for path in everything:
        data = path.read_bytes()
        assert b"rider" not in data
        assert b"<html" not in data
        assert Image.open(io.BytesIO(data)).format == "JPEG"


def test_the_counts_add_up(ended: Ended) -> None:
    total = len(list(files.bad())) + len(GOOD) + 4 + len(files.polyglots())
    assert len(ended.images) == total
    assert {row.state for row in ended.images.values()} == {
        ImageState.PUBLISHED,
        ImageState.SKIPPED,
    }
