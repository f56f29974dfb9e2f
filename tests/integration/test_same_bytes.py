"""G8: one pipeline over one source gives one set of bytes, however it is executed."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imagelane.engine import Engine
from imagelane.model.events import Event
from imagelane.model.spec import Resampler
from imagelane.model.states import ImageState
from imagelane.plan.logical import PlanError
from imagelane.wiring import load, run, session
from tests.conftest import Imagelane, Paint
from tests.integration.conftest import NewProject, Project

HOW = {
    "sequential": ["--model", "sequential"],
    "parallel 1": ["--model", "parallel", "--workers", "1"],
    "parallel 2": ["--model", "parallel", "--workers", "2"],
    "parallel 8": ["--model", "parallel", "--workers", "8", "--max-in-flight", "9"],
    "hybrid": ["--model", "hybrid", "--batch-size", "2", "--parallel-batches", "2"],
    "one stage moved": ["--parallel", "thumbnails=2,check"],
    "unfused": ["--no-fuse"],
    "unfused sequential": ["--no-fuse", "--model", "sequential"],
    "one stage limited": ["--workers", "crop=1"],
    "little memory": ["--memory", "1MB"],
}


@pytest.fixture(scope="module")
def reference(project: NewProject, imagelane: Imagelane) -> Project:
    """Executed in the plainest way: one stage at a time, one image after the other."""
    made = project()
    imagelane("run", "gallery.yaml", "--quiet", *HOW["unfused sequential"], cwd=made.folder)
    return made


@pytest.mark.parametrize("how", HOW)
def test_every_model_gives_the_same_bytes(
    how: str, reference: Project, project: NewProject, imagelane: Imagelane
) -> None:
    made = project()
    imagelane("run", "gallery.yaml", "--quiet", *HOW[how], cwd=made.folder)
    assert made.published() == reference.published()
    # 8 of 9 images are wide enough for two thumbnails; each has two formats at two widths.
    assert len(made.published()) > 50


def test_what_is_published_is_in_the_order_of_the_source(reference: Project) -> None:
    names = {
        group: [i["name"] for i in reference.manifest(group)["images"]]
        for group in ("harbour", "market", "tower")
    }
    assert names == {
        "harbour": ["00.jpg", "01.jpg", "02.jpg", "03.jpg"],
        "market": ["flat.png", "tall.jpg", "web.webp"],
        "tower": ["odd.jpg", "small.jpg"],
    }


STAGES = {
    "thumbnails": st.fixed_dictionaries(
        {
            "widths": st.lists(st.integers(8, 200), min_size=1, max_size=3, unique=True),
            "format": st.sampled_from(["jpeg", "webp", "png"]),
            "linear": st.sampled_from(["auto", True, False]),
        }
    ),
    "crop": st.fixed_dictionaries(
        {
            "aspect": st.sampled_from(["1:1", "3:2", "2:3"]),
            "at": st.sampled_from(["centre", "attention"]),
        }
    ),
    "resize": st.fixed_dictionaries(
        {
            "width": st.integers(10, 150),
            "height": st.integers(10, 150),
            "fit": st.sampled_from(["inside", "cover", "fill"]),
        }
    ),
    "watermark": st.fixed_dictionaries(
        {"text": st.just("© {stem}"), "format": st.sampled_from(["jpeg", "png", "none"])}
    ),
    "encode": st.fixed_dictionaries(
        {
            "formats": st.sampled_from([["webp"], ["jpeg", "png"]]),
            "widths": st.none()
            | st.lists(st.integers(8, 160), min_size=1, max_size=2, unique=True),
        }
    ),
    "metadata": st.just({}),
}


@st.composite
def pipelines(draw: st.DrawFn) -> dict[str, object]:
    """A DAG of one to five stages after `validate`, each needing some of those before it."""
    kinds = draw(st.lists(st.sampled_from(sorted(STAGES)), min_size=1, max_size=5))
    if kinds.count("watermark") > 1:
        kinds = [kind for kind in kinds if kind != "watermark"] + ["watermark"]
    stages: dict[str, object] = {"validate": None}
    for index, kind in enumerate(kinds):
        # One need: where two pictures could reach a stage, the plan would refuse.
        need = draw(st.sampled_from(sorted(stages)))
        stages[f"s{index}"] = {"uses": kind, "needs": [need], "with": draw(STAGES[kind])}
    names = [name for name in stages if name != "validate"]
    stages["store"] = {"needs": names, "with": {"to": "public/"}}
    stages["publish"] = {"scope": "group", "needs": ["store"]}
    return {
        "pipeline": "drawn",
        "images": {"from": "photos/", "group": draw(st.sampled_from(["folder", "none"]))},
        "stages": stages,
    }


sources = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.sampled_from([".jpg", ".png", ".webp"]),
        st.integers(1, 260),
        st.integers(1, 260),
        st.integers(1, 8),
    ),
    min_size=1,
    max_size=4,
)


@pytest.mark.slow
@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(pipeline=pipelines(), source=sources)
def test_any_pipeline_over_any_source_gives_the_same_bytes(
    pipeline: dict[str, object],
    source: list[tuple[str, str, int, int, int]],
    project: NewProject,
    paint: Paint,
) -> None:
    def pictures(folder: Path) -> None:
        for index, (group, ending, width, height, orientation) in enumerate(source):
            turn = orientation if ending == ".jpg" else 1
            paint(folder / group / f"{index}{ending}", (width, height), orientation=turn)

    ends = []
    for how in ({"model": "sequential", "fuse": False}, {"model": "parallel"}, {"model": "hybrid"}):
        # JSON is YAML, too.
        made = project(json.dumps({**pipeline, "run": how}), pictures=pictures)
        run(made.pipeline)
        ends.append(made.published())
    assert ends[0] == ends[1] == ends[2]
    assert ends[0], "something is published"


def test_a_run_that_is_paused_and_taken_up_gives_the_same_bytes(
    reference: Project, project: NewProject, after_events: Callable[[Project, int], None]
) -> None:
    made = project()
    for events in (20, 60):
        after_events(made, events)
    done = run(made.pipeline)
    assert done.whole
    assert done.images == {ImageState.PUBLISHED: 9}
    assert made.published() == reference.published()


def hidden(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a package be as if it were not installed, to whoever looks for it."""
    look = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda sought, package=None: None if sought == name else look(sought, package),
    )


