"""`imagelane show`: the history of one image or group."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imagelane.cli.failures import WRONG, CommandError
from imagelane.cli.seen import (
    ink,
    journal_of,
    near,
    say,
    spec_of,
    target_of,
    the_run,
    workspace_option,
)

if TYPE_CHECKING:
    from imagelane.model.ids import Subject
    from imagelane.ports.journal import Journal, RunRow
    from imagelane.report.find import Found
    from imagelane.report.view import History


@click.command()
@click.argument("what", metavar="IMAGE|GROUP")
@click.option("--run", metavar="RUN", help="In this run; without it: in the newest one.")
@workspace_option
@click.option("--json", "as_json", is_flag=True, help="The same for programs.")
def show(what: str, *, run: str | None, workspace: Path, as_json: bool) -> None:
    """What happened to an image or a group, step by step.

    IMAGE is a number such as 3.12, a file name, a path or a pattern such as '*.heic'; GROUP is a
    number, a name, or the name as it stands in an address. Numbers are understood first.
    """
    with journal_of(workspace) as journal:
        row = the_run(journal, run)
        found = _found(journal, row, what)
        if found.count > 1:
            _candidates(found, what, as_json=as_json)
            return
        history = _history(journal, row, found.subjects[0][0])
        published = _published(journal, row, history)
        if as_json:
            from imagelane.report.data import history_data  # noqa: PLC0415

            say([json.dumps(history_data(history, published), indent=2, default=dict)])
            return
        from imagelane.report.story import story  # noqa: PLC0415

        say(story(history, published, ink()))


def _found(journal: Journal, row: RunRow, what: str) -> Found:
    from imagelane.report.find import NothingFoundError, find  # noqa: PLC0415

    try:
        return find(journal, row, what)
    except NothingFoundError as error:
        raise CommandError(str(error)) from None


def _candidates(found: Found, what: str, *, as_json: bool) -> None:
    """Several were meant. With a pattern that is an answer, with a name it is a question."""
    from imagelane.report.clean import visible  # noqa: PLC0415
    from imagelane.report.story import candidates  # noqa: PLC0415

    if as_json:
        listed = [{"subject": str(subject), "name": name} for subject, name in found.subjects]
        say([json.dumps({"count": found.count, "matches": listed}, indent=2)])
    else:
        say([f"{visible(what)} can be any of {found.count}:", *candidates(found, ink())])
        say([f"`imagelane show {found.subjects[0][0]}` shows the first one."])
    if not found.pattern:
        sys.exit(WRONG)


def _history(journal: Journal, row: RunRow, subject: Subject) -> History:
    from imagelane.report.history import read_group, read_image, read_whole_run  # noqa: PLC0415

    if subject.ordinal:
        history = read_image(journal, row, subject)
    elif subject.group:
        history = read_group(journal, row, subject.group)
    else:
        history = read_whole_run(journal, row)
    if history is None:
        raise CommandError(f"run {row.run} has recorded nothing of {subject} yet")
    return history


def _published(journal: Journal, row: RunRow, history: History) -> Mapping[str, str]:
    """By digest, the file that people see; empty where the version is not in its place any more."""
    from imagelane.report.history import read_group  # noqa: PLC0415

    target = target_of(spec_of(row))
    group = read_group(journal, row, history.subject.group) if history.subject.group else None
    if target is None or group is None or group.manifest is None:
        return {}
    slugs = [entry.facts["slug"] for entry in group.entries if "slug" in entry.facts]
    if not slugs:
        return {}
    version = target / ".versions" / slugs[-1] / group.manifest[:16] / "manifest.json"
    try:
        manifest = version.read_bytes()
    except OSError:
        return {}
    if hashlib.sha256(manifest).hexdigest() != group.manifest:
        return {}
    content = json.loads(manifest)
    images = content["images"]
    # Two images with the same bytes have the same digests: each has its files under its own name.
    own = [image for image in images if image["name"] == history.name] or images
    made = [made for image in own for made in image["renditions"]]
    made += [content["contact_sheet"]] if "contact_sheet" in content else []
    folder = near(target / slugs[-1])
    return {one["digest"]: f"{folder}/{one['file']}" for one in made}
