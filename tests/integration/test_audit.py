"""The audit trail of real runs: what it says, and whether a change of it is found."""

from __future__ import annotations

import base64
import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from imagelane.model.audit import Told
from imagelane.model.ids import StageName, Subject
from imagelane.record.audit.reading import trail
from imagelane.report.audit.line import straight
from imagelane.wiring.auditing import audit_plan, open_audit_log
from tests.conftest import Imagelane
from tests.integration.conftest import NewProject, Project
from tests.integration.stranger import climbed, leaf_of, tree

Ran = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def signed(project: NewProject, imagelane: Imagelane) -> Project:
    """A run that signed a checkpoint at its end, of which a copy went elsewhere."""
    made = project()
    key = imagelane("audit", "key", "new", "--name", "example.com/galleries", cwd=made.folder)
    (made.folder / "trusted.pub").write_text(key.stdout, encoding="utf-8")
    imagelane(
        "run",
        made.pipeline,
        "--quiet",
        cwd=made.folder,
        environment={"IMAGELANE_AUDIT_ANCHOR": f"{made.folder / 'elsewhere'}/"},
    )
    return made


@pytest.fixture
def copied(signed: Project, tmp_path: Path) -> Project:
    shutil.copytree(signed.folder, tmp_path / "copy", symlinks=True)
    return Project(tmp_path / "copy")


def held(project: Project) -> Path:
    (found,) = (project.folder / "elsewhere").glob("*.checkpoint")
    return found


def altered(project: Project, statement: str) -> None:
    """Change the journal as whoever can write its file can."""
    with sqlite3.connect(project.folder / ".imagelane" / "journal.db") as connection:
        connection.execute(statement)
    connection.close()


def told(project: Project) -> tuple[list[Told], list[StageName]]:
    """The trail of the newest run, and the stages of its plan."""
    row = project.runs()[0]
    plan = audit_plan(row)
    with open_audit_log(project.folder / ".imagelane") as log:
        return list(trail(log, row.run, plan)), [stage.name for stage in plan.stages]


def test_the_history_of_every_image_from_eight_workers_is_that_of_one_at_a_time(
    project: NewProject, imagelane: Imagelane
) -> None:
    histories: list[dict[Subject, list[tuple[str, str | None, str]]]] = []
    as_recorded: list[bool] = []
    for options in (["--workers", "8"], ["--model", "sequential"]):
        made = project()
        imagelane("run", made.pipeline, "--quiet", *options, cwd=made.folder)
        events, stages = told(made)
        by_subject: dict[Subject, list[Told]] = {}
        for one in events:
            by_subject.setdefault(one.content.subject, []).append(one)
        found = {}
        for subject, own in by_subject.items():
            if not subject.ordinal:
                continue
            line = straight(own, stages)
            places = {one.index: place for place, one in enumerate(line)}
            assert len(places) == len(own)
            for one in line:
                for parent in one.leaf.parents:
                    assert places.get(parent, -1) < places[one.index], (subject, one.index)
            found[subject] = [
                (one.content.type, one.content.stage, one.content.outcome) for one in line
            ]
        histories.append(found)
        images = [own for subject, own in by_subject.items() if subject.ordinal]
        as_recorded.append(all(straight(own, stages) == own for own in images))
    parallel, sequential = histories
    assert len(parallel) == 9
    assert parallel == sequential
    # Of the sequential run the log itself is that line.
    assert as_recorded[1]


def test_a_run_that_ends_signs_what_it_has_recorded(signed: Project, imagelane: Imagelane) -> None:
    arguments = ["--checkpoint", held(signed), "--trust", "trusted.pub"]
    done = imagelane("audit", "verify", *arguments, cwd=signed.folder)
    events = len(signed.events())
    assert f"Consistent up to event {events}" in done.stdout
    assert "kept elsewhere" in done.stdout
    data = json.loads(imagelane("audit", "verify", "--json", cwd=signed.folder).stdout)
    assert data["consistent_up_to"] == data["events"] == events
    assert data["findings"] == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "UPDATE events SET body = replace(body, 'harbour', 'harbor') WHERE log_index = 2",
            "event 2: edited",
        ),
        ("DELETE FROM events WHERE log_index BETWEEN 30 AND 33", "events 30–33: missing"),
        ("DELETE FROM events WHERE log_index > 40", "the log is shorter than checkpoint"),
        ("UPDATE events SET at = at + 60 WHERE log_index = 21", "event 21: edited"),
        ("DELETE FROM keys WHERE group_no = 2 AND ordinal = 1", "edited"),
    ],
)
def test_a_changed_journal_is_found_out_and_the_place_is_named(
    copied: Project, imagelane: Imagelane, statement: str, said: str
) -> None:
    altered(copied, statement)
    for arguments in ([], ["--checkpoint", held(copied), "--trust", "trusted.pub"]):
        done = imagelane("audit", "verify", *arguments, cwd=copied.folder, code=1)
        assert "The record is not what it was." in done.stdout
        assert said in done.stdout
    refused = imagelane("audit", "checkpoint", cwd=copied.folder, code=1)
    assert "nothing is signed" in refused.stderr