def test_without_the_faster_resampler_libvips_does_it_to_the_end(
    project: NewProject,
    after_events: Callable[[Project, int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, interrupted = project(), project()
    with monkeypatch.context() as there:
        hidden("cykooz_resizer", there)
        assert load(whole.pipeline).resampler is Resampler.LIBVIPS
        run(whole.pipeline)
        after_events(interrupted, 30)
    # It is installed before the run goes on, which keeps what it began with.
    spec = load(interrupted.pipeline)
    assert spec.resampler is Resampler.FAST_IMAGE_RESIZE
    with session(spec, spec.options, resume=interrupted.runs()[0].run) as (engine, _):
        engine.execute()
    assert interrupted.published() == whole.published()


def test_a_run_does_not_go_on_where_its_resampler_is_not_installed(
    project: NewProject,
    after_events: Callable[[Project, int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = project()
    after_events(made, 30)
    hidden("cykooz_resizer", monkeypatch)
    with pytest.raises(PlanError, match=r"resizes by fast_image_resize.*not installed.*--new"):
        after_events(made, 30)


@pytest.fixture
def after_events() -> Callable[[Project, int], None]:
    """Executes until so many events more are recorded, then pauses."""

    class Pausing:
        def __init__(self, events: int) -> None:
            self.left = events
            self.engine: Engine | None = None

        def opened(self, *_: object) -> None: ...

        def recorded(self, events: Sequence[Event]) -> None:
            self.left -= len(events)
            if self.left <= 0 and self.engine is not None:
                self.engine.pause("the test asks for it")

        def pulse(self, *_: object) -> None: ...

        def closed(self, *_: object) -> None: ...

    def execute(made: Project, events: int) -> None:
        observer = Pausing(events)
        spec = load(made.pipeline)
        earlier = made.runs()[0].run if (made.folder / ".imagelane").exists() else None
        with session(spec, spec.options, [observer], resume=earlier) as (engine, _):
            observer.engine = engine
            engine.execute()

    return execute
