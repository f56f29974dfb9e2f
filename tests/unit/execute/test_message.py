from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelane.execute.message import (
    VERSION,
    Answer,
    Command,
    Grant,
    Handed,
    Opening,
    PlannedStage,
    Ready,
    Stop,
    decode_answer,
    decode_command,
    encode,
)
from imagelane.execute.sandbox.terms import Containment
from imagelane.execute.wire import HEADER, LARGEST, Frames, MessageError
from imagelane.model.ids import Digest, StageName, Subject
from imagelane.model.outcome import Failure, Rendition, Skipped, Success
from imagelane.model.spec import Extent, Place, Resampler
from imagelane.model.states import ErrorClass, Scope
from imagelane.model.work import Claim, Order, OrderDone, SourceFile, StageReport

# File names on Linux are bytes: those that are no UTF-8 come with lone surrogates.
texts = st.text(st.characters(), max_size=20)
plain_texts = st.text(st.characters(codec="utf-8"), max_size=20)
names = texts.map(StageName)
counts = st.integers(0, 1 << 62)
seconds = st.floats(0, 1e9)
digests = st.binary(min_size=32, max_size=32).map(lambda data: Digest(data.hex()))
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
facts = st.dictionaries(texts, json_values, max_size=4)
renditions = st.builds(
    Rendition, name=texts, digest=digests, bytes=counts, format=texts, width=counts, height=counts
)
stages = st.builds(
    PlannedStage,
    name=names,
    uses=texts,
    scope=st.sampled_from(Scope),
    place=st.sampled_from(Place),
    parameters=facts,
    picture=st.none() | names,
    reads_picture=st.booleans(),
    materialise=st.booleans(),
    timeout=st.none() | seconds,
    needs=st.lists(names, max_size=3).map(tuple),
)
some_texts = st.lists(texts, max_size=2).map(tuple)
openings = st.builds(
    Opening,
    stages=st.lists(stages, max_size=3).map(lambda some: {one.name: one for one in some}),
    decode=st.lists(
        st.builds(
            Extent,
            width=st.none() | counts,
            height=st.none() | counts,
            fit=st.sampled_from(["inside", "cover"]),
        ),
        max_size=3,
    ).map(tuple),
    artifacts=texts,
    scratch=texts,
    folder=texts,
    resampler=st.sampled_from(Resampler),
    containment=st.none()
    | st.builds(
        Containment,
        layers=some_texts,
        memory=counts,
        file=counts,
        seconds=counts,
        reads=some_texts,
        hidden=some_texts,
        modules=st.booleans(),
    ),
    version=st.just(VERSION),
)
sources = st.builds(
    SourceFile,
    path=texts,
    name=texts,
    bytes=counts,
    mtime_ns=st.integers(-(1 << 62), 1 << 62),
    digest=st.none() | digests,
    columns=st.dictionaries(texts, texts, max_size=3),
)


@st.composite
def orders(draw: st.DrawFn) -> Order:
    of_order = draw(st.lists(names, max_size=4))
    return Order(
        number=draw(counts),
        subject=Subject(draw(counts), draw(counts)),
        segment=draw(counts),
        stages=tuple(of_order),
        attempts=tuple(draw(st.integers(1, 9)) for _ in of_order),
        source=draw(st.none() | sources),
        group_name=draw(texts),
        facts=draw(st.dictionaries(names, facts, max_size=3)),
        inputs=draw(
            st.dictionaries(names, st.lists(renditions, max_size=2).map(tuple), max_size=2)
        ),
        primary=draw(facts),
        members=draw(st.none() | texts),
        reservation=draw(counts),
        is_primary=draw(st.booleans()),
    )


