"""`imagelane init`: a pipeline file for the folder one stands in."""

from __future__ import annotations

import json
from pathlib import Path

import click

from imagelane.cli.failures import CommandError

SCHEMA = "imagelane.schema.json"


@click.command()
@click.argument("file", type=click.Path(path_type=Path), default=Path("gallery.yaml"))
@click.option("--force", is_flag=True, help="Overwrite what is there.")
def init(file: Path, *, force: bool) -> None:
    """Write FILE, a commented pipeline for the folder it stands in, and a JSON Schema beside it
    with which editors complete and check it."""
    from imagelane.declare.init import starter  # noqa: PLC0415 - loads when it is needed
    from imagelane.declare.schema import pipeline_schema  # noqa: PLC0415

    if file.exists() and not force:
        raise CommandError(f"{file} exists; give another name, or --force to overwrite it")
    folder = file.resolve().parent
    text = starter(folder)
    file.write_text(text, encoding="utf-8")
    schema = file.with_name(SCHEMA)
    schema.write_text(json.dumps(pipeline_schema(), indent=2) + "\n", encoding="utf-8")
    click.echo(f"wrote {file} and {schema.name}")
    click.echo(f"next: read {file}, then  imagelane plan {file}  and  imagelane run {file}")
