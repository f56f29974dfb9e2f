"""What each rule did to each kind of pipeline, as golden text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from imagelane.model.ids import StageName
from imagelane.model.policy import (
    BreakerPolicy,
    ExecutionModel,
    FailurePolicy,
    GatePolicy,
    RetryPolicy,
    RunOptions,
    Tolerance,
)
from imagelane.model.spec import Extent, PrimarySpec, Reads, Resampler, StageSpec
from imagelane.model.states import Scope
from imagelane.plan.draft import Draft
from imagelane.plan.explain import explain, explain_rules, mermaid
from imagelane.plan.logical import PlanError, logical_plan
from imagelane.plan.optimizer import optimize
from imagelane.plan.physical import physical_plan
from imagelane.plan.rules.check_plan import check_plan
from tests.simulation.pipelines import (
    MACHINE,
    news_gallery,
    pipeline,
    planned,
    reduces,
    stage,
    waits,
)

CHAIN = [
    stage("validate", reads=Reads.SOURCE),
    stage("crop", ["validate"], makes_picture=True, extent=Extent()),
    stage("thumbnails", ["crop"]),
    waits("store", ["thumbnails"], gathers=True),
    reduces("publish", ["store"], gate=GatePolicy("all", timeout=600.0)),
]

PIPELINES: dict[str, list[StageSpec]] = {
    "news-gallery": news_gallery(workers=5, timeout=10.0),
    "chain": CHAIN,
    # A waiting stage in the middle: what comes after it is another segment, with its own decode.
    "interrupted": [
        stage("validate"),
        stage("thumbnails", ["validate"]),
        waits("moderate", ["validate"]),
        stage("watermark", ["moderate"], makes_picture=True),
        stage("encode", ["watermark", "thumbnails"]),
        reduces("publish", ["encode"]),
        reduces("index", ["publish"], scope=Scope.RUN),
    ],
}

OPTIONS = {
    "sequential": RunOptions(model=ExecutionModel.SEQUENTIAL),
    "parallel": RunOptions(),
    "hybrid": RunOptions(model=ExecutionModel.HYBRID, batch_size=10, parallel_batches=3),
    "unfused": RunOptions(fuse=False),
    "limited": RunOptions(workers={"thumbnails": 1}),
    "thumbnails-moved": RunOptions(
        model=ExecutionModel.SEQUENTIAL, parallel=frozenset({"thumbnails"})
    ),
}


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("name", PIPELINES)
def test_plans_are_as_reviewed(name: str, options: str, golden: Callable[[str, str], None]) -> None:
    logical = logical_plan(pipeline(PIPELINES[name], primary=PrimarySpec(), name=name))
    physical = physical_plan(logical, OPTIONS[options], MACHINE)
    text = f"{explain_rules(logical, OPTIONS[options], MACHINE)}\n{explain(physical)}"
    golden(f"{name}.{options}.txt", text)


def test_the_diagram_is_as_reviewed(golden: Callable[[str, str], None]) -> None:
    golden("news-gallery.mmd", mermaid(planned(PIPELINES["news-gallery"])))


def test_the_plan_does_not_depend_on_how_it_is_executed() -> None:
    digests = {planned(CHAIN, options).logical.digest for options in OPTIONS.values()}
    assert len(digests) == 1
    decodes = {planned(CHAIN, options).logical.decode for options in OPTIONS.values()}
    assert len(decodes) == 1


def test_the_digest_sees_what_changes_the_outcome() -> None:
    base = logical_plan(pipeline(CHAIN)).digest
    changed = [*CHAIN[:-1], reduces("publish", ["store"])]
    assert logical_plan(pipeline(changed)).digest != base
    limited = [*CHAIN[:2], stage("thumbnails", ["crop"], workers=1), *CHAIN[3:]]
    assert logical_plan(pipeline(limited)).digest == base


def test_a_plan_says_what_resizes_and_is_another_with_another() -> None:
    usual = pipeline(CHAIN)
    fast = replace(usual, resampler=Resampler.FAST_IMAGE_RESIZE)
    plans = [physical_plan(logical_plan(one), RunOptions(), MACHINE) for one in (usual, fast)]
    assert plans[0].logical.digest != plans[1].logical.digest
    lines = [line for plan in plans for line in explain(plan).splitlines() if "resized" in line]
    assert [line.partition("by ")[2] for line in lines] == [
        "libvips",
        "fast_image_resize; transparent or large, by libvips",
    ]


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        (
            [
                stage("crop", makes_picture=True),
                stage("resize", makes_picture=True),
                stage("encode", ["crop", "resize"]),
            ],
            (
                "two pictures reach stage 'encode': those of crop and resize; "
                "say which with 'takes: crop'"
            ),
        ),
        (
            [
                stage("watermark", makes_picture=True),
                stage("again", ["watermark"], uses="watermark", makes_picture=True),
            ],
            (
                "stage 'again' would put a watermark on a picture that 'watermark' has marked "
                "already; say 'takes: source', or take it out of the needs"
            ),
        ),
        (
            [stage("a", ["c"]), stage("b", ["a"]), stage("c", ["b"])],
            "these stages need each other: a, b, c",
        ),
        ([stage("a", ["b"])], "stage 'a' needs 'b', which is not a stage"),
    ],
)
def test_what_cannot_be_planned(stages: Sequence[StageSpec], message: str) -> None:
    with pytest.raises(PlanError) as raised:
        logical_plan(pipeline(stages))
    assert str(raised.value) == message


def test_the_closest_picture_is_taken() -> None:
    logical = logical_plan(
        pipeline(
            [
                stage("validate"),
                stage("crop", ["validate"], makes_picture=True),
                waits("moderate", ["crop"]),
                stage("watermark", ["moderate", "validate"], makes_picture=True),
                stage("encode", ["watermark", "crop"]),
                stage("thumbnails", ["encode"], takes="crop"),
                stage("original", ["encode"], takes="source"),
            ]
        )
    )
    assert {stage.name: stage.picture for stage in logical.stages} == {
        "validate": None,
        "crop": None,
        "moderate": None,
        "watermark": "crop",
        "encode": "watermark",
        "thumbnails": "crop",
        "original": None,
    }


def test_a_stage_that_keeps_the_size_asks_for_what_is_made_of_its_picture() -> None:
    normalize = stage("normalize", makes_picture=True, keeps_size=True, extent=Extent())
    small = stage("small", ["normalize"], extent=Extent(width=200))
    whole = stage("whole", ["normalize"], extent=Extent())
    assert logical_plan(pipeline([normalize, small])).decode == (Extent(width=200),)
    assert Extent() in logical_plan(pipeline([normalize, small, whole])).decode
    assert logical_plan(pipeline([normalize])).decode == (Extent(),)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            RunOptions(workers={"thumbnail": 2}),
            "workers names 'thumbnail', which is not a stage; did you mean 'thumbnails'?",
        ),
        (RunOptions(batch_size=0), "batch_size is 0; expected 1 or more"),
        (
            RunOptions(pools={"gpu": 1}),
            "pools names 'gpu', which no stage uses; used are coordinator, cpu, io",
        ),
        (
            RunOptions(parallel=frozenset({"moderate"})),
            (
                "single stages are moved to parallel in a sequential run; the model is 'parallel', "
                "where limits are set with workers"
            ),
        ),
    ],
)
def test_options_that_do_not_fit(options: RunOptions, message: str) -> None:
    with pytest.raises(PlanError) as raised:
        planned(news_gallery(), options)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("segments", "found"),
    [
        ([["validate"], ["crop"], ["store"], ["publish"]], "segments hold"),
        (
            [["crop", "validate"], ["thumbnails"], ["store"], ["publish"]],
            "not in topological order",
        ),
        ([["validate", "thumbnails"], ["crop"], ["store"], ["publish"]], "needs itself"),
        ([["validate"], ["crop"], ["thumbnails", "store"], ["publish"]], "mixes places"),
        ([["validate"], ["crop"], ["thumbnails"], ["store", "publish"]], "mixes scopes"),
    ],
)
def test_the_last_rule_finds_what_another_broke(segments: list[list[str]], found: str) -> None:
    sound = optimize(logical_plan(pipeline(CHAIN)), RunOptions(), MACHINE)
    broken = Draft(
        sound.logical,
        tuple(tuple(StageName(name) for name in segment) for segment in segments),
        sound.options,
        sound.machine,
    )
    with pytest.raises(PlanError, match=found):
        check_plan(broken)


def test_policies_of_failure_are_in_the_plan() -> None:
    stages = [
        waits("moderate", retry=RetryPolicy(budget=0.2), breaker=BreakerPolicy()),
        waits("check", ["moderate"], on_failure=FailurePolicy.ABORT_RUN),
    ]
    spec = replace(pipeline(stages), tolerance=Tolerance(0.05, 0.1))
    text = explain(physical_plan(logical_plan(spec), RunOptions(), MACHINE))
    assert "tolerance 5% of the run, 10% of a group" in text
    assert "skip, breaker 8 of 10" in text
    assert "abort-run" in text


def test_what_changes_no_result_changes_no_plan() -> None:
    plain = logical_plan(pipeline([waits("moderate")])).digest
    guarded = waits("moderate", retry=RetryPolicy(budget=0.2), breaker=BreakerPolicy())
    assert logical_plan(pipeline([guarded])).digest == plain
    tolerant = replace(pipeline([waits("moderate")]), tolerance=Tolerance(0.05))
    assert logical_plan(tolerant).digest != plain
