"""However stages are divided into orders, the same bytes come out."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imagelane.model.ids import StageName
from imagelane.model.outcome import Success
from imagelane.model.spec import Extent, Resampler
from imagelane.model.states import ErrorClass
from tests.images.bench import Bench
from tests.images.files import coded, photo

Outcomes = dict[str, Success]


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.jpg"
    path.write_bytes(coded(photo(1203, 901), "jpeg", quality=92, exif=b""))
    return path


def declare(bench: Bench, *, materialise: bool) -> Bench:
    """Chains of pictures beside each other, with a template and a cut between them."""
    bench.stage("validate").stage("metadata", needs=["validate"])
    bench.stage("thumbnails", widths=[60, 200, 400], needs=["validate"])
    bench.stage("crop", aspect="4:3", at="attention", needs=["validate"], materialise=materialise)
    bench.stage("resize", width=500, needs=["crop"], picture="crop", materialise=materialise)
    bench.stage(
        "watermark",
        text="{dominant} of {stem}",
        needs=["resize", "metadata"],
        picture="resize",
        materialise=materialise,
    )
    bench.stage(
        "encode",
        formats=["jpeg", "webp", "avif", "png"],
        widths=[120, 300],
        effort={"avif": 0},
        target={"ssimulacra2": 70},
        preset="balanced",
        needs=["watermark"],
        picture="watermark",
    )
    return bench


def public(outcome: Success) -> tuple[Any, ...]:
    files = tuple(one for one in outcome.renditions if one.format != "raw")
    return files, dict(outcome.facts), outcome.verdict


def all_at_once(bench: Bench, picture: Path) -> Outcomes:
    return dict(zip(map(str, bench.stages), bench.all(picture), strict=True))


def in_parts(bench: Bench, picture: Path, parts: list[list[str]]) -> Outcomes:
    """Each part an order of its own, told of what was before as the engine tells it."""
    done: dict[StageName, Success] = {}
    for part in parts:
        facts: Mapping[StageName, Mapping[str, Any]] = {
            name: outcome.facts for name, outcome in done.items()
        }
        inputs = {name: outcome.renditions for name, outcome in done.items()}
        for report in bench.order(picture, part, facts=facts, inputs=inputs):
            assert isinstance(report.outcome, Success), report.outcome
            done[report.stage] = report.outcome
    return {str(name): outcome for name, outcome in done.items()}


@pytest.mark.parametrize("resampler", Resampler)
def test_fused_and_stage_by_stage(tmp_path: Path, picture: Path, resampler: Resampler) -> None:
    together = declare(Bench(tmp_path, resampler=resampler), materialise=False)
    fused = all_at_once(together, picture)
    apart = declare(Bench(tmp_path, resampler=resampler), materialise=True)
    unfused = in_parts(apart, picture, [[name] for name in apart.stages])
    assert {name: public(one) for name, one in fused.items()} == {
        name: public(one) for name, one in unfused.items()
    }
    assert [one.name for one in unfused["crop"].renditions] == ["picture"]
    assert fused["crop"].renditions == ()


def test_a_retry_makes_again_what_was_not_kept(tmp_path: Path, picture: Path) -> None:
    bench = declare(Bench(tmp_path), materialise=False)
    fused = all_at_once(bench, picture)
    # Everything up to the watermark was recorded, then the worker died; nothing was materialised.
    again = in_parts(
        bench,
        picture,
        [["validate", "metadata", "thumbnails", "crop", "resize", "watermark"], ["encode"]],
    )
    assert public(again["encode"]) == public(fused["encode"])


@settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cuts=st.sets(st.integers(1, 6), max_size=6), materialise=st.booleans())
def test_any_division_into_orders(
    tmp_path: Path, picture: Path, cuts: set[int], *, materialise: bool
) -> None:
    bench = declare(Bench(tmp_path), materialise=materialise)
    del bench.stages[StageName("encode")]
    names = [str(name) for name in bench.stages]
    edges = [0, *sorted(cut for cut in cuts if cut < len(names)), len(names)]
    parts = [names[start:end] for start, end in pairwise(edges)]
    divided = in_parts(bench, picture, parts)
    whole = all_at_once(bench, picture)
    assert {name: public(one) for name, one in divided.items()} == {
        name: public(one) for name, one in whole.items()
    }


def test_a_stage_does_not_see_what_it_does_not_need(bench: Bench, picture: Path) -> None:
    # In one order with it, `metadata` is done before; its facts are still none of its business.
    bench.stage("metadata").stage("watermark", text="{dominant|unknown}")
    fused = bench.all(picture)[1].renditions
    bench.stages.pop(StageName("metadata"))
    assert bench.one(picture).renditions == fused


def test_one_stages_parameters_never_change_anothers_bytes(tmp_path: Path, picture: Path) -> None:
    one, other = Bench(tmp_path), Bench(tmp_path)
    one.stage("small", "thumbnails", widths=[100]).stage("large", "thumbnails", widths=[700])
    other.stage("small", "thumbnails", widths=[100]).stage("large", "thumbnails", widths=[900, 500])
    other.decode[:] = one.decode
    assert one.order(picture)[0].outcome == other.order(picture)[0].outcome


@pytest.mark.parametrize(
    ("extents", "size"),
    [
        ([Extent(150)], (151, 113)),
        ([Extent(152)], (301, 226)),
        ([Extent(150), Extent(300)], (301, 226)),
        ([Extent(301, 226, "cover")], (301, 226)),
        ([Extent(301, 227, "cover")], (602, 451)),
        ([Extent(5000, 100)], (151, 113)),
        ([Extent(5000, 114)], (301, 226)),
        ([Extent(150), Extent()], (1203, 901)),
        ([], (1203, 901)),
    ],
)
def test_the_shrink_leaves_enough_for_every_stage(
    bench: Bench, picture: Path, extents: list[Extent], size: tuple[int, int]
) -> None:
    bench.stage("validate")
    bench.decode[:] = extents
    (report,) = bench.order(picture)
    assert report.decoded_bytes == size[0] * size[1] * 3


def test_avif_is_the_same_each_time(bench: Bench, picture: Path) -> None:
    bench.stage("encode", formats=["avif"], widths=[500])
    first, second = (bench.one(picture).renditions for _ in range(2))
    assert first == second


def test_what_is_stored_twice_is_stored_once(bench: Bench, picture: Path) -> None:
    bench.stage("encode", formats=["png"], widths=[50])
    (rendition,) = bench.one(picture).renditions
    path = bench.folder / "artifacts" / rendition.digest[:2] / rendition.digest[2:]
    before = path.stat()
    assert before.st_mode & 0o777 == 0o444
    bench.one(picture)
    assert path.stat().st_ino == before.st_ino
    # Damage is repaired by making it again.
    path.chmod(0o644)
    path.write_bytes(b"damaged")
    bench.one(picture)
    assert path.stat().st_size == rendition.bytes
    assert list((bench.folder / "scratch").iterdir()) == []


def test_a_materialised_picture_that_was_damaged_is_noticed(tmp_path: Path, picture: Path) -> None:
    bench = declare(Bench(tmp_path), materialise=True)
    done = in_parts(bench, picture, [["validate"], ["crop"]])
    (raw,) = done["crop"].renditions
    path = bench.folder / "artifacts" / raw.digest[:2] / raw.digest[2:]
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    failure = bench.fails(picture, "resize", inputs={StageName("crop"): (raw,)})
    assert failure.error is ErrorClass.TRANSIENT
    assert "damaged" in failure.message
