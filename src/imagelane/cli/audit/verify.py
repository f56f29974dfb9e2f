"""`imagelane audit verify`: whether the record is what was signed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from imagelane.cli.audit.common import explained_audit, trust_option
from imagelane.cli.failures import LOSSES
from imagelane.cli.seen import ink, journal_of, say, the_run, workspace_option

if TYPE_CHECKING:
    from imagelane.model.note import PublicKey
    from imagelane.wiring.auditing import Audited


@click.command()
@click.argument("what", required=False, metavar="[RUN|FILE]")
@click.option(
    "--checkpoint",
    "held",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Hold the record against this checkpoint, which was kept elsewhere. Repeatable.",
)
@trust_option
@workspace_option
@click.option("--json", "as_json", is_flag=True, help="The same for programs.")
def verify(
    what: str | None,
    *,
    held: tuple[Path, ...],
    trust: tuple[str, ...],
    workspace: Path,
    as_json: bool,
) -> None:
    """Say whether the record was changed, and where.

    RUN is a run of this workspace; without it: the newest one. FILE is an export of `audit export
    --format jsonl`, or a proof of `audit prove`: nothing else is needed to verify them. Exits with
    0 only where a checkpoint agrees with the record, and nothing else is wrong.
    """
    from imagelane.cli.acting import root_of  # noqa: PLC0415
    from imagelane.record.audit.prove import TITLE  # noqa: PLC0415
    from imagelane.wiring import auditing  # noqa: PLC0415 - loads when it is needed

    with explained_audit():
        keys = auditing.trusted_keys(trust)
        file = Path(what) if what and Path(what).is_file() else None
        if file is not None and file.read_bytes()[: len(TITLE)] == TITLE.encode():
            _proof(file, keys, workspace, as_json=as_json)
            return
        if file is not None:
            audited = auditing.audit_export(file, held, keys)
        else:
            with journal_of(workspace) as journal:
                row = the_run(journal, what)
            audited = auditing.audit_run(root_of(workspace), row, held, keys)
    if as_json:
        say([json.dumps(_data(audited), indent=2)])
    else:
        from imagelane.report.audit.verdict import Finding, verdict_lines  # noqa: PLC0415

        signed = [
            (
                one.checkpoint.size,
                ", ".join(f"{key.name}+{key.number.hex()}" for key in one.keys),
                one.where,
                one.held,
            )
            for one in audited.signed
        ]
        verdict = audited.verdict
        found = Finding(
            audited.run,
            verdict.events,
            verdict.agreed,
            verdict.erased,
            audited.findings,
            signed,
            audited.trusted,
        )
        say(verdict_lines(found, ink()))
    if audited.findings or not audited.verdict.agreed:
        raise SystemExit(LOSSES)


def _data(audited: Audited) -> dict[str, object]:
    return {
        "run": audited.run,
        "events": audited.verdict.events,
        "consistent_up_to": audited.verdict.agreed,
        "findings": list(audited.findings),
        "erased": audited.verdict.erased,
        "checkpoints": [
            {
                "size": one.checkpoint.size,
                "root": one.checkpoint.root.hex(),
                "keys": list(map(str, one.keys)),
                "where": one.where,
                "held": one.held,
            }
            for one in audited.signed
        ],
        "keys_named_by_the_verifier": audited.trusted,
    }


def _proof(file: Path, keys: list[PublicKey], workspace: Path, *, as_json: bool) -> None:
    from imagelane.cli.acting import root_of  # noqa: PLC0415
    from imagelane.report.audit.verdict import proof_lines  # noqa: PLC0415
    from imagelane.wiring import auditing  # noqa: PLC0415

    text = file.read_text(encoding="utf-8", errors="replace")
    proof, found = auditing.check_proof(text, keys, root_of(workspace))
    payload = None if proof.opening is None else proof.opening.payload
    if as_json:
        data = {
            "run": proof.content.run,
            "event": proof.leaf.index,
            "parents": list(proof.leaf.parents),
            "content": proof.content.as_json(),
            "payload": None if payload is None else json.loads(payload),
            "checkpoint": {"size": found.size, "root": found.root.hex()},
        }
        say([json.dumps(data, indent=2)])
    else:
        say(proof_lines(proof.leaf, proof.content, payload, found.size, ink()))
