"""What stands in the results, made of measurements."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from benchmarks import contenders, coordination, memory, overhead, photo_workload, profiling
from benchmarks.measure import Contender, Sample
from benchmarks.photographs import SIZES
from benchmarks.results import table


def samples(walls: Sequence[float], cpu: float, peak: int = 50 << 20) -> list[Sample]:
    return [Sample(wall, cpu, peak, 150 << 20, 0.01) for wall in walls]


def photograph_text(folder: Path) -> str:
    (folder / "a").mkdir()
    Image.new("RGB", (40, 30)).save(folder / "a" / "one.jpg")
    known = {peer.folder: peer for peer in contenders.peers()}
    workload = photo_workload.Workload(SIZES[0], folder, folder, 102)
    measured = {
        "imagelane": samples([6.0, 6.0, 12.0], 5.0),
        "imagelane (2 only)": samples([1.0, 1.0, 2.0], 1.0),
        known["fused"].name: samples([11.0, 11.0, 22.0], 9.0),
        f"{known['fused'].name} (2 only)": samples([1.0, 1.0, 2.0], 1.0),
    }
    skipped = {peer: "not there" for peer in known if peer != "fused"}
    return photo_workload.text(workload, measured, [known["fused"]], skipped, [])


def test_a_table_of_photographs_has_ratios_with_and_without_start_up(tmp_path: Path) -> None:
    row = next(
        line
        for line in photograph_text(tmp_path).splitlines()
        if line.startswith("| pyvips, fused")
    )
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1:8] == ["11.00", "11.00-22.00", "9.3", "1.83", "1.00", "10.0", "2.00"]


def test_targets_stand_beside_what_was_measured_or_say_that_it_was_not(tmp_path: Path) -> None:
    lines = photograph_text(tmp_path).splitlines()
    assert (
        "| pyvips, fused over thumbnail() | at least 1.5 × | 1.83 ×, met | 2.00 ×, met |" in lines
    )
    assert "| sharp, fused | at least 2.7 × | not measured | not measured |" in lines
    assert "| the largest worker | at most 200 MB | 157 MB, met |" in lines
    assert "- left out: not there" in lines


def test_every_target_names_a_peer() -> None:
    known = {peer.folder for peer in contenders.peers()}
    assert set(photo_workload.TARGETS) == {size.name for size in SIZES}
    assert all(known.issuperset(least) for least in photo_workload.TARGETS.values())


def test_a_peer_that_is_not_installed_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    _, skipped = photo_workload.available()
    assert "apt-get install libvips-tools" in skipped["vipsthumbnail"]
    assert "apt-get install npm" in skipped["sharp"]
    assert "fused" not in skipped, "it needs nothing but pyvips"


def test_engines_that_are_not_installed_are_left_out_with_a_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(coordination, "INTERPRETER", tmp_path / "bin" / "python")
    found, left_out = coordination.engines(tmp_path)
    assert [one.name for one in found if one.ours]
    assert {line.partition(":")[0] for line in left_out} == {
        "Dask",
        "Ray",
        "Huey, SQLite",
        "Prefect",
        "Temporal",
    }
    assert all("`make bench` makes it" in line for line in left_out)


def test_an_engine_that_cannot_do_one_task_is_left_out_with_its_last_words() -> None:
    def making(code: str) -> coordination.Making:
        return lambda _how, _count, name: Contender(name, [sys.executable, "-c", code])

    engines = [
        coordination.Engine("fine", "no", 1, 1, making("")),
        coordination.Engine("broken", "no", 1, 1, making("raise SystemExit('no server')")),
    ]
    able, left_out = coordination.tried(engines, [])
    assert [one.name for one in able] == ["fine"]
    assert left_out == ["broken: no server"]


def test_what_a_guarantee_costs_is_the_median_of_pairs() -> None:
    measured = {}
    for name in overhead.WITHOUT:
        measured[f"with {name}"] = samples([1.04, 2.08, 5.0], 2.2)
        measured[f"without {name}"] = samples([1.0, 2.0, 4.0], 2.0)
    text = overhead.text_of(measured)
    assert "| the sandbox | +10.0 % | +10.0 to +10.0 | +4.0 % | +4.0 to +25.0 |" in text
    assert "at most 5 %: 4.00 %, met, in processor time 10.0 %, exceeded by 100 %" in text


def test_the_size_of_the_source_is_measured_by_powers_of_ten() -> None:
    assert memory.sizes(1_000_000) == [1_000, 10_000, 100_000, 1_000_000]
    assert memory.sizes(2_500) == [1_000, 2_500]
    assert memory.sizes(500) == [500]


def test_the_plot_shows_every_size_and_is_well_formed() -> None:
    found = [
        memory.Measured(count, Sample(seconds, 1.0, peak << 20))
        for count, seconds, peak in ((1_000, 1.0, 44), (10_000, 5.0, 45), (100_000, 50.0, 46))
    ]
    drawing = ET.fromstring(memory.drawn(found))  # noqa: S314 - our own
    name = "{http://www.w3.org/2000/svg}"
    assert len(drawing.findall(f".//{name}circle")) == 6
    said = [text.text for text in drawing.findall(f".//{name}text")]
    assert {"1,000", "100,000", "50.0 s", "46 MiB", "images in the source"} <= set(said)
    heights = [
        [float(point.partition(",")[2]) for point in line.attrib["points"].split()]
        for line in drawing.findall(f".//{name}polyline")
    ]
    assert all(line == sorted(line, reverse=True) for line in heights), "more stands higher"


def test_a_profile_is_counted_by_function_and_by_ours_that_called_it() -> None:
    stacks = [
        "main (imagelane/cli/run.py:3);decode (imagelane/execute/decode.py:7);0x7f (libjpeg.so) 60",
        "main (imagelane/cli/run.py:3);decode (imagelane/execute/decode.py:9);0x7e (libjpeg.so) 30",
        "main (imagelane/cli/run.py:3) 10",
    ]
    assert profiling.hottest(stacks, 5) == table(
        ["in", "of the samples", "for"],
        [
            ["libjpeg.so", "90.0 %", "execute/decode.py decode"],
            ["cli/run.py main", "10.0 %", "cli/run.py main"],
        ],
    )