successes = st.builds(
    Success,
    renditions=st.lists(renditions, max_size=3).map(tuple),
    facts=facts,
    verdict=st.sampled_from([None, "approve", "review", "reject"]),
)
failures = st.builds(
    Failure,
    error=st.sampled_from(ErrorClass),
    message=st.text("abcdefgh ,.", max_size=20).map(str.strip),
    detail=texts,
    retry_after=st.none() | seconds,
)
reports = st.builds(
    StageReport,
    order=counts,
    stage=names,
    outcome=successes | failures,
    started=seconds,
    finished=seconds,
    cpu=seconds,
    decoded_bytes=counts,
    worker=st.just("p1-4711"),
    source_digest=st.none() | digests,
)
handed = st.builds(
    Handed,
    order=counts,
    what=st.sampled_from(["source", "members"]),
    error=st.none() | st.sampled_from(ErrorClass),
    message=texts,
)
commands = openings | orders() | handed | st.builds(Grant, order=counts) | st.builds(Stop)
answers = (
    reports
    | st.builds(Ready)
    | st.builds(OrderDone, order=counts)
    | st.builds(Claim, order=counts, bytes=counts)
)


@given(commands)
def test_commands_come_over_as_they_were(command: Command) -> None:
    assert decode_command(encode(command)[HEADER:]) == command


@given(answers)
def test_answers_come_over_as_they_were(answer: Answer) -> None:
    assert decode_answer(encode(answer)[HEADER:], "p1-4711") == answer


def test_no_field_is_forgotten() -> None:
    """One that has a default would come over as that, and nobody would notice."""
    sent = json.loads(encode(Order(1, Subject(1, 1), 0, (), ()))[HEADER:])
    assert len(sent) - 1 == len(fields(Order))
    report = json.loads(encode(REPORT)[HEADER:])
    # Who said it is known by the connection; its key, and whether it was reused, by the supervisor.
    assert len(report) - 1 == len(fields(StageReport)) - 3


@given(st.lists(answers, max_size=5), st.data())
def test_frames_are_found_wherever_the_stream_is_cut(
    sent: list[Answer], data: st.DataObject
) -> None:
    stream = b"".join(map(encode, sent))
    frames = Frames()
    bodies: list[bytes] = []
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        bodies += frames.feed(stream[:cut])
        stream = stream[cut:]
    assert [decode_answer(body, "p1-4711") for body in bodies] == sent


# What a hostile worker may say.


@given(st.binary(max_size=200))
def test_noise_is_no_message(noise: bytes) -> None:
    for decode in (decode_answer, decode_command):
        with pytest.raises(MessageError, match="expected"):
            decode(noise)


@given(st.lists(json_values, max_size=10))
def test_other_json_is_no_message(values: list[Any]) -> None:
    for kind in ("report", "done", "claim", "ready", "order", "opening", "grant", "lens"):
        body = json.dumps([kind, *values]).encode()
        for decode in (decode_answer, decode_command):
            try:
                message = decode(body)
            except MessageError:
                continue
            assert encode(message)[HEADER:]


@given(reports, st.data())
def test_a_report_with_one_value_of_another_type_is_refused(
    report: StageReport, data: st.DataObject
) -> None:
    values = json.loads(encode(report)[HEADER:])
    place = data.draw(st.integers(1, len(values) - 1))
    values[place] = data.draw(st.sampled_from([True, -1, "x", [], {"a": 1}, 1.5, "0" * 63]))
    try:
        found = decode_answer(json.dumps(values).encode())
    except MessageError:
        return
    # What was accepted is of the right type: another stage's name, another number.
    assert json.loads(encode(found)[HEADER:])[place] == values[place]


REPORT = StageReport(3, StageName("thumbnails"), Success(), 1.0, 2.0)


def rendition(**changes: Any) -> StageReport:
    whole = Rendition("160", Digest("a" * 64), 4711, "jpeg", 160, 120)
    return replace(REPORT, outcome=Success((replace(whole, **changes),)))


