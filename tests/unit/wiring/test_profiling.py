from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.scenarios import SCENARIOS
from imagelane import wiring
from imagelane.adapters.sources.listed import ListedSource
from imagelane.model.policy import ExecutionModel
from imagelane.model.profile import Effort
from imagelane.model.spec import PipelineSpec
from imagelane.plan.logical import logical_plan
from imagelane.wiring import profiling
from tests.unit.advise.made import FREE, computes, items, logical, profile


@pytest.fixture
def products(tmp_path: Path) -> PipelineSpec:
    return wiring.load(SCENARIOS["products"].make(tmp_path / "products", 2))


def test_one_at_a_time_goes_first_and_last(products: PipelineSpec) -> None:
    found = profiling.levels(products, 8)
    assert [level.at_once for level in found] == [1, 2, 4, 8, 1]
    assert [level.half for level in found] == [0, None, None, None, 1]
    assert sum(level.share for level in found) == pytest.approx(1)


def test_a_sample_runs_where_nothing_is_published_or_recorded(
    products: PipelineSpec, tmp_path: Path
) -> None:
    aside = profiling._aside(products, tmp_path / "room")
    assert aside.workspace.startswith(str(tmp_path / "room"))
    assert all(path.is_relative_to(tmp_path / "room") for path in wiring.targets(aside))
    assert aside.alerts == ()
    # What it does to the pictures is the same.
    assert [stage.uses for stage in aside.stages] == [stage.uses for stage in products.stages]


def test_a_service_is_never_called_by_more_than_the_file_allows(products: PipelineSpec) -> None:
    stages = tuple(
        replace(stage, workers=3) if stage.name == "policy" else stage for stage in products.stages
    )
    limited = replace(products, stages=stages)
    assert profiling._options(limited, 2).workers["policy"] == 2
    assert profiling._options(limited, 4).workers["policy"] == 3
    assert profiling._options(limited, 1).model is ExecutionModel.SEQUENTIAL


def test_halves_are_whole_groups_numbered_anew() -> None:
    chosen = items(30, a_group=10)
    halves = [profiling._half(chosen, half) for half in (0, 1)]
    assert [len(half) for half in halves] == [20, 10]
    for half in halves:
        source = ListedSource(half)
        assert [one.sequence for one in source.items()] == list(range(len(half)))
        assert source.count() == (len(half), len(half) // 10)
        assert sorted({one.group for one in half}) == list(range(1, len(half) // 10 + 1))
    assert {one.path for half in halves for one in half} == {one.path for one in chosen}


def test_a_profile_is_read_back_as_it_was_kept(products: PipelineSpec) -> None:
    made = profile(logical(computes("shrink")), {"shrink": _effort()}, costs=FREE)
    mine = replace(made, plan=logical_plan(products).digest)
    profiling.keep_profile(products, mine)
    assert profiling.kept_profile(products) == mine


@pytest.mark.parametrize("spoiled", ["", "{", '{"version": 99}', '{"version": 1}'])
def test_a_profile_that_cannot_be_read_is_as_good_as_none(
    products: PipelineSpec, spoiled: str
) -> None:
    file = profiling.profile_file(products)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(spoiled)
    with pytest.raises(profiling.ProfileError, match=r"imagelane profile pipeline\.yaml"):
        profiling.kept_profile(products)


def _effort() -> Effort:
    return Effort(0.1, 0.2, 0.01, 100, 10)
