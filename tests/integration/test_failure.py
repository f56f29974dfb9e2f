"""What failures come to on the command line: exit codes, alerts, status, as a user sees them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.conftest import Imagelane, Paint

PIPELINE = """\
pipeline: gallery
images: {{from: photos/, group: folder}}
{policies}
stages:
  validate:
  thumbnails:
    needs: [validate]
    with: {{widths: [80]}}
  check:
    needs: [validate]
    uses: command
    with: {{run: ["{python}", check.py, "{{name}}"]}}
    retry: {{attempts: 2, initial: 10ms}}
    on_failure: {on_failure}
  store:
    needs: [thumbnails, check]
    with: {{to: public/}}
  publish:
    scope: group
    needs: [store]
"""
CHECK = """\
import sys

if "odd" in sys.argv[1]:
    print("cannot make sense of it \\x1b[31m", file=sys.stderr)
    sys.exit(75)
"""
PAGER = """\
import sys

open("paged.jsonl", "a").write(sys.stdin.read())
"""


@pytest.fixture
def project(tmp_path: Path, paint: Paint) -> Path:
    for group in ("a", "b"):
        for index in range(3):
            paint(tmp_path / "photos" / group / f"{index}.jpg", (120, 90))
    paint(tmp_path / "photos" / "b" / "odd.jpg", (120, 90))
    (tmp_path / "check.py").write_text(CHECK, encoding="utf-8")
    (tmp_path / "pager.py").write_text(PAGER, encoding="utf-8")
    return tmp_path


def declare(project: Path, on_failure: str, policies: str = "") -> None:
    alerts = f'alerts: [{{log: alerts.jsonl}}, {{command: ["{sys.executable}", pager.py]}}]'
    text = PIPELINE.format(
        on_failure=on_failure, policies=f"{alerts}\n{policies}", python=sys.executable
    )
    (project / "gallery.yaml").write_text(text, encoding="utf-8")


def alerted(project: Path, file: str = "alerts.jsonl") -> list[str]:
    path = project / file
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [json.loads(line)["kind"] for line in lines]


def test_a_run_past_its_tolerance_fails_and_what_is_live_stays(
    project: Path, imagelane: Imagelane
) -> None:
    declare(project, "skip", "tolerance: 10%")
    done = imagelane("run", "gallery.yaml", "--quiet", cwd=project, code=1)
    assert "alert: more than 10% of its 7 images are lost" in done.stderr
    assert alerted(project) == alerted(project, "paged.jsonl") == ["run_failed"]
    status = imagelane("status", cwd=project).stdout
    assert "run failed: more than 10%" in status
    assert "delivered by log, command" in status or "delivered by command, log" in status


def test_within_its_tolerance_a_gallery_goes_live_without_what_was_lost(
    project: Path, imagelane: Imagelane
) -> None:
    declare(project, "skip", "tolerance: {run: 20%, group: 25%}")
    imagelane("run", "gallery.yaml", "--quiet", cwd=project, code=1)
    assert alerted(project) == []
    assert (project / "public" / "b" / "0-80.jpg").exists()
    assert not (project / "public" / "b" / "odd-80.jpg").exists()


def test_a_group_past_its_tolerance_is_not_published(project: Path, imagelane: Imagelane) -> None:
    declare(project, "skip", "tolerance: {group: 20%}")
    imagelane("run", "gallery.yaml", "--quiet", cwd=project, code=1)
    assert (project / "public" / "a" / "manifest.json").exists()
    assert not (project / "public" / "b").exists()


def test_abort_run_ends_the_run(project: Path, imagelane: Imagelane) -> None:
    declare(project, "{abort: run}")
    done = imagelane("run", "gallery.yaml", "--quiet", cwd=project, code=1)
    assert "the run is failed: check failed on 2.4" in done.stderr
    assert alerted(project) == ["run_failed"]


def test_a_halt_waits_and_calls_somebody(project: Path, imagelane: Imagelane) -> None:
    declare(project, "halt")
    imagelane("run", "gallery.yaml", "--quiet", cwd=project, code=3)
    assert alerted(project) == ["run_halted"]
    (line,) = (project / "alerts.jsonl").read_text(encoding="utf-8").splitlines()
    alert = json.loads(line)
    command = f"imagelane resolve 2.4 VERB --run {alert['run']} --reason WHY"
    assert (alert["subject"], alert["next"]) == ("2.4", command)
    assert "\x1b" not in alert["message"]
    imagelane("report", cwd=project)
    data = json.loads(imagelane("status", "--json", cwd=project).stdout)
    assert data["alerts"][0]["cause"] == "run halted"


def test_a_channel_that_cannot_work_is_found_before_the_run(
    project: Path, imagelane: Imagelane
) -> None:
    declare(project, "skip")
    text = (project / "gallery.yaml").read_text(encoding="utf-8")
    hook = 'alerts: [{webhook: "https://hooks.example/${NO_SUCH_VARIABLE}"}]'
    start = text.index("alerts:")
    text = text.replace(text[start : text.index("\n", start)], hook)
    (project / "gallery.yaml").write_text(text, encoding="utf-8")
    done = imagelane("run", "gallery.yaml", cwd=project, code=4)
    assert "the environment has no NO_SUCH_VARIABLE" in done.stderr
