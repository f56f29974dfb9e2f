"""`imagelane audit key`: the key that checkpoints are signed with."""

from __future__ import annotations

from pathlib import Path

import click

from imagelane.cli.audit.common import explained_audit
from imagelane.cli.seen import say, workspace_option

key_file_option = click.option(
    "--file",
    type=click.Path(path_type=Path),
    help="The private key's file. Without it: what IMAGELANE_AUDIT_KEY names, or the workspace's.",
)


@click.group()
def key() -> None:
    """Make, show and replace the key that signs.

    Whoever can read the private key can sign what never happened, so keep it where those who can
    change the journal cannot read it, and the public key where they cannot change it.
    """


@key.command()
@click.option("--name", help="What the key is called: one word, such as example.com/galleries.")
@key_file_option
@workspace_option
def new(name: str | None, *, file: Path | None, workspace: Path) -> None:
    """Make the first key. Runs that end sign a checkpoint from then on."""
    from imagelane.cli.acting import root_of  # noqa: PLC0415
    from imagelane.wiring import auditing  # noqa: PLC0415 - loads when it is needed

    with explained_audit():
        made, where = auditing.make_key(root_of(workspace), name, file)
    say([str(made)])
    click.echo(
        f"its private half is {where}; keep the line above where nobody can change it", err=True
    )


@key.command()
@workspace_option
def show(*, workspace: Path) -> None:
    """The public keys that ever signed here, one a line: what a verifier must trust."""
    from imagelane.cli.acting import root_of  # noqa: PLC0415
    from imagelane.wiring import auditing  # noqa: PLC0415 - loads when it is needed

    with explained_audit():
        found = auditing.audit_folder(root_of(workspace)).keys.public()
    if not found:
        click.echo("there is no key yet: `imagelane audit key new` makes one", err=True)
    say(map(str, found))


@key.command()
@key_file_option
@workspace_option
def rotate(*, file: Path | None, workspace: Path) -> None:
    """Sign with a new key from now on.

    The old one signs that the new one takes its place, so whoever trusts it can follow; its private
    half is removed. Where it may have been stolen, trust only the new one from now on, and of what
    was signed before only what was kept elsewhere.
    """
    from imagelane.cli.acting import root_of  # noqa: PLC0415
    from imagelane.wiring import auditing  # noqa: PLC0415 - loads when it is needed

    with explained_audit():
        made = auditing.rotate_key(root_of(workspace), file)
    say([str(made)])
