"""With real programs."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from imagelane.model.states import ErrorClass
from tests.images.bench import Bench, source_of
from tests.images.files import coded, opened, photo

PY = sys.executable
SHELL: dict[str, Any] = {"shell": True}


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "a picture; with $(odd) name.jpg"
    path.write_bytes(coded(photo(64, 48), "jpeg"))
    return path


def python(code: str, *arguments: str, **more: Any) -> dict[str, Any]:
    # Braces are a template's, so the program itself is written with doubled ones.
    return {"run": [PY, "-c", code.replace("{", "{{").replace("}", "}}"), *arguments], **more}


def test_the_output_is_collected(bench: Bench, picture: Path) -> None:
    bench.stage("command", run=["cp", "{source}", "{output}"], output="copy.jpg")
    (rendition,) = bench.one(picture).renditions
    assert (rendition.name, rendition.format) == ("copy", "jpeg")
    assert (rendition.width, rendition.height) == (64, 48)
    assert bench.bytes_of(rendition) == picture.read_bytes()
    assert list((bench.folder / "scratch").iterdir()) == []


def test_any_file_will_do(bench: Bench, picture: Path) -> None:
    bench.stage("command", run="sha256sum < {source} > {output}", **SHELL, output="sum.sha256")
    (rendition,) = bench.one(picture).renditions
    assert (rendition.name, rendition.format, rendition.width) == ("sum", "sha256", 0)
    assert len(bench.bytes_of(rendition).split()[0]) == 64


def test_nothing_passes_through_a_shell_unless_asked(bench: Bench, picture: Path) -> None:
    file = replace(source_of(picture), columns={"evil": "$(touch hacked); `touch hacked` && x"})
    code = "import sys, json; print(json.dumps({'got': sys.argv[1:]}))"
    bench.stage("command", **python(code, "{evil}", "{name}"), facts="json")
    got = bench.one(file).facts["got"]
    assert got == ["$(touch hacked); `touch hacked` && x", picture.name]
    assert not (bench.folder / "hacked").exists()


def test_facts_are_quoted_for_the_shell(bench: Bench, picture: Path) -> None:
    file = replace(source_of(picture), columns={"evil": "'; touch hacked; echo '"})
    bench.stage("command", run="printf %s {evil} > {output}", **SHELL, output="said.txt")
    (rendition,) = bench.one(file).renditions
    assert bench.bytes_of(rendition).decode() == "'; touch hacked; echo '"
    assert not (bench.folder / "hacked").exists()


def test_facts_as_a_file(bench: Bench, picture: Path) -> None:
    code = "import sys; print(open(sys.argv[1]).read())"
    bench.stage("metadata")
    bench.stage("command", **python(code, "{facts}"), facts="json", needs=["metadata"])
    facts = bench.all(picture)[1].facts
    assert facts["name"] == picture.name
    assert facts["facts"]["orientation"] == 1


def test_a_name_that_is_no_unicode(bench: Bench, tmp_path: Path) -> None:
    path = tmp_path / "odd\udcff.jpg"
    path.write_bytes(coded(photo(64, 48), "jpeg"))
    bench.stage("command", run=["cp", "{source}", "{output}"], output="copy.jpg")
    bench.stage("listed", "command", run=["cat", "{facts}"], facts="json")
    first, second = bench.all(path)
    assert first.renditions
    assert second.facts["name"] == "odd.jpg"


def test_the_file_of_an_earlier_stage(bench: Bench, picture: Path) -> None:
    bench.stage("thumbnails", widths=[16, 32], format="png")
    made = bench.one(picture)
    bench.stage(
        "command",
        run=["cp", "{source}", "{output}"],
        input="thumbnails",
        output="c.png",
        needs=["thumbnails"],
    )
    (rendition,) = bench.one(picture, "command", inputs={"thumbnails": made.renditions}).renditions
    assert opened(bench.bytes_of(rendition)).shape == (24, 32, 3)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (65, ErrorClass.INVALID),
        (66, ErrorClass.INVALID),
        (69, ErrorClass.TRANSIENT),
        (71, ErrorClass.TRANSIENT),
        (74, ErrorClass.TRANSIENT),
        (124, ErrorClass.TRANSIENT),
        (126, ErrorClass.BUG),
        (127, ErrorClass.BUG),
        (64, ErrorClass.BUG),
        (128, ErrorClass.BUG),
        (75, ErrorClass.TRANSIENT),
        (1, ErrorClass.BUG),
        (3, ErrorClass.INVALID),
        (4, ErrorClass.TRANSIENT),
    ],
)
def test_exit_codes(bench: Bench, picture: Path, code: int, error: ErrorClass) -> None:
    program = f"import sys; print('first\\nwhy\\x1b[1m', file=sys.stderr); sys.exit({code})"
    bench.stage("command", **python(program), exit_codes={3: "invalid", 4: "transient", 5: "ok"})
    failure = bench.fails(picture)
    assert failure.error is error
    assert f"exit code {code}: why [1m" in failure.message
    assert "first" in failure.detail


def test_an_exit_code_that_is_declared_to_be_fine(bench: Bench, picture: Path) -> None:
    bench.stage("command", **python("raise SystemExit(5)"), exit_codes={5: "ok"})
    assert bench.one(picture).facts == {}


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_at_the_deadline_the_whole_family_is_killed(
    bench: Bench, picture: Path, tmp_path: Path
) -> None:
    note = tmp_path / "pid"
    script = f"sleep 60 & echo $! > {note}; wait"
    bench.stage("command", run=script, **SHELL, timeout=0.5)
    started = time.monotonic()
    failure = bench.fails(picture)
    assert failure.error is ErrorClass.TIMEOUT
    assert time.monotonic() - started < 5
    child = int(note.read_text(encoding="ascii"))
    for _ in range(50):
        if not alive(child):
            break
        time.sleep(0.02)
    assert not alive(child)


def test_a_program_that_closes_its_output_and_works_on_is_waited_for(
    bench: Bench, picture: Path
) -> None:
    script = "exec >&- 2>&-; sleep 0.4; cp {source} {output}"
    bench.stage("command", run=script, **SHELL, output="late.jpg")
    assert bench.one(picture).renditions


def test_what_it_leaves_in_the_background_is_not_waited_for(
    bench: Bench, picture: Path, tmp_path: Path
) -> None:
    note = tmp_path / "pid"
    bench.stage("command", run=f"sleep 60 & echo $! > {note}", **SHELL)
    started = time.monotonic()
    bench.one(picture)
    assert time.monotonic() - started < 5
    time.sleep(0.1)
    assert not alive(int(note.read_text(encoding="ascii")))


def test_endless_printing_is_read_and_dropped(bench: Bench, picture: Path) -> None:
    code = "import sys\nfor out in [sys.stdout, sys.stderr] * 300: out.write('x' * 65536)"
    bench.stage("command", **python(code))
    assert bench.one(picture).facts == {}


@pytest.mark.parametrize("said", ["", "[1]", "nonsense", '{"a": NaN}', '{"a": 1} and more'])
def test_facts_that_are_none(bench: Bench, picture: Path, said: str) -> None:
    bench.stage("command", **python(f"print({said!r}, end='')"), facts="json")
    failure = bench.fails(picture)
    assert failure.error is ErrorClass.BUG
    assert "the command answered" in failure.message


def test_facts(bench: Bench, picture: Path) -> None:
    said = {"faces": 3, "who": ["a\u202eb"], "inner": {"x": 0.5}}
    bench.stage("command", **python(f"print({json.dumps(json.dumps(said))})"), facts="json")
    assert bench.one(picture).facts == {"faces": 3, "who": ["ab"], "inner": {"x": 0.5}}


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (["no-such-program-anywhere"], "there is no program 'no-such-program-anywhere'"),
        (["./notes.txt"], "may not be executed"),
        (["true"], "did not write 'x.png'"),
        (["mkdir", "{output}"], "no plain file"),
        (["ln", "-s", "/etc/passwd", "{output}"], "no plain file"),
        (["touch", "{output}"], "0 bytes"),
        (["cp", "{source}", "{output}"], "should be a png file is none"),
    ],
)
def test_what_can_go_wrong_is_said(bench: Bench, picture: Path, run: list[str], said: str) -> None:
    (bench.folder / "notes.txt").write_text("no program", encoding="ascii")
    failure = bench.stage("command", run=run, output="x.png").fails(picture)
    assert failure.error is ErrorClass.BUG
    assert said in failure.message


@pytest.mark.parametrize("through_a_shell", [False, True])
@pytest.mark.parametrize(
    ("signal", "error"),
    [
        ("SIGSEGV", ErrorClass.BUG),
        ("SIGABRT", ErrorClass.BUG),
        ("SIGKILL", ErrorClass.TRANSIENT),
        ("SIGTERM", ErrorClass.TRANSIENT),
        ("SIGHUP", ErrorClass.TRANSIENT),
    ],
)
def test_a_crash_is_a_bug_and_a_kill_is_tried_again(
    bench: Bench, picture: Path, signal: str, error: ErrorClass, *, through_a_shell: bool
) -> None:
    kill = f"kill -{signal.removeprefix('SIG')} $$"
    if through_a_shell:
        bench.stage("command", run=f"/bin/sh -c '{kill}'; exit $?", **SHELL)
    else:
        bench.stage("command", run=["/bin/sh", "-c", kill])
    failure = bench.fails(picture)
    assert f"killed by {signal}" in failure.message
    assert failure.error is error


def test_a_meaning_of_ones_own_goes_before_a_signal(bench: Bench, picture: Path) -> None:
    bench.stage("command", **python("raise SystemExit(137)"), exit_codes={137: "invalid"})
    assert bench.fails(picture).error is ErrorClass.INVALID


def test_what_a_shell_did_not_find_is_said(bench: Bench, picture: Path) -> None:
    failure = bench.stage("command", run="no-such-program", **SHELL).fails(picture)
    assert failure.error is ErrorClass.BUG
    assert "what it started is not there" in failure.message


def test_a_program_beside_the_pipeline_is_found(bench: Bench, picture: Path) -> None:
    script = bench.folder / "tool.sh"
    script.write_text("#!/bin/sh\npwd > $1\n", encoding="ascii")
    script.chmod(0o755)
    bench.stage("command", run=["./tool.sh", "{output}"], output="where.txt")
    (rendition,) = bench.one(picture).renditions
    assert bench.bytes_of(rendition).decode().strip() == os.path.realpath(bench.folder)
