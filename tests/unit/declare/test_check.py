"""What a pipeline file means."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from imagelane.model.codec import from_json, to_json
from imagelane.model.policy import (
    BreakerPolicy,
    ExecutionModel,
    FailurePolicy,
    GatePolicy,
    RetryPolicy,
    RunOptions,
    Tolerance,
)
from imagelane.model.spec import (
    AlertSpec,
    GroupSpec,
    ImagesSpec,
    Location,
    PipelineSpec,
    PrimarySpec,
    Resampler,
)
from imagelane.model.states import ErrorClass, Scope

from .conftest import GALLERY, Mistakes, Read

HEAD = "pipeline: p\nimages: {from: photos/}\nstages:\n"


def test_everything_that_can_be_said(read: Read, tmp_path: Path) -> None:
    spec = read(GALLERY)
    assert (spec.name, spec.folder, spec.file) == ("news-gallery", str(tmp_path), "gallery.yaml")
    assert spec.workspace == ".imagelane"
    assert spec.images == ImagesSpec("photos/", GroupSpec(), "name", PrimarySpec())
    assert spec.options == RunOptions(
        model=ExecutionModel.HYBRID,
        batch_size=4,
        workers={"thumbnails": 2},
        pools={"slow": 1},
        decoded_bytes=2 * 1024**3,
    )
    moderate = spec.stage("moderate")
    assert moderate.uses == "http"
    assert (moderate.workers, moderate.timeout) == (5, 10)
    assert moderate.retry == RetryPolicy(attempts=5, budget=0.2)
    assert moderate.breaker == BreakerPolicy()
    assert moderate.on_failure is FailurePolicy.HALT
    assert moderate.reads_facts == {"stem"}
    assert moderate.location == Location("gallery.yaml", 21, 3)
    watermark = spec.stage("watermark")
    assert watermark.reads_facts == {"copyright", "primary.captured"}
    assert watermark.parameters["opacity"] == 0.8
    assert watermark.parameters["format"] == "jpeg"
    sharpen = spec.stage("sharpen")
    assert sharpen.needs == ("thumbnails",)
    assert sharpen.reads_facts == set()
    assert (sharpen.retry.attempts, sharpen.pool) == (2, "slow")
    assert (sharpen.retry.budget, sharpen.breaker) == (None, None)
    publish = spec.stage("publish")
    assert publish.gate == GatePolicy(0.9, 600, "held")
    assert publish.parameters["to"] == "public/"
    assert spec.stage("contact-sheet").parameters["of"] == "thumbnails"


def test_parameters_are_plain_json_with_all_defaults(read: Read) -> None:
    parameters = read(HEAD + "  validate: {with: {max_bytes: 1kB}}\n").stages[0].parameters
    assert parameters == {
        "formats": ["jpeg", "png", "webp", "gif", "tiff", "heic", "avif"],
        "max_megapixels": 100.0,
        "max_total_megapixels": 100.0,
        "max_bytes": 1000,
        "max_scans": 100,
    }


@pytest.mark.parametrize(
    "text",
    [
        "  validate:\n  thumbnails: {with: {widths: [9]}}\n  store:\n  publish:\n",
        "  - validate\n  - thumbnails: {with: {widths: [9]}}\n  - store\n  - publish:\n",
    ],
)
def test_without_needs_the_stages_are_a_straight_line(read: Read, text: str) -> None:
    spec = read(HEAD + text)
    assert [stage.needs for stage in spec.stages] == [
        (),
        ("validate",),
        ("thumbnails",),
        ("store",),
    ]
    assert spec.stage("thumbnails").parameters["widths"] == [9]


@pytest.mark.parametrize("needs", ["[]", "[validate]", "validate"])
def test_with_any_needs_every_need_is_said(read: Read, needs: str) -> None:
    spec = read(HEAD + f"  validate:\n  metadata: {{needs: {needs}}}\n  thumbnails:\n")
    assert spec.stage("validate").needs == ()
    assert spec.stage("thumbnails").needs == ()


def test_scope_and_failure_policy_where_nothing_is_said(read: Read) -> None:
    spec = read(HEAD + "  thumbnails:\n  store:\n  contact-sheet:\n  publish: {scope: run}\n")
    assert [(stage.scope, stage.on_failure) for stage in spec.stages] == [
        (Scope.IMAGE, FailurePolicy.SKIP),
        (Scope.IMAGE, FailurePolicy.SKIP),
        (Scope.GROUP, FailurePolicy.ABORT),
        (Scope.RUN, FailurePolicy.ABORT),
    ]


@pytest.mark.parametrize(
    ("gate", "policy"),
    [
        ("settled", GatePolicy()),
        ("all", GatePolicy("all")),
        ("0.5", GatePolicy(0.5)),
        ("1", GatePolicy(1.0)),
        ("100%", GatePolicy(1.0)),
        ("[primary]", GatePolicy(("primary",))),
        ("{timeout: 1m}", GatePolicy(timeout=60)),
        ("{require: all, on_failure: held}", GatePolicy("all", None, "held")),
    ],
)
def test_gates(read: Read, gate: str, policy: GatePolicy) -> None:
    head = "pipeline: p\nimages: {from: a, primary: first}\nstages:\n"
    assert read(head + f"  publish: {{with: {{to: a}}, gate: {gate}}}\n").stages[0].gate == policy


@pytest.mark.parametrize("gate", ["0", "0%", "101%", "true", "[]", "{}x", "[1]"])
def test_gates_that_never_open(mistakes: Mistakes, gate: str) -> None:
    mistakes(HEAD + f"  publish: {{with: {{to: a}}, gate: {gate}}}\n")


@pytest.mark.parametrize(
    ("retry", "policy"),
    [
        ("5", RetryPolicy(attempts=5)),
        ("{initial: 1s, max: 1m, jitter: none}", RetryPolicy(3, 1.0, 2.0, 60.0, "none")),
        ("{on: [bug]}", RetryPolicy(on=frozenset({ErrorClass.BUG}))),
    ],
)
def test_retries(read: Read, retry: str, policy: RetryPolicy) -> None:
    assert read(HEAD + f"  validate: {{retry: {retry}}}\n").stages[0].retry == policy


@pytest.mark.parametrize(
    ("images", "spec"),
    [
        ("{from: a}", ImagesSpec("a")),
        ("{from: a, group: none}", ImagesSpec("a", GroupSpec("none"))),
        ("{from: a, group: {by: none}}", ImagesSpec("a", GroupSpec("none"))),
        (
            "{from: a, group: {pattern: '(?P<group>x)'}}",
            ImagesSpec("a", GroupSpec("pattern", "(?P<group>x)")),
        ),
        (
            "{from: a.csv, group: {column: sku}, order: manifest, path_column: file}",
            ImagesSpec("a.csv", GroupSpec("column", column="sku"), "manifest", None, "file"),
        ),
        (
            "{from: a, primary: {pattern: '*_front.*', on_failure: partial}}",
            ImagesSpec(
                "a", primary=PrimarySpec("pattern", pattern="*_front.*", on_failure="partial")
            ),
        ),
        (
            "{from: a, primary: {on_failure: halt}}",
            ImagesSpec("a", primary=PrimarySpec(on_failure="halt")),
        ),
        (
            "{from: a.jsonl, primary: {column: role}}",
            ImagesSpec("a.jsonl", primary=PrimarySpec("column", column="role", value="primary")),
        ),
    ],
)
def test_images(read: Read, images: str, spec: ImagesSpec) -> None:
    assert read(f"pipeline: p\nimages: {images}\nstages: [validate]\n").images == spec


@pytest.mark.parametrize(
    "images",
    [
        "{}",
        "photos/",
        "{from: ''}",
        "{from: a, group: {}, primary: {pattern: a, column: b}}",
        "{from: a, group: pattern}",
        "{from: a, group: {by: folder, pattern: '(?P<group>x)'}}",
        "{from: a.csv, group: {column: a, pattern: '(?P<group>x)'}}",
        "{from: a, primary: {which: first, pattern: a}}",
        "{from: a.csv, primary: {value: a}}",
    ],
)
def test_images_that_contradict_themselves(mistakes: Mistakes, images: str) -> None:
    mistakes(f"pipeline: p\nimages: {images}\nstages: [validate]\n")


@pytest.mark.parametrize(
    ("run", "options"),
    [
        ("", RunOptions()),
        ("{workers: 3}", RunOptions(pools={"cpu": 3})),
        ("{workers: {thumbnails: 3}}", RunOptions(workers={"thumbnails": 3})),
        ("{parallel: [thumbnails]}", RunOptions(parallel=frozenset({"thumbnails"}))),
        ("{parallel: thumbnails}", RunOptions(parallel=frozenset({"thumbnails"}))),
        (
            "{model: sequential, parallel: {thumbnails: 4}}",
            RunOptions(
                model=ExecutionModel.SEQUENTIAL,
                workers={"thumbnails": 4},
                parallel=frozenset({"thumbnails"}),
            ),
        ),
        ("{fuse: false, max_in_flight: 7}", RunOptions(fuse=False, max_in_flight=7)),
    ],
)
def test_run_options(read: Read, run: str, options: RunOptions) -> None:
    assert read(HEAD + f"  thumbnails:\nrun: {run}\n").options == options


@pytest.mark.parametrize("ending", ["csv", "CSV", "jsonl", "ndjson", "json"])
def test_facts_of_a_manifest_are_known_to_the_source_alone(read: Read, ending: str) -> None:
    head = f"pipeline: p\nimages: {{from: list.{ending}, primary: first}}\nstages:\n"
    text = "  watermark: {with: {text: '{Product name} {primary.colour}'}}\n"
    assert read(head + text).stages[0].reads_facts == {"Product name", "primary.colour"}


@pytest.mark.parametrize(
    ("before", "text"),
    [
        ("  validate:\n", "{name} {stem} {path} {group} {ordinal} {width|?}"),
        ("  http: {with: {url: 'https://x'}}\n", "{anything}"),
        ("  http: {with: {url: 'https://x', facts: [score]}}\n", "{score}"),
        ("  command: {with: {run: [a], facts: json}}\n", "{anything}"),
        ("  mine: {uses: 'mine:threshold'}\n", "{over} {mine.over}"),
        ("  validate:\n  metadata:\n", "{validate.width} {copyright} {{not a fact}}"),
    ],
)
def test_facts_that_a_template_may_read(read: Read, before: str, text: str) -> None:
    read(HEAD + before + f'  watermark: {{with: {{text: "{text}"}}}}\n')


def test_a_function_of_ones_own(read: Read) -> None:
    stage = read(HEAD + "  mine: {uses: 'mine:threshold', with: {at: 0.7}}\n").stages[0]
    assert stage.uses == "mine:threshold"
    assert stage.parameters == {"at": 0.7}
    assert stage.traits.facts == {"over"}


def test_a_contact_sheet_shows_what_is_nearest(read: Read) -> None:
    line = "  thumbnails:\n  watermark: {with: {text: a}}\n  store:\n  contact-sheet:\n"
    assert read(HEAD + line).stage("contact-sheet").parameters["of"] == "watermark"


def test_an_index_of_galleries_is_published_where_they_are(read: Read) -> None:
    text = "  thumbnails:\n  store: {with: {to: out/}}\n  publish:\n"
    spec = read(HEAD + text + "  index: {uses: publish, scope: run}\n")
    assert spec.stage("index").parameters["to"] == "out/"


def test_a_logo_is_looked_for_beside_the_pipeline(read: Read, tmp_path: Path) -> None:
    (tmp_path / "mark.png").touch()
    read(HEAD + "  watermark: {with: {logo: mark.png}}\n")


def test_keys_left_empty_are_as_good_as_absent(read: Read) -> None:
    read(HEAD + "  validate:\n    uses:\n    needs:\n    with:\n    timeout:\n    retry:\nrun:\n")


@pytest.mark.parametrize(
    ("text", "tolerance"),
    [
        ("5%", Tolerance(run=0.05)),
        ("0", Tolerance(run=0.0)),
        ("{group: 10%}", Tolerance(group=0.1)),
        ("{run: 5%, group: 0.1}", Tolerance(0.05, 0.1)),
    ],
)
def test_tolerance(read: Read, text: str, tolerance: Tolerance) -> None:
    assert read(HEAD + f"  validate:\ntolerance: {text}\n").tolerance == tolerance


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("abort", FailurePolicy.ABORT),
        ("{abort: group}", FailurePolicy.ABORT),
        ("{abort: run}", FailurePolicy.ABORT_RUN),
    ],
)
def test_how_far_an_abort_goes(read: Read, text: str, policy: FailurePolicy) -> None:
    spec = read(HEAD + f"  validate: {{on_failure: {text}}}\n")
    assert spec.stages[0].on_failure is policy


@pytest.mark.parametrize(
    ("text", "breaker"),
    [
        ("0", None),
        ("12", BreakerPolicy(12, 12)),
        ("{failures: 3, of: 4, pause: 1m, max: 1h}", BreakerPolicy(3, 4, 60.0, 3600.0)),
    ],
)
def test_breakers(read: Read, text: str, breaker: BreakerPolicy | None) -> None:
    stage = f"  check: {{uses: http, with: {{url: http://a/}}, breaker: {text}}}\n"
    assert read(HEAD + stage).stages[0].breaker == breaker


def test_alerts_have_a_name_each(read: Read) -> None:
    text = """\
  validate:
