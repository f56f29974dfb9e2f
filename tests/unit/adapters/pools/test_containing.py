from __future__ import annotations

from pathlib import Path
from typing import Any

from imagelane.adapters.pools.containing import containment
from imagelane.execute.sandbox.terms import Containment
from imagelane.testing.pool_bench import Doing, pixels

MIB = 1 << 20


def terms(folder: Path, parameters: dict[str, Any] | None = None) -> Containment:
    plan = pixels(look=Doing("look", parameters or {}, timeout=20), sleep=Doing("sleep"))
    found = containment(plan, folder, ["limits"], longest=300, orders=10)
    assert found is not None
    return found


def test_no_layers_no_terms(tmp_path: Path) -> None:
    assert containment(pixels(), tmp_path, [], longest=1, orders=1) is None


def test_limits_follow_from_the_plan(tmp_path: Path) -> None:
    found = terms(tmp_path)
    # The budget of decoded pictures is 1 GiB, the largest picture 100 megapixels of 8 bytes.
    assert found.memory == 512 * MIB + 3 * 1024 * MIB
    assert found.file == 800_000_000 + 64 * MIB
    assert found.seconds == (20 + 300) * 10 + 1
    assert found.modules


def test_files_that_parameters_name_are_to_be_read_and_others_not(tmp_path: Path) -> None:
    (tmp_path / "brand").mkdir()
    for name in ("brand/logo.png", "gallery.yaml"):
        (tmp_path / name).touch()
    given = {"logo": "brand/logo.png", "text": "© Gazette", "more": ["brand", "a\0b", "x" * 999]}
    assert terms(tmp_path, given).reads == (str(tmp_path / "brand" / "logo.png"),)
    assert terms(tmp_path).hidden == (str(tmp_path / "photos"),)
