"""What a worker is told, what it answers, and how either is written on the wire.

A worker is told its `Opening` once, before orders come; then orders and grants, and at last to
stop. It answers that it is ready, and then with reports. On the wire each message is a frame: its
length in four bytes, most significant first, and then that many bytes of JSON. Several frames may
travel in one write. Nothing on the wire is executed or unpickled, and nothing is taken on trust:
what a worker says comes from a process that handled hostile pictures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, cast, get_args

from imagelane.execute import wire
from imagelane.execute.failures import LONGEST_DETAIL, one_line
from imagelane.execute.sandbox.terms import Containment
from imagelane.execute.wire import MessageError
from imagelane.model.ids import StageName, Subject
from imagelane.model.obstacle import Obstacle, ObstacleKind
from imagelane.model.outcome import Failure, Outcome, Rendition, Success, Verdict
from imagelane.model.spec import Extent, Place, Resampler
from imagelane.model.states import ErrorClass, Scope
from imagelane.model.work import Claim, Order, OrderDone, SourceFile, StageReport

VERSION = 3
"""Of the wire format. Both sides come from one installation; another version is refused."""


@dataclass(frozen=True, slots=True)
class PlannedStage:
    """One stage as a worker needs to know it.

    ``picture`` names the stage whose picture it takes (None: the source's). ``materialise``: its
    own picture is needed by another segment, so it is stored as a rendition called ``picture``.
    ``needs`` are its direct needs: where one of the same order failed, it is not tried.
    """

    name: StageName
    uses: str
    scope: Scope
    place: Place
    parameters: Mapping[str, Any]
    picture: StageName | None
    reads_picture: bool
    materialise: bool
    timeout: float | None
    needs: tuple[StageName, ...] = ()


@dataclass(frozen=True, slots=True)
class Opening:
    """``artifacts`` and ``scratch`` are absolute folders on one file system; ``folder`` is the
    pipeline's own, where user modules and relative paths are found. ``containment`` is what is to
    hold the worker; None: nothing. ``resampler`` makes pictures smaller and larger."""

    stages: Mapping[StageName, PlannedStage]
    decode: tuple[Extent, ...]
    artifacts: str
    scratch: str
    folder: str
    containment: Containment | None = None
    version: int = VERSION
    resampler: Resampler = Resampler.LIBVIPS


@dataclass(frozen=True, slots=True)
class Handed:
    """Comes before an order, with the descriptor of the file ``what`` (`source` or `members`) that
    a contained worker cannot open itself; or without, where ``error`` says why there is none."""

    order: int
    what: str
    error: ErrorClass | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """The answer to the claim of an order: go on."""

    order: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Finish what was ordered, and exit."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The worker has loaded what it needs and takes orders."""

    version: int = VERSION


Command = Opening | Handed | Order | Grant | Stop
Answer = Ready | StageReport | OrderDone | Claim

_PLANNED = tuple(f.name for f in fields(PlannedStage))
_RENDITION = tuple(f.name for f in fields(Rendition))
_SOURCE = tuple(f.name for f in fields(SourceFile))
_CONTAINMENT = tuple(f.name for f in fields(Containment))
_VERDICTS = frozenset({None, *get_args(Verdict)})


def encode(message: Command | Answer) -> bytes:
    """The message's frame.

    Raises:
        MessageError: it is larger than `wire.LARGEST`, or a value in it is none of JSON's.
    """
    return wire.frame(_PACK[type(message)](message))


def decode_command(body: bytes) -> Command:
    """What a worker is told.

    Raises:
        MessageError: the body is none of the messages for workers.
    """
    return cast("Command", _decode(body, _COMMANDS))


def decode_answer(body: bytes, worker: str = "") -> Answer:
    """What a worker says; ``worker`` is the name under which it is known to who listens.

    Raises:
        MessageError: the body is none of the messages of workers.
    """
    return cast("Answer", _decode(body, _ANSWERS, worker))


def _decode(
    body: bytes, kinds: Mapping[str, Callable[..., Command | Answer]], *more: str
) -> Command | Answer:
    try:
        kind, *values = wire.values_of(body)
        return kinds[kind](*values, *more)
    except MessageError:
        raise
    except (ValueError, TypeError, LookupError, ArithmeticError, RecursionError) as error:
        expected = ", ".join(kinds)
        start = one_line(body[:120].decode("ascii", "replace"))
        raise MessageError(
            f"found {start!r} ({type(error).__name__}: {one_line(str(error), 120)}); "
            f"expected one of the messages {expected}"
        ) from error


def _verdict(value: Any) -> Verdict | None:
    return cast("Verdict | None", value) if value in _VERDICTS else wire.wrong(value, "a verdict")


def _name(value: Any) -> StageName:
    return StageName(wire.text(value))


def _names(value: Any) -> tuple[StageName, ...]:
    return tuple(map(_name, wire.rows(value)))


# What a worker is told.


def _pack_opening(opening: Opening) -> list[Any]:
    stages = [[getattr(stage, name) for name in _PLANNED] for stage in opening.stages.values()]
    decode = [[extent.width, extent.height, extent.fit] for extent in opening.decode]
    folders = [opening.artifacts, opening.scratch, opening.folder]
    terms = opening.containment
    held = None if terms is None else [getattr(terms, name) for name in _CONTAINMENT]
    return ["opening", opening.version, stages, decode, *folders, held, opening.resampler]


def _opening(*values: Any) -> Opening:
    version, stages, decode, artifacts, scratch, folder, held, resampler = values
    if version != VERSION:
        raise MessageError(f"found version {version!r} of the messages; expected {VERSION}")
    planned = [_planned(*row) for row in wire.rows(stages)]
    return Opening(
        stages={stage.name: stage for stage in planned},
        decode=tuple(_extent(*row) for row in wire.rows(decode)),
        artifacts=wire.text(artifacts),
        scratch=wire.text(scratch),
        folder=wire.text(folder),
        containment=None if held is None else _containment(*held),
        version=version,
        resampler=Resampler(resampler),
    )


def _containment(
    layers: Any, memory: Any, file: Any, seconds: Any, reads: Any, hidden: Any, modules: Any
) -> Containment:
    return Containment(
        tuple(map(wire.text, wire.rows(layers))),
        wire.whole(memory),
        wire.whole(file),
        wire.whole(seconds),
        tuple(map(wire.text, wire.rows(reads))),
        tuple(map(wire.text, wire.rows(hidden))),
        wire.flag(modules),
    )


def _handed(order: Any, what: Any, error: Any, message: Any) -> Handed:
    kind = None if error is None else ErrorClass(error)
    return Handed(wire.whole(order), wire.text(what), kind, wire.text(message))


def _extent(width: Any, height: Any, fit: Any) -> Extent:
    return Extent(
        None if width is None else wire.whole(width),
        None if height is None else wire.whole(height),
        fit,
    )


def _planned(*row: Any) -> PlannedStage:
    stage = dict(zip(_PLANNED, row, strict=True))
    picture, timeout = stage["picture"], stage["timeout"]
    return PlannedStage(
        name=_name(stage["name"]),
        uses=wire.text(stage["uses"]),
        scope=Scope(stage["scope"]),
        place=Place(stage["place"]),
        parameters=wire.mapping(stage["parameters"]),
        picture=None if picture is None else _name(picture),
        reads_picture=wire.flag(stage["reads_picture"]),
        materialise=wire.flag(stage["materialise"]),
        timeout=None if timeout is None else wire.number(timeout),
        needs=_names(stage["needs"]),
    )


def _pack_order(order: Order) -> list[Any]:
    source = order.source
    return [
        "order",
        order.number,
        order.subject,
        order.segment,
        order.stages,
        order.attempts,
        None if source is None else [getattr(source, name) for name in _SOURCE],
        order.group_name,
        order.facts,
        {name: _pack_renditions(files) for name, files in order.inputs.items()},
        order.primary,
        order.members,
        order.reservation,
        order.is_primary,
    ]


def _order(*values: Any) -> Order:
    number, subject, segment, stages, attempts, source, group_name, *known = values
    facts, inputs, primary, members, reservation, is_primary = known
    group, ordinal = wire.rows(subject)
    order = Order(
        number=wire.whole(number),
        subject=Subject(wire.whole(group), wire.whole(ordinal)),
        segment=wire.whole(segment),
        stages=_names(stages),
        attempts=tuple(map(wire.whole, wire.rows(attempts))),
        source=None if source is None else _source(*source),
        group_name=wire.text(group_name),
        facts=cast("dict[StageName, Any]", wire.mapping(facts)),
        inputs={StageName(name): _renditions(rows) for name, rows in wire.mapping(inputs).items()},
        primary=wire.mapping(primary),
        members=None if members is None else wire.text(members),
        reservation=wire.whole(reservation),
        is_primary=wire.flag(is_primary),
    )
    if len(order.stages) != len(order.attempts):
        wire.wrong(attempts, f"{len(order.stages)} attempt numbers")
    return order


def _source(*values: Any) -> SourceFile:
    path, name, size, mtime, digest, columns = values
    seen = None if digest is None else wire.digest(digest)
    # A file may be older than the epoch, so its time is the one number that may be negative.
    changed = mtime if type(mtime) is int else wire.wrong(mtime, "nanoseconds of the epoch")
    return SourceFile(
        wire.text(path), wire.text(name), wire.whole(size), changed, seen, wire.mapping(columns)
    )


# What a worker answers.


def _pack_report(report: StageReport) -> list[Any]:
    return [
        "report",
        report.order,
        report.stage,
        _pack_outcome(report.outcome),
        report.started,
        report.finished,
        report.cpu,
        report.decoded_bytes,
        report.source_digest,
    ]


def _pack_outcome(outcome: Outcome) -> list[Any]:
    match outcome:
        case Success(renditions, facts, verdict):
            return ["success", _pack_renditions(renditions), facts, verdict]
        case Failure(error, message, detail, retry_after, obstacle):
            met = None if obstacle is None else [obstacle.kind, obstacle.where, obstacle.needed]
            return ["failure", error, message, detail, retry_after, met]
    raise TypeError(f"{outcome!r} is no outcome of an attempt")


def _report(*values: Any) -> StageReport:
    order, stage, outcome, started, finished, cpu, decoded, digest, worker = values
    return StageReport(
        order=wire.whole(order),
        stage=_name(stage),
        outcome=_outcome(*outcome),
        started=wire.number(started),
        finished=wire.number(finished),
        cpu=wire.number(cpu),
        decoded_bytes=wire.whole(decoded),
        worker=worker,
        source_digest=None if digest is None else wire.digest(digest),
    )


def _outcome(kind: Any, *values: Any) -> Success | Failure:
    if kind == "success":
        renditions, facts, verdict = values
        return Success(_renditions(renditions), wire.mapping(facts), _verdict(verdict))
    if kind == "failure":
        error, message, detail, retry_after, met = values
        return Failure(
            ErrorClass(error),
            one_line(wire.text(message)),
            wire.text(detail)[:LONGEST_DETAIL],
            None if retry_after is None else wire.number(retry_after),
            None if met is None else _obstacle(*met),
        )
    return wire.wrong(kind, "success or failure")


def _obstacle(kind: Any, where: Any, needed: Any) -> Obstacle:
    return Obstacle(ObstacleKind(kind), wire.text(where), wire.whole(needed))


def _pack_renditions(renditions: tuple[Rendition, ...]) -> list[list[Any]]:
    return [[getattr(one, name) for name in _RENDITION] for one in renditions]


def _renditions(rows: Any) -> tuple[Rendition, ...]:
    return tuple(
        Rendition(
            wire.text(name),
            wire.digest(digest),
            wire.whole(size),
            wire.text(form),
            wire.whole(w),
            wire.whole(h),
        )
        for name, digest, size, form, w, h in wire.rows(rows)
    )


_PACK: Mapping[type, Callable[[Any], list[Any]]] = {
    Opening: _pack_opening,
    Order: _pack_order,
    Handed: lambda one: ["handed", one.order, one.what, one.error, one.message],
    Grant: lambda grant: ["grant", grant.order],
    Stop: lambda _: ["stop"],
    Ready: lambda ready: ["ready", ready.version],
    StageReport: _pack_report,
    OrderDone: lambda done: ["done", done.order, done.worn],
    Claim: lambda claim: ["claim", claim.order, claim.bytes],
}
_COMMANDS: Mapping[str, Callable[..., Command]] = {
    "opening": _opening,
    "handed": _handed,
    "order": _order,
    "grant": lambda order: Grant(wire.whole(order)),
    "stop": Stop,
}
_ANSWERS: Mapping[str, Callable[..., Answer]] = {
    "ready": lambda version, _: Ready(wire.whole(version)),
    "report": _report,
    "done": lambda order, worn, _: OrderDone(wire.whole(order), wire.flag(worn)),
    "claim": lambda order, size, _: Claim(wire.whole(order), wire.whole(size)),
}