alerts:
  - log: alerts.jsonl
  - webhook: https://hooks.example/${HOOK}
  - webhook: {url: "https://b.example", headers: {Authorization: x}}
  - command: [pager, --now]
  - mail: {to: desk@example.org, from: Gallery <gallery@example.org>, security: tls}
  - apprise: slack://a/b/c
"""
    specs = read(HEAD + text).alerts
    assert [spec.channel for spec in specs] == [
        "log",
        "webhook",
        "webhook-2",
        "command",
        "mail",
        "apprise",
    ]
    assert specs[1] == AlertSpec(
        "webhook", "webhook", {"url": "https://hooks.example/${HOOK}", "headers": {}}
    )
    assert specs[3].parameters == {"run": ["pager", "--now"]}
    assert specs[4].parameters["to"] == ["desk@example.org"]
    assert from_json(PipelineSpec, to_json(read(HEAD + text))).alerts == specs


@pytest.mark.parametrize("installed", [True, False])
def test_what_resizes_is_what_is_installed(
    read: Read, monkeypatch: pytest.MonkeyPatch, *, installed: bool
) -> None:
    found = importlib.util.find_spec("json") if installed else None
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: found)
    spec = read(GALLERY)
    assert spec.resampler is (Resampler.FAST_IMAGE_RESIZE if installed else Resampler.LIBVIPS)
    assert from_json(PipelineSpec, to_json(spec)) == spec


def test_a_pipeline_recorded_before_there_was_a_choice_is_resized_as_it_was(read: Read) -> None:
    recorded = to_json(read(GALLERY))
    del recorded["resampler"]
    assert from_json(PipelineSpec, recorded).resampler is Resampler.LIBVIPS
