"""What is kept with a run comes back as it was."""

from __future__ import annotations

import json
from typing import Literal

import pytest

from imagelane.model.codec import from_json, to_json
from imagelane.model.ids import StageName
from imagelane.model.policy import (
    ExecutionModel,
    FailurePolicy,
    GatePolicy,
    RetryPolicy,
    RunOptions,
)
from imagelane.model.spec import (
    Described,
    Extent,
    GroupSpec,
    ImagesSpec,
    Location,
    PipelineSpec,
    Place,
    PrimarySpec,
    Reads,
    StageSpec,
    StageTraits,
)
from imagelane.model.states import ErrorClass, Scope

REQUIRED: tuple[Literal["all"] | float | tuple[str, ...], ...] = (
    "all",
    0.9,
    1.0,
    ("primary", "back"),
)

PIPELINE = PipelineSpec(
    name="news",
    images=ImagesSpec(
        "photos/", GroupSpec("pattern", "(?P<group>.*)_"), "captured", PrimarySpec("first")
    ),
    stages=(
        StageSpec(
            StageName("thumbnails"),
            "thumbnails",
            StageTraits(frozenset(Scope), Place.THREAD, reads=Reads.SOURCE, facts=frozenset("ab")),
            needs=(StageName("validate"),),
            parameters={"widths": [1, 2], "keep": None, "nested": {"a": 1.5}},
            extent=Extent(width=1080),
            retry=RetryPolicy(attempts=2, on=frozenset({ErrorClass.BUG})),
            on_failure=FailurePolicy.HALT,
            timeout=3,
            location=Location("gallery.yaml", 3),
        ),
        StageSpec(StageName("free"), "free", StageTraits(), needs=None),
        *(
            StageSpec(StageName(f"gate{i}"), "publish", StageTraits(), gate=GatePolicy(require))
            for i, require in enumerate(REQUIRED)
        ),
    ),
    folder="/photos",
    options=RunOptions(
        ExecutionModel.HYBRID, workers={"moderate": 5}, parallel=frozenset({"x", "y"})
    ),
)


@pytest.mark.parametrize("value", [PIPELINE, Described(errors=(("a", "b"),), extent=Extent())])
def test_what_is_kept_comes_back(value: object) -> None:
    stored = json.loads(json.dumps(to_json(value)))
    assert from_json(type(value), stored) == value


def test_what_was_added_later_takes_its_default() -> None:
    stored = to_json(PIPELINE)
    del stored["workspace"]
    assert from_json(PipelineSpec, stored) == PIPELINE


@pytest.mark.parametrize("data", [{"name": "x"}, {"unknown": 1}, [], None])
def test_another_shape_is_an_error(data: object) -> None:
    with pytest.raises(ValueError, match="no PipelineSpec"):
        from_json(PipelineSpec, data)
