from __future__ import annotations

from pathlib import Path

import pytest

from imagelane import wiring
from imagelane.cli.run_section import run_section, with_run_section, write_run_section
from imagelane.model.policy import ExecutionModel, RunOptions

PIPELINE = """\
# A newsroom's galleries.
pipeline: gallery
images: {from: photos/}

stages:
  validate:   # damaged ones are left out
  thumbnails:
    with: {widths: [480]}
"""
CHOSEN = RunOptions(pools={"cpu": 4}, workers={"thumbnails": 2})


def test_a_section_that_was_not_there_is_put_at_the_end() -> None:
    text = with_run_section(PIPELINE, run_section(CHOSEN))
    assert text.startswith(PIPELINE)
    assert text.endswith("run:\n  model: parallel\n  pools: {cpu: 4}\n  workers: {thumbnails: 2}\n")


def test_the_section_that_was_there_is_replaced_and_nothing_else() -> None:
    old = "run:\n  model: sequential   # for now\n\n  workers: {thumbnails: 9}\n\n# What is done.\n"
    text = PIPELINE.replace("stages:\n", f"{old}stages:\n")
    expected = PIPELINE.replace("stages:\n", f"{run_section(CHOSEN)}\n# What is done.\nstages:\n")
    assert with_run_section(text, run_section(CHOSEN)) == expected


def test_a_section_on_one_line_is_replaced() -> None:
    text = PIPELINE.replace("stages:\n", "run: {model: sequential}\nstages:\n")
    assert "sequential" not in with_run_section(text, run_section(CHOSEN))


@pytest.mark.parametrize(
    "options",
    [
        RunOptions(model=ExecutionModel.SEQUENTIAL),
        RunOptions(model=ExecutionModel.HYBRID, batch_size=7, parallel_batches=3),
        CHOSEN,
        RunOptions(decoded_bytes=500_000_000, max_in_flight=9, fuse=False),
    ],
)
def test_what_is_written_is_read_back_as_it_was_meant(tmp_path: Path, options: RunOptions) -> None:
    file = tmp_path / "gallery.yaml"
    file.write_text(PIPELINE)
    write_run_section(file, options)
    assert wiring.load(file).options == options
    assert [one.name for one in tmp_path.iterdir()] == ["gallery.yaml"]