def test_whoever_forges_everything_in_the_workspace_is_found_out_by_what_is_kept_elsewhere(
    copied: Project, imagelane: Imagelane
) -> None:
    """The journal is edited, all that was signed is thrown away, and a new key signs it again."""
    altered(copied, "UPDATE events SET at = at - 60 WHERE log_index = 21")
    shutil.rmtree(copied.folder / ".imagelane" / "audit")
    imagelane("audit", "key", "new", "--name", "example.com/galleries", cwd=copied.folder)
    imagelane("audit", "checkpoint", cwd=copied.folder)
    forged = imagelane("audit", "verify", cwd=copied.folder)
    assert "by keys that are kept with it, too" in forged.stdout
    arguments = ["--checkpoint", held(copied), "--trust", "trusted.pub"]
    done = imagelane("audit", "verify", *arguments, cwd=copied.folder, code=1)
    assert "event 21: edited" in done.stdout
    assert "none of the trusted keys has signed it" in done.stdout


def test_an_export_is_verified_with_nothing_else(
    signed: Project, imagelane: Imagelane, tmp_path: Path
) -> None:
    file = tmp_path / "trail.jsonl"
    imagelane("audit", "export", "--out", file, cwd=signed.folder)
    key = (signed.folder / "trusted.pub").read_text().strip()
    alone = tmp_path / "alone"
    alone.mkdir()
    imagelane("audit", "verify", file, "--trust", key, cwd=alone)

    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    place = next(n for n, one in enumerate(lines) if '\\"worker\\":\\"p' in one)
    for changed, said in (
        (lines[place].replace('\\"attempt\\":1', '\\"attempt\\":2'), "what it says was edited"),
        (lines[place].replace('"type":"task_succeeded"', '"type":"task_skipped"'), "edited"),
        ("", "missing"),
    ):
        file.write_text("".join([*lines[:place], changed, *lines[place + 1 :]]), encoding="utf-8")
        done = imagelane("audit", "verify", file, "--trust", key, cwd=alone, code=1)
        assert f"event {place}: {said}" in done.stdout, done.stdout


def test_one_event_is_proven_to_somebody_who_has_a_key_and_nothing_else(
    signed: Project, imagelane: Imagelane, tmp_path: Path
) -> None:
    proof = tmp_path / "event.tlog-proof"
    key = (signed.folder / "trusted.pub").read_text().strip()
    imagelane("audit", "prove", "12", "--out", proof, cwd=signed.folder)
    shown = imagelane("audit", "verify", proof, "--trust", key, cwd=tmp_path)
    assert "Proven: event 12" in shown.stdout
    withheld = imagelane("audit", "prove", "12", "--withhold", cwd=signed.folder).stdout
    (tmp_path / "withheld").write_text(withheld, encoding="utf-8")
    shown = imagelane("audit", "verify", "withheld", "--trust", key, cwd=tmp_path)
    assert "what it says is withheld" in shown.stdout
    proof.write_text(proof.read_text().replace("index 11", "index 12"), encoding="utf-8")
    imagelane("audit", "verify", proof, "--trust", key, cwd=tmp_path, code=1)
    beyond = imagelane("audit", "prove", "99999", cwd=signed.folder, code=2)
    assert "no checkpoint" in beyond.stderr


def test_a_stranger_verifies_an_export_and_a_proof_with_nothing_of_ours(
    signed: Project, imagelane: Imagelane
) -> None:
    """As somebody would who has read docs/explanation/audit.md and the RFCs, and no code."""
    name, _, key = (signed.folder / "trusted.pub").read_text().strip().split("+", 2)
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key)[1:])

    def opened(note: str) -> tuple[str, int, bytes]:
        text, _, signature = note.partition("\n\n")
        said, by, encoded = signature.split()
        assert (said, by) == ("\N{EM DASH}", name)
        public.verify(base64.b64decode(encoded)[4:], f"{text}\n".encode())
        origin, size, root = text.splitlines()
        return origin, int(size), base64.b64decode(root)

    exported = imagelane("audit", "export", cwd=signed.folder).stdout.splitlines()
    header, *events = map(json.loads, exported)
    origin, size, root = opened(header["checkpoints"][-1])
    assert origin == f"{name}/{header['run']}"
    assert [one["index"] for one in events] == list(range(1, size + 1))
    assert tree(list(map(leaf_of, events))) == root

    proof = imagelane("audit", "prove", "12", cwd=signed.folder).stdout
    head, _, note = proof.partition("\n\n")
    title, extra, index, *path = head.splitlines()
    assert title == "c2sp.org/tlog-proof@v1"
    values = {**json.loads(base64.b64decode(extra.removeprefix("extra "))), "index": 12}
    place = int(index.removeprefix("index "))
    assert place == 11
    _, size, root = opened(note)
    assert climbed(leaf_of(values), place, size, list(map(base64.b64decode, path))) == root


