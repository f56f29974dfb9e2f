"""`imagelane audit`: the record as evidence."""

from __future__ import annotations

import click

from imagelane.cli.lazy import LazyCommands


@click.group(
    cls=LazyCommands,
    package="imagelane.cli.audit",
    known={
        "verify": ("verify", "Say whether the record was changed, and where."),
        "show": ("show", "The history of one image as one straight line, or as a graph."),
        "export": ("export", "Write the trail for others: jsonl, csv, PREMIS, PROV."),
        "prove": ("prove", "Prove one event to somebody who has only a public key."),
        "checkpoint": ("checkpoint", "Sign what is recorded, and keep a copy elsewhere."),
        "key": ("key", "Make, show and replace the key that signs."),
    },
)
def audit() -> None:
    """The record as evidence.

    Every event is part of the audit trail. A checkpoint signs all that was recorded up to a moment;
    whoever keeps one elsewhere can tell later whether anything of it was edited, removed, put in or
    reordered, and where. A run that ends makes one by itself, once there is a key.
    """
