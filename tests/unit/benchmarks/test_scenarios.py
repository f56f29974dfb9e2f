from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.prediction import cases
from benchmarks.scenarios import SCENARIOS, SEVEN
from imagelane import wiring
from imagelane.model.spec import Place


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_can_be_planned_as_it_is_predicted(name: str, tmp_path: Path) -> None:
    spec = wiring.load(SCENARIOS[name].make(tmp_path / name, 2))
    for case in cases():
        if case.scenario == name:
            assert wiring.plan(spec, case.options).segments


def test_thirty_runs_and_more_are_predicted_of_every_pipeline_and_model() -> None:
    found = list(cases())
    assert len(found) >= 30
    assert {case.scenario for case in found} == set(SCENARIOS)
    models = Counter(case.options.model.value for case in found)
    assert set(models) == {"sequential", "parallel", "hybrid"}
    assert {case.options.pools.get("io") for case in found} >= {8, 16}


def test_the_news_gallery_waits_seven_times_half_a_second(tmp_path: Path) -> None:
    spec = wiring.load(SCENARIOS["news"].make(tmp_path / "news", 2))
    waits = [one.parameters["seconds"] for one in spec.stages]
    assert waits == [0.5] * len(SEVEN)
    assert all(one.traits.place is Place.THREAD for one in spec.stages)
