"""The audit trail put together: a journal, the folder of what was signed of it, keys, anchors."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from imagelane.adapters.auditing import ed25519
from imagelane.adapters.auditing.anchors import open_anchor
from imagelane.adapters.auditing.folder import LEAVES, AuditFolder
from imagelane.adapters.auditing.keys import SigningKey, followed, name_here, new_key, read_key
from imagelane.config import Workspace, audit_key
from imagelane.model.audit import AuditPlan
from imagelane.model.codec import from_json
from imagelane.model.ids import RunId
from imagelane.model.note import Checkpoint, Note, NoteError, PublicKey
from imagelane.model.spec import PipelineSpec
from imagelane.plan.logical import PlanError, logical_plan
from imagelane.ports.audit import AnchorError, AuditLog, SigningError
from imagelane.ports.journal import Journal, JournalError, RunRow
from imagelane.record.audit import export
from imagelane.record.audit.check import Verdict, verify
from imagelane.record.audit.prove import Opening, Proof, prove
from imagelane.record.audit.reading import Account, JournalAccount, Progress
from imagelane.record.audit.seal import ChangedError, seal
from imagelane.record.audit.sealed import Sealed


class AuditError(Exception):
    """What is to be audited, or what it is to be held against, is not what it should be."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint whose signature was verified. ``where`` it was found; ``held``: the auditor
    brought it along."""

    checkpoint: Checkpoint
    note: str
    keys: tuple[PublicKey, ...]
    where: str
    held: bool


@dataclass(frozen=True, slots=True)
class Audited:
    """``trusted`` says that the auditor named the keys. ``refused`` are checkpoints of the
    workspace, or of the export, that cannot be believed, and why."""

    run: RunId
    verdict: Verdict
    signed: tuple[Signed, ...]
    refused: tuple[str, ...]
    trusted: bool

    @property
    def findings(self) -> tuple[str, ...]:
        return (*self.refused, *self.verdict.findings)


@dataclass(frozen=True, slots=True)
class Made:
    """A new checkpoint: its note, its file, where copies are, and which could not be made."""

    checkpoint: Checkpoint
    note: str
    file: Path
    anchored: tuple[str, ...]
    problems: tuple[str, ...]


@contextmanager
def open_audit_log(workspace: Path) -> Iterator[AuditLog]:
    """The journal of a workspace, as an auditor reads it."""
    from imagelane.adapters.journals.sqlite.audit import SqliteAuditLog  # noqa: PLC0415 - SQLite

    log = SqliteAuditLog(Workspace(workspace).journal)
    try:
        yield log
    finally:
        log.close()


def audit_folder(workspace: Path) -> AuditFolder:
    """Where the workspace keeps what was signed."""
    return AuditFolder(Workspace(workspace).audit)


def audit_plan(row: RunRow) -> AuditPlan:
    """What the run's plan says of what may come before what.

    Raises:
        AuditError: it makes no sense: a later version has written it, or somebody has changed it.
    """
    try:
        spec = from_json(PipelineSpec, row.definition["spec"])
        stages = logical_plan(spec).stages
    except (LookupError, ValueError, PlanError) as error:
        raise AuditError(
            f"the plan that is kept with run {row.run} makes no sense; it was written by a later "
            f"version, or changed: {error}"
        ) from error
    return AuditPlan.of(stages, primary=spec.images.primary is not None)


def signing_key(workspace: Path, file: Path | None = None) -> SigningKey:
    """The key that checkpoints are signed with.

    Raises:
        SigningError: there is none, or it cannot be used.
        AuditError: no key was made yet.
    """
    path = file or audit_key(Workspace(workspace))
    if not path.exists():
        raise AuditError(
            f"there is no key {path} to sign with: `imagelane audit key new` makes one"
        )
    return read_key(path)


def make_key(
    workspace: Path, name: str | None = None, file: Path | None = None
) -> tuple[PublicKey, Path]:
    """Make the first key; gives its public half and the file of its private one.

    Raises:
        SigningError: there is one already, or it cannot be made.
    """
    path = file or audit_key(Workspace(workspace))
    key = new_key(name or name_here())
    audit_folder(workspace).keys.keep(key, path)
    return key.public, path


def rotate_key(workspace: Path, file: Path | None = None) -> PublicKey:
    """Let a new key take the place of the one that signs.

    Raises:
        SigningError, AuditError: there is none, or it cannot be replaced.
    """
    path = file or audit_key(Workspace(workspace))
    old = signing_key(workspace, path)
    new = new_key(old.public.name)
    audit_folder(workspace).keys.replace(old, new, path)
    return new.public


def checkpoint(
    workspace: Path, row: RunRow, *, key: SigningKey, anchors: Sequence[str] = ()
) -> Made:
    """Sign what is recorded of a run, and keep copies where the anchors are.

    Raises:
        ChangedError: it is not what was signed before.
        AuditError: an earlier checkpoint cannot be believed, or nothing is recorded yet.
        SigningError, AnchorError, JournalError, OSError: it cannot be done.
    """
    chosen = [open_anchor(anchor) for anchor in anchors]
    folder = audit_folder(workspace)
    keys = followed([*folder.keys.public(), key.public], folder.keys.successions())
    earlier, refused = _own(folder.checkpoints(row.run), keys, row.run)
    if refused:
        raise AuditError(f"{refused[0]}: `imagelane audit verify` says more")
    with open_audit_log(workspace) as log, folder.writing(row.run) as write:
        log.make_keys(row.run)
        made = seal(
            JournalAccount(log, row.run, signable=True),
            Progress.at_the_beginning(audit_plan(row)),
            f"{key.public.name}/{row.run}",
            [one.checkpoint for one in earlier],
            write,
        )
        if not made.size:
            raise AuditError(f"run {row.run} has recorded nothing yet")
    text = str(made)
    note = str(Note(text, (key.sign(text),)))
    file = folder.keep(row.run, made.size, note)
    anchored, problems = [], []
    for anchor in chosen:
        try:
            name = f"{row.run}-{made.size:012}"
            anchored.append(anchor.keep(name, note, folder.leaves(row.run)))
        except AnchorError as error:
            problems.append(str(error))
    return Made(made, note, file, tuple(anchored), tuple(problems))


def sign_the_end(
    workspace: Workspace, journal: Journal, run: RunId, warn: Callable[[str], None]
) -> None:
    """Sign what a run has recorded, now that it stands still. Whatever comes in the way of that is
    told, and is of no consequence for the run."""
    anchors = shlex.split(os.environ.get("IMAGELANE_AUDIT_ANCHOR", ""))
    try:
        row = next(row for row in journal.runs() if row.run == run)
        key = signing_key(workspace.root)
        made = checkpoint(workspace.root, row, key=key, anchors=anchors)
    except (AnchorError, AuditError, ChangedError, JournalError, OSError, SigningError) as error:
        warn(f"the record of this run was not signed: {error}")
        return
    for problem in made.problems:
        warn(problem)


def trusted_keys(words: Iterable[str]) -> list[PublicKey]:
    """Keys, each given as it is or as a file that holds some, one a line.

    Raises:
        AuditError: one is neither.
    """
    found = []
    for word in words:
        with suppress(NoteError):
            found.append(PublicKey.parse(word))
            continue
        try:
            lines = Path(word).read_text(encoding="utf-8").splitlines()
            found += [PublicKey.parse(line) for line in lines if line.strip()]
        except (OSError, UnicodeDecodeError, NoteError) as error:
            raise AuditError(f"{word} is no public key, and no file of some: {error}") from error
    return found


def audit_run(
    workspace: Path, row: RunRow, held: Sequence[Path] = (), trusted: Sequence[PublicKey] = ()
) -> Audited:
    """Hold a run against the checkpoints of its workspace, and those that the auditor brought.

    Raises:
        AuditError: what the auditor brought is no checkpoint of this run that a trusted key signed.
        SigningError, JournalError, OSError: it cannot be read.
    """
    folder = audit_folder(workspace)
    keys = followed(trusted or folder.keys.public(), folder.keys.successions())
    own, refused = _own(folder.checkpoints(row.run), keys, row.run)
    brought = [_brought(path, keys, row.run) for path in held]
    signed = _in_order([*brought, *own])
    with open_audit_log(workspace) as log:
        verdict = _verdict(
            JournalAccount(log, row.run),
            audit_plan(row),
            signed,
            [*(_beside(path) for path in held), folder.leaves(row.run)],
        )
    return Audited(row.run, verdict, signed, tuple(refused), bool(trusted))


def audit_export(
    file: Path, held: Sequence[Path] = (), trusted: Sequence[PublicKey] = ()
) -> Audited:
    """The same for an exported file; nothing else is needed.

    Raises:
        AuditError, ExportError, SigningError, OSError: as for a run.
    """

    def lines() -> Iterator[str]:
        with file.open(encoding="utf-8") as opened:
            yield from opened

    header = export.Header.parse(next(lines(), ""))
    keys = followed(trusted or trusted_keys(header.keys), header.successions)
    notes = [(Path(f"checkpoint {at}"), note) for at, note in enumerate(header.checkpoints, 1)]
    own, refused = _own(notes, keys, header.run)
    brought = [_brought(path, keys, header.run) for path in held]
    signed = _in_order([*brought, *own])
    verdict = _verdict(
        export.ExportAccount(lines),
        header.plan,
        signed,
        [_beside(path) for path in held],
        export.sealed_in(lines()),
    )
    return Audited(header.run, verdict, signed, tuple(refused), bool(trusted))


def audit_header(workspace: Path, row: RunRow) -> export.Header:
    """What an export begins with."""
    folder = audit_folder(workspace)
    return export.Header(
        row.run,
        audit_plan(row),
        tuple(note for _, note in folder.checkpoints(row.run)),
        tuple(map(str, folder.keys.public())),
        tuple(folder.keys.successions()),
    )


def prove_event(workspace: Path, row: RunRow, index: int, *, withhold: bool = False) -> Proof:
    """The proof that an event is in the log, by the smallest checkpoint that covers it.

    Raises:
        AuditError: no checkpoint covers it.
        ProofError: the log is not what was signed.
    """
    folder = audit_folder(workspace)
    keys = followed(folder.keys.public(), folder.keys.successions())
    own, _ = _own(folder.checkpoints(row.run), keys, row.run)
    covering = next((one for one in own if one.checkpoint.size >= index), None)
    if covering is None:
        raise AuditError(
            f"no checkpoint of run {row.run} covers event {index:,}: "
            "`imagelane audit checkpoint` makes one"
        )
    with open_audit_log(workspace) as log:
        stored = next(log.stored(row.run, after=index - 1), None)
        opening = None if withhold or stored is None else Opening.of(stored)
        start = Progress.at_the_beginning(audit_plan(row))
        account = JournalAccount(log, row.run)
        return prove(account, start, index, covering.checkpoint, covering.note, opening)


def check_proof(
    text: str, trusted: Sequence[PublicKey], workspace: Path
) -> tuple[Proof, Checkpoint]:
    """A proof that shows what it says, and the checkpoint that it leads to. Where no keys are
    named, those of the workspace are trusted.

    Raises:
        ProofError, NoteError: it shows nothing.
    """
    folder = audit_folder(workspace)
    keys = followed(trusted or folder.keys.public(), folder.keys.successions())
    proof = Proof.parse(text)
    return proof, proof.check(lambda note: note.signed_by(keys, ed25519.verify))


def _verdict(
    account: Account,
    plan: AuditPlan,
    signed: Sequence[Signed],
    files: Iterable[Path],
    sealed: Sealed | None = None,
) -> Verdict:
    """Read once; where it is not sound, once more for every account of the leaves that there is,
    until one tells the places."""
    start = Progress.at_the_beginning(plan)
    checkpoints = [one.checkpoint for one in signed]
    best = verify(account, start, checkpoints, sealed)
    if best.sound or not checkpoints:
        return best
    for file in files:
        if not file.exists():
            continue
        with file.open(encoding="ascii", errors="replace", newline="\n") as lines:
            found = verify(account, start, checkpoints, Sealed.read(lines))
        if found.located:
            return found
    return best


def _own(
    notes: Iterable[tuple[Path, str]], keys: Sequence[PublicKey], run: RunId
) -> tuple[list[Signed], list[str]]:
    """The checkpoints that can be believed, smallest first, and what is wrong with the others."""
    believed, refused = [], []
    for path, text in notes:
        try:
            believed.append(_signed(text, keys, run, path.name, held=False))
        except NoteError as error:
            refused.append(f"{path.name} cannot be believed: {error}")
    return believed, refused


def _brought(path: Path, keys: Sequence[PublicKey], run: RunId) -> Signed:
    try:
        return _signed(path.read_text(encoding="utf-8"), keys, run, str(path), held=True)
    except (UnicodeDecodeError, NoteError) as error:
        raise AuditError(f"{path}: {error}") from error


def _signed(text: str, keys: Sequence[PublicKey], run: RunId, where: str, *, held: bool) -> Signed:
    note = Note.parse(text)
    by = note.signed_by(keys, ed25519.verify)
    found = Checkpoint.parse(note.text)
    if found.origin not in {f"{key.name}/{run}" for key in by}:
        raise NoteError(f"it is a checkpoint of {found.origin}, not of run {run}")
    return Signed(found, text, tuple(by), where, held)


def _in_order(signed: Iterable[Signed]) -> tuple[Signed, ...]:
    return tuple(sorted(signed, key=lambda one: (one.checkpoint.size, not one.held)))


def _beside(path: Path) -> Path:
    return path.with_name(path.name + LEAVES)
