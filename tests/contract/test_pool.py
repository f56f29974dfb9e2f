"""Every pool keeps the one contract; supervised processes keep the larger one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from imagelane.adapters.pools.inline import InlinePool
from imagelane.adapters.pools.process import ProcessPool
from imagelane.execute.sandbox.terms import examine
from imagelane.ports.pool import Pool
from imagelane.testing.pool_bench import MakePool
from imagelane.testing.pool_contract import PoolContract
from imagelane.testing.supervised_pool_contract import SupervisedPoolContract


def folders(root: Path) -> tuple[Path, Path, Path]:
    for name in ("artifacts", "scratch"):
        (root / name).mkdir(exist_ok=True)
    return root / "artifacts", root / "scratch", root


class TestInlinePool(PoolContract):
    @pytest.fixture
    def make(self, tmp_path: Path) -> MakePool:
        def make_pool(**settings: Any) -> Pool:
            return InlinePool(*folders(tmp_path), **settings)

        return make_pool


class TestContainedProcessPool(PoolContract):
    """What is promised of every pool, by workers that are shut in."""

    @pytest.fixture
    def make(self, tmp_path: Path) -> MakePool:
        given = [layer for layer, lack in examine().items() if not lack]

        def make_pool(**settings: Any) -> Pool:
            return ProcessPool(*folders(tmp_path), layers=given, **settings)

        return make_pool


class TestProcessPool(SupervisedPoolContract):
    @pytest.fixture
    def make(self, tmp_path: Path) -> MakePool:
        def make_pool(**settings: Any) -> Pool:
            return ProcessPool(*folders(tmp_path), **settings)

        return make_pool
