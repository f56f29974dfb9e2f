"""`imagelane plan`: what a pipeline will do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imagelane.cli.options import chosen, execution_options, pipeline_file

if TYPE_CHECKING:
    from imagelane.model.spec import PipelineSpec


@click.command()
@pipeline_file
@execution_options
@click.option("--rules", is_flag=True, help="Show the plan after every rule.")
@click.option("--mermaid", is_flag=True, help="Print the DAG as a Mermaid flowchart.")
@click.option(
    "--diff",
    "against",
    metavar="[RUN]",
    is_flag=False,
    flag_value="",
    help="Show what a run would do again, and why, compared with RUN or the newest one.",
)
def plan(file: Path, *, rules: bool, mermaid: bool, against: str | None, **given: Any) -> None:
    """Show what PIPELINE will do: its DAG, scopes, limits, and what will be fused."""
    from imagelane import wiring  # noqa: PLC0415 - loads when it is needed
    from imagelane.plan import explain  # noqa: PLC0415

    spec = wiring.load(file)
    options = chosen(spec.options, given)
    physical = wiring.plan(spec, options)
    if against is not None:
        _difference(spec, against or None)
        return
    if mermaid:
        click.echo(explain.mermaid(physical), nl=False)
        return
    if rules:
        click.echo(explain.explain_rules(physical.logical, options, wiring.machine()))
    click.echo(explain.explain(physical), nl=False)


def _difference(spec: PipelineSpec, word: str | None) -> None:
    from imagelane import wiring  # noqa: PLC0415
    from imagelane.cli.seen import ink, journal_of, say, the_run  # noqa: PLC0415
    from imagelane.report.differing import difference_lines  # noqa: PLC0415

    with journal_of(wiring.workspace_of(spec).root) as journal:
        row = the_run(journal, word)
        found = wiring.difference(spec, journal, row)
    say(difference_lines(found, ink()))
