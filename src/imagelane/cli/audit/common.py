"""What the audit commands share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from imagelane.cli.failures import ENVIRONMENT, LOSSES, WRONG, CommandError
from imagelane.cli.seen import say

run_argument = click.argument("run", required=False, metavar="[RUN]")
trust_option = click.option(
    "--trust",
    multiple=True,
    metavar="KEY|FILE",
    help="Believe this public key, or those in a file, and none else. Repeatable.",
)
out_option = click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it to this file."
)


@contextmanager
def explained_audit() -> Iterator[None]:
    """Turn what cannot be audited into a clear message and its exit code."""
    from imagelane.model.merkle import ProofError  # noqa: PLC0415 - loads when it is needed
    from imagelane.model.note import NoteError  # noqa: PLC0415
    from imagelane.ports.audit import AnchorError, SigningError  # noqa: PLC0415
    from imagelane.record.audit.export import ExportError  # noqa: PLC0415
    from imagelane.record.audit.seal import ChangedError  # noqa: PLC0415
    from imagelane.wiring.auditing import AuditError  # noqa: PLC0415

    try:
        yield
    except (AuditError, ExportError) as error:
        raise CommandError(str(error), WRONG) from None
    except (ChangedError, ProofError, NoteError) as error:
        raise CommandError(str(error), LOSSES) from None
    except (SigningError, AnchorError) as error:
        raise CommandError(str(error), ENVIRONMENT) from None


def put(text: Iterator[str], out: Path | None) -> None:
    """Write pieces of text to a file, which is complete or absent, or to the output."""
    if out is None:
        say(piece.removesuffix("\n") for piece in text)
        return
    unfinished = out.with_name(f"{out.name}.unfinished")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            file.writelines(text)
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)
