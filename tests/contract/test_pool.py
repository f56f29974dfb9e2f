"""Every pool keeps the one contract; supervised processes keep the larger one."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imagelane.adapters.pools.inline import InlinePool
from imagelane.adapters.pools.process import ProcessPool
from imagelane.adapters.pools.remembering import RememberingPool
from imagelane.execute.sandbox.limits import FILES
from imagelane.execute.sandbox.terms import examine
from imagelane.model.spec import Reads
from imagelane.model.work import SourceFile
from imagelane.ports.pool import Pool
from imagelane.record.keys import Keys
from imagelane.testing.pool_bench import Bench, Doing, MakePool, descriptors, pixels
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


class Forgetful:
    """A recollection that knows every file, and no outcome."""

    def outcome(self, key: str) -> None:
        assert len(key) == 64

    def digest(self, file: SourceFile) -> str:
        return hashlib.sha256(Path(file.path).read_bytes()).hexdigest()

    def read(self, file: SourceFile, digest: str) -> None:
        assert digest == self.digest(file)

    def doubt(self, file: SourceFile) -> None:
        pass

    def close(self) -> None:
        pass


class TestRememberingPool(PoolContract):
    """What is promised of every pool, by one before which everything is looked up in vain."""

    @pytest.fixture
    def make(self, tmp_path: Path) -> MakePool:
        def make_pool(**settings: Any) -> Pool:
            return RememberingPool(
                ProcessPool(*folders(tmp_path), **settings),
                Forgetful(),
                lambda plan: Keys(plan.logical, {}, {}),
                bool,
            )

        return make_pool


class TestContainedProcessPool(PoolContract):
    """What is promised of every pool, by workers that are shut in."""

    @pytest.fixture
    def make(self, tmp_path: Path) -> MakePool:
        given = [layer for layer, lack in examine().items() if not lack]

        def make_pool(**settings: Any) -> Pool:
            return ProcessPool(*folders(tmp_path), layers=given, **settings)

        return make_pool

    @pytest.mark.parametrize(
        ("becomes", "said"),
        [("gone", "is gone"), ("pipe", "a named pipe"), ("folder", "a folder"), ("link", "link")],
    )
    def test_a_source_that_cannot_be_opened_is_told_as_the_stages_failure(
        self, bench: Callable[..., Bench], source: Path, becomes: str, said: str
    ) -> None:
        at = bench(pixels(look=Doing("look", reads=Reads.PICTURE)))
        order = at.ledger.order()
        source.unlink()
        match becomes:
            case "pipe":
                os.mkfifo(source)
            case "folder":
                source.mkdir()
            case "link":
                source.symlink_to("/etc/passwd")
        at.pool.submit(order)
        ledger = at.finish(order.number)
        assert ledger.outcomes(order.number) == ["invalid"]
        assert said in ledger.failure(order.number).message

    def test_files_that_were_handed_over_are_closed(self, bench: Callable[..., Bench]) -> None:
        at = bench(pixels(look=Doing("look", reads=Reads.PICTURE)))
        at.finish(*at.submit(count=20))
        before = descriptors()
        # More than a worker may have open at one moment.
        ledger = at.finish(*at.submit(count=2 * FILES))
        assert all(ledger.outcomes(number) == ["success"] for number in ledger.done)
        assert descriptors() == before

    def test_files_for_a_worker_that_died_are_closed(self, bench: Callable[..., Bench]) -> None:
        at = bench(pixels(deadly=Doing("signal_itself", {"number": 9})))
        at.finish(*at.submit(count=2))
        pool = at.pool
        assert isinstance(pool, ProcessPool)
        before = descriptors() - 2 * len(pool.pids)
        at.finish(*at.submit(count=10))
        assert descriptors() - 2 * len(pool.pids) == before


class TestProcessPool(SupervisedPoolContract):
    @pytest.fixture
    def make(self, tmp_path: Path) -> MakePool:
        def make_pool(**settings: Any) -> Pool:
            return ProcessPool(*folders(tmp_path), **settings)

        return make_pool
