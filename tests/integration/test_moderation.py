"""A moderation service fails, times out and dies, and the gallery goes live all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.moderation import Size, gallery

SMALL = Size(images=30, seconds=0.05, answer=0.1, timeout=0.6, outage=2.0, pause=0.3)


@pytest.mark.slow
def test_all_is_published_within_the_budget_and_with_one_alert(tmp_path: Path) -> None:
    found = gallery(tmp_path, SMALL)
    assert (found.code, found.images) == (0, {"published": SMALL.images})
    extra = found.attempts - SMALL.images
    assert 0 < extra <= found.allowed
    assert found.refused > 0, "it was gone, and nobody noticed"
    assert [alert["kind"] for alert in found.alerts] == ["breaker_opened"]
    assert found.alerts[0]["stage"] == "moderate"
    assert found.samples > 10
    assert found.sums == 0