def test_leaves_hold_nothing_of_a_person(
    signed: Project, imagelane: Imagelane, tmp_path: Path
) -> None:
    """Names, captions, positions and digests of pictures are in payloads, which can be erased."""
    file = tmp_path / "trail.jsonl"
    imagelane("audit", "export", "--out", file, cwd=signed.folder)
    lines = file.read_text(encoding="utf-8").splitlines()[1:]
    kept = "".join(json.dumps(json.loads(line)["content"]) for line in lines)
    said = "".join(str(json.loads(line)["payload"]) for line in lines)
    digests = {one.digest for task in signed.tasks() for one in task.renditions}
    for secret in ("Quayside Press", "harbour", "tall.jpg", str(signed.folder), "@", *digests):
        assert secret in said
        assert secret not in kept


def test_an_image_is_shown_as_a_line_and_as_a_graph(signed: Project, imagelane: Imagelane) -> None:
    shown = imagelane("audit", "show", "1.1", cwd=signed.folder).stdout
    assert shown.index("validate succeeded") < shown.index("thumbnails succeeded")
    assert "sha256" in shown
    graph = imagelane("audit", "show", "1.1", "--graph", cwd=signed.folder).stdout
    assert graph.startswith("flowchart TD\n")
    events = {e["index"]: e for e in json.loads(_json(imagelane, signed))}
    fork = next(one for one in events.values() if one["stage"] == "validate")
    arrows = graph.count(f"e{fork['index']} -->")
    assert arrows == sum(fork["index"] in one["parents"] for one in events.values()) == 4
    many = imagelane("audit", "show", "*.jpg", cwd=signed.folder, code=2)
    assert "can be any of" in many.stderr


def _json(imagelane: Imagelane, project: Project) -> str:
    return imagelane("audit", "show", "1.1", "--json", cwd=project.folder).stdout


def test_a_replaced_key_is_followed_from_the_old_one(copied: Project, imagelane: Imagelane) -> None:
    first = (copied.folder / "trusted.pub").read_text().strip()
    second = imagelane("audit", "key", "rotate", cwd=copied.folder).stdout.strip()
    assert first != second
    shown = imagelane("audit", "key", "show", cwd=copied.folder).stdout.split()
    assert set(shown) == {first, second}
    imagelane("run", copied.pipeline, "--new", "--quiet", cwd=copied.folder)
    for trusted in (first, second):
        imagelane("audit", "verify", "--trust", trusted, cwd=copied.folder)
    older = copied.runs()[1].run
    imagelane("audit", "verify", older, "--trust", first, cwd=copied.folder)
    refused = imagelane("audit", "verify", older, "--trust", second, cwd=copied.folder, code=1)
    assert "none of the trusted keys" in refused.stdout
    for one in (copied.folder / ".imagelane/audit/keys").glob("*.succession"):
        one.write_text(one.read_text().replace(second, first), encoding="utf-8")
    imagelane("audit", "verify", "--trust", first, cwd=copied.folder, code=1)


def test_without_a_key_it_is_said_what_cannot_be_proven(
    copied: Project, imagelane: Imagelane
) -> None:
    shutil.rmtree(copied.folder / ".imagelane" / "audit")
    done = imagelane("audit", "verify", cwd=copied.folder, code=1)
    assert "Without a checkpoint it cannot be proven" in done.stdout
    assert "make" in imagelane("audit", "checkpoint", cwd=copied.folder, code=2).stderr


def test_a_checkpoint_that_cannot_be_kept_elsewhere_is_no_harm_to_the_run(
    copied: Project, imagelane: Imagelane
) -> None:
    done = imagelane(
        "run",
        copied.pipeline,
        "--new",
        "--quiet",
        cwd=copied.folder,
        environment={"IMAGELANE_AUDIT_ANCHOR": "http://127.0.0.1:9/ 'command:false --now'"},
    )
    assert "127.0.0.1 could not be asked to keep it" in done.stderr
    assert "false did not keep it" in done.stderr
    imagelane("audit", "verify", cwd=copied.folder)