@pytest.mark.parametrize(
    "report",
    [
        rendition(digest="../../etc/passwd"),
        rendition(digest="A" * 64),
        rendition(bytes=-1),
        rendition(width=1.5),
        rendition(name=None),
        replace(REPORT, finished=-1.0),
        replace(REPORT, cpu=10**400),
        replace(REPORT, source_digest="0" * 65),
        replace(REPORT, outcome=Success(verdict="applaud")),  # type: ignore[arg-type]
        replace(REPORT, outcome=Success(facts=["no", "mapping"])),  # type: ignore[arg-type]
        replace(REPORT, outcome=Failure("boredom", "x")),  # type: ignore[arg-type]
        replace(REPORT, order=True),
    ],
)
def test_reports_that_no_honest_worker_gives_are_refused(report: StageReport) -> None:
    with pytest.raises(MessageError, match="found"):
        decode_answer(encode(report)[HEADER:])


def test_a_failures_message_becomes_one_printable_line() -> None:
    failure = Failure(ErrorClass.BUG, "\x1b[2J first\nsecond\u202e" + "x" * 9999, "d" * 99_999)
    answer = decode_answer(encode(replace(REPORT, outcome=failure))[HEADER:])
    assert isinstance(answer, StageReport)
    assert isinstance(answer.outcome, Failure)
    assert answer.outcome.message.isprintable()
    assert len(answer.outcome.message) <= 500
    assert len(answer.outcome.detail) <= 16_000


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_numbers_that_are_not_finite_are_refused(number: str) -> None:
    body = f'["report",3,"thumbnails",["success",[],{{}},null],{number},2.0,0,0,null]'
    with pytest.raises(MessageError):
        decode_answer(body.encode())


@pytest.mark.parametrize("body", [b"[" * 100_000, b'["done",' + b"9" * 10_000 + b"]", b"", b"{}"])
def test_json_that_strains_the_parser_is_refused(body: bytes) -> None:
    with pytest.raises(MessageError):
        decode_answer(body)


def test_a_frame_that_claims_too_much_is_refused_before_it_is_read() -> None:
    with pytest.raises(MessageError, match="at most"):
        list(Frames().feed((LARGEST + 1).to_bytes(HEADER)))


def test_commands_are_no_answers_and_answers_no_commands() -> None:
    with pytest.raises(MessageError, match="report, done, claim"):
        decode_answer(encode(Grant(1))[HEADER:])
    with pytest.raises(MessageError, match="opening, handed, order, grant, stop"):
        decode_command(encode(OrderDone(1))[HEADER:])


def test_an_order_has_an_attempt_for_each_stage() -> None:
    order = Order(1, Subject(1, 1), 0, (StageName("validate"),), (1, 2))
    with pytest.raises(MessageError, match="1 attempt"):
        decode_command(encode(order)[HEADER:])


def test_another_version_is_refused() -> None:
    opening = Opening({}, (), "/a", "/s", "/f", version=VERSION + 1)
    with pytest.raises(MessageError, match=f"version {VERSION + 1}.*expected {VERSION}"):
        decode_command(encode(opening)[HEADER:])


# What is not sent.


def test_frozen_mappings_are_sent_like_dictionaries() -> None:
    columns: Mapping[str, str] = MappingProxyType({"sku": "4711"})
    source = SourceFile("/p/a.jpg", "a.jpg", 1, 1, columns=columns)
    order = Order(1, Subject(1, 1), 0, (), (), source)
    assert decode_command(encode(order)[HEADER:]) == replace(
        order, source=replace(source, columns={"sku": "4711"})
    )


@pytest.mark.parametrize("value", [float("nan"), object(), {1, 2}, b"bytes"])
def test_values_that_are_no_json_are_not_sent(value: object) -> None:
    with pytest.raises(MessageError, match="JSON"):
        encode(replace(REPORT, outcome=Success(facts={"share": value})))


def test_a_message_that_is_too_large_is_not_sent() -> None:
    with pytest.raises(MessageError, match="a message may have"):
        encode(replace(REPORT, outcome=Success(facts={"text": "x" * LARGEST})))


def test_a_worker_never_says_that_it_skipped() -> None:
    with pytest.raises(TypeError, match="no outcome of an attempt"):
        encode(replace(REPORT, outcome=Skipped("needs validate")))
