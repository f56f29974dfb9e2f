"""`imagelane plan`: what a pipeline will do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from imagelane.cli.options import chosen, execution_options, pipeline_file


@click.command()
@pipeline_file
@execution_options
@click.option("--rules", is_flag=True, help="Show the plan after every rule.")
@click.option("--mermaid", is_flag=True, help="Print the DAG as a Mermaid flowchart.")
def plan(file: Path, *, rules: bool, mermaid: bool, **given: Any) -> None:
    """Show what PIPELINE will do: its DAG, scopes, limits, and what will be fused."""
    from imagelane import wiring  # noqa: PLC0415 - loads when it is needed
    from imagelane.plan import explain  # noqa: PLC0415

    spec = wiring.load(file)
    options = chosen(spec.options, given)
    physical = wiring.plan(spec, options)
    if mermaid:
        click.echo(explain.mermaid(physical), nl=False)
        return
    if rules:
        click.echo(explain.explain_rules(physical.logical, options, wiring.machine()))
    click.echo(explain.explain(physical), nl=False)
