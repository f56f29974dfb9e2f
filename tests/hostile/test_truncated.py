"""Cut off at every single byte, in every format: refused, or the picture was there already."""

from __future__ import annotations

from pathlib import Path

import pytest

from imagelane.model.outcome import Failure, Rendition, Success
from imagelane.model.states import ErrorClass
from tests.hostile import files
from tests.images.bench import Bench

SMALL = files.small()
MAY_LACK = {"png": 12, "gif": 1}
"""Bytes at the end that say nothing but that it is the end: PNG's last chunk, GIF's trailer."""


@pytest.mark.parametrize("name", SMALL)
def test_cut_off_at_every_byte(tmp_path: Path, name: str) -> None:
    bench = Bench(tmp_path).stage("validate").stage("encode", formats=["png"], needs=["validate"])
    whole = SMALL[name]
    path = tmp_path / "picture"

    def renditions(data: bytes) -> tuple[Rendition, ...] | None:
        path.write_bytes(data)
        reports = bench.order(path)
        first, last = reports[0].outcome, reports[-1].outcome
        if isinstance(first, Failure):
            assert first.error is ErrorClass.INVALID, first
            assert first.message
            return None
        assert isinstance(last, Success)
        return last.renditions

    expected = renditions(whole)
    assert expected is not None
    accepted = [length for length in range(len(whole)) if renditions(whole[:length])]
    if name == "gif, animated":
        # Between two frames nothing says that another was to come; the first one is what is shown.
        assert all(whole[length - 1] == 0 for length in accepted)
        return
    form = name.partition(",")[0]
    assert accepted == list(range(len(whole) - MAY_LACK.get(form, 0), len(whole)))
    for length in accepted:
        assert renditions(whole[:length]) == expected
