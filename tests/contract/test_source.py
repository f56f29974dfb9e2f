"""Every source keeps the one contract, whatever it is listed from."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from imagelane.adapters.sources import open_source
from imagelane.model.spec import GroupSpec, ImagesSpec, PrimarySpec
from imagelane.ports.source import Source
from imagelane.testing.source_contract import Listed, SourceContract

FRONT = PrimarySpec("pattern", pattern="*_front.*")


def touch(where: Path, names: Sequence[str]) -> None:
    where.mkdir(parents=True, exist_ok=True)
    for name in names:
        (where / name).touch()


@pytest.fixture(scope="class")
def opened() -> Iterator[list[Source]]:
    sources: list[Source] = []
    yield sources
    for source in sources:
        source.close()


@pytest.fixture(scope="class")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("source")


class TestFolders(SourceContract):
    @pytest.fixture(scope="class")
    @classmethod
    def listed(cls, folder: Path, opened: list[Source]) -> Listed:
        def make(groups: Mapping[str, Sequence[str]]) -> Source:
            for group, names in groups.items():
                touch(folder / "photos" / group, names)
            opened.append(
                open_source(ImagesSpec("photos", primary=FRONT), folder, folder / "source.db")
            )
            return opened[-1]

        return make


class TestNamePatternOverAGlob(SourceContract):
    @pytest.fixture(scope="class")
    @classmethod
    def listed(cls, folder: Path, opened: list[Source]) -> Listed:
        def make(groups: Mapping[str, Sequence[str]]) -> Source:
            for number, names in enumerate(groups.values()):
                touch(folder / "photos" / f"{number % 2}", names)
                touch(folder / "photos" / "notes", ["SKU77_other.tiff"])
            images = ImagesSpec(
                "photos/**/*.[jp][pn]g",
                GroupSpec("pattern", pattern=r"(?P<group>SKU\d+)_"),
                primary=FRONT,
            )
            opened.append(open_source(images, folder, folder / "source.db"))
            return opened[-1]

        return make


@pytest.mark.parametrize("form", ["csv", "jsonl", "json"], scope="class")
class TestManifests(SourceContract):
    @pytest.fixture(scope="class")
    @classmethod
    def listed(cls, folder: Path, opened: list[Source], form: str) -> Listed:
        def make(groups: Mapping[str, Sequence[str]]) -> Source:
            rows = []
            for group, names in groups.items():
                touch(folder / "photos", names)
                rows += [{"sku": group, "path": f"photos/{name}"} for name in names]
            path = folder / f"list.{form}"
            with path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
                match form:
                    case "csv":
                        table = csv.DictWriter(file, ["sku", "path"])
                        table.writeheader()
                        table.writerows(rows)
                    case "jsonl":
                        file.writelines(json.dumps(row) + "\n" for row in rows)
                    case _:
                        json.dump(rows, file, indent=1, ensure_ascii=False)
            images = ImagesSpec(path.name, GroupSpec("column", column="sku"), primary=FRONT)
            opened.append(open_source(images, folder, folder / f"{form}.db"))
            return opened[-1]

        return make
