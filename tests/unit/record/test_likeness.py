from __future__ import annotations

import hashlib
from typing import Any

from imagelane.model import events as e
from imagelane.model.ids import Digest, StageName, Subject
from imagelane.model.outcome import Failure, Rendition, Success
from imagelane.model.states import ErrorClass
from imagelane.record.likeness import compare


def file(name: str, content: str, kind: str = "jpeg") -> Rendition:
    digest = Digest(hashlib.sha256(content.encode()).hexdigest())
    return Rendition(name, digest, len(content), kind, 4, 3)


def done(*renditions: Rendition, verdict: Any = None, **facts: Any) -> e.TaskSucceeded:
    return e.TaskSucceeded(
        Subject(1, 1), StageName("s"), 1, renditions, facts, verdict, "p1", 1.0, 2.0
    )


def failed(error: ErrorClass, message: str) -> e.TaskFailed:
    return e.TaskFailed(
        Subject(1, 1), StageName("s"), 3, error, message, "Traceback", None, "p1", 1.0, 2.0
    )


def test_the_same_files_and_facts_are_counted() -> None:
    made = (file("160", "a"), file("480", "b"))
    found = compare(done(*made, width=4), Success(made, {"width": 4}), makes_picture=False)
    assert (found.differences, found.digests, found.facts, found.unseen) == ((), 2, 1, False)


def test_another_file_is_named_with_both_digests() -> None:
    old, new = file("480", "old"), file("480", "newer")
    found = compare(done(old), Success((new,)), makes_picture=False)
    assert found.digests == 0
    (line,) = found.differences
    assert line.startswith("480.jpg is ")
    assert old.digest[:12] in line
    assert new.digest[:12] in line


def test_files_that_are_missing_or_new_are_named() -> None:
    found = compare(done(file("160", "a")), Success((file("480", "b"),)), makes_picture=False)
    assert found.differences == (
        "160.jpg was recorded, and is not made",
        "480.jpg was not recorded",
    )


def test_facts_that_differ_are_named() -> None:
    found = compare(
        done(a=1, b=2, c=[1]), Success((), {"a": 1, "b": 3, "d": 4}), makes_picture=True
    )
    assert found.differences == (
        "fact b is 3, recorded 2",
        "fact c is missing, recorded [1]",
        "fact d is 4, and was not recorded",
    )
    assert found.facts == 1


def test_facts_are_compared_as_json_has_them() -> None:
    found = compare(
        done(at=[1, 2], by={"1": 2}), Success((), {"at": (1, 2), "by": {1: 2}}), makes_picture=False
    )
    assert not found.differences


def test_pictures_are_compared_where_both_kept_them() -> None:
    old, new = file("picture", "old", "raw"), file("picture", "new", "raw")
    same = compare(done(old), Success((old,)), makes_picture=True)
    assert (same.differences, same.digests, same.unseen) == ((), 1, False)
    other = compare(done(old), Success((new,)), makes_picture=True)
    assert other.differences == ("the picture has other samples than recorded",)


def test_a_picture_that_one_of_them_did_not_keep_is_no_difference() -> None:
    found = compare(done(), Success((file("picture", "new", "raw"),)), makes_picture=True)
    assert (found.differences, found.unseen) == ((), True)


def test_a_verdict_is_compared() -> None:
    found = compare(done(verdict="approve"), Success(verdict="reject"), makes_picture=False)
    assert found.differences == ("verdict reject, recorded approve",)


def test_the_same_failure_is_the_same_whatever_its_traceback_says() -> None:
    recorded = failed(ErrorClass.INVALID, "it is torn")
    assert not compare(
        recorded, Failure(ErrorClass.INVALID, "it is torn"), makes_picture=False
    ).differences
    other = compare(recorded, Failure(ErrorClass.BUG, "no"), makes_picture=False)
    assert other.differences == ("failed with bug: no; recorded invalid: it is torn",)


def test_another_ending_is_a_difference() -> None:
    failure = Failure(ErrorClass.BUG, "no")
    assert compare(done(), failure, makes_picture=False).differences == (
        "failed with bug: no; recorded: done",
    )
    skipped = e.TaskSkipped(Subject(1, 1), StageName("s"), "it needs a")
    assert compare(skipped, Success(), makes_picture=False).differences == (
        "done; recorded: skipped: it needs a",
    )
