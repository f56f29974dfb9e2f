"""A user's own function as a stage."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np

from imagelane.execute import user, vips
from imagelane.execute.attempt import Attempt, Result
from imagelane.execute.errors import BugError
from imagelane.execute.picture import Picture
from imagelane.execute.signature import Signature, SignatureError, signature_of
from imagelane.model.outcome import Rendition, Verdict

Returned: TypeAlias = (
    user.Picture | user.Rendition | user.Verdict | Mapping[str, Any] | Iterable[Any] | None
)
_NAME = re.compile(r"[^\x00-\x1f/\\]{1,100}")
_FORMAT = re.compile(r"[a-z0-9]{1,10}")


class Function:
    """The stage ``module:function``."""

    def __init__(self, uses: str) -> None:
        self._uses = uses

    def run(self, parameters: Mapping[str, Any], attempt: Attempt) -> Result:
        """Call it, and take what it returns.

        Raises:
            BugError: it returned something that no stage can make.
        """
        picture: Picture | None = None
        renditions: list[Rendition] = []
        facts: dict[str, Any] = {}
        verdict: Verdict | None = None
        for one in self._returned(parameters, attempt):
            match one:
                case user.Picture():
                    picture = self._picture(one, attempt)
                case user.Rendition():
                    renditions.append(self._rendition(one, attempt))
                case user.Verdict():
                    verdict = one.value
                case Mapping():
                    facts.update(self._facts(one))
                case _:
                    kind = type(one).__name__
                    raise BugError(
                        f"{self._uses} returned a {kind}: expected a Picture, a Rendition, facts "
                        "as a dict, a Verdict or None"
                    )
        return Result(tuple(renditions), facts, verdict, picture)

    def make(self, parameters: Mapping[str, Any], attempt: Attempt) -> Picture:
        """Call it for the picture alone.

        Raises:
            BugError: it returned none.
        """
        for one in self._returned(parameters, attempt):
            if isinstance(one, user.Picture):
                return self._picture(one, attempt)
        raise BugError(f"{self._uses} returned no picture, though it says that it does")

    def _returned(self, parameters: Mapping[str, Any], attempt: Attempt) -> Iterator[Any]:
        """What it returned, piece by piece.

        Raises:
            BugError: it was refused something, where that may be the sandbox's doing.
        """
        try:
            yield from self._parts(self._call(parameters, attempt))
        except PermissionError as error:
            if attempt.piece.opening.containment is None:
                raise
            what = f" {error.filename}" if error.filename else ""
            raise BugError(
                f"{self._uses} was refused{what} ({error.strerror}): a stage that works on pixels "
                "sees its own picture and its own modules, and no network; if it needs more, say "
                "sandbox: off beside its uses"
            ) from error

    def _call(self, parameters: Mapping[str, Any], attempt: Attempt) -> Returned:
        try:
            signature = signature_of(self._uses, attempt.piece.opening.folder)
        except SignatureError as error:
            raise BugError(str(error)) from error
        returned: Returned = signature.function(
            _first(signature, attempt), **signature.typed(parameters)
        )
        return returned

    @staticmethod
    def _parts(returned: Returned) -> Iterator[Any]:
        if returned is None:
            return
        if isinstance(returned, (list, tuple)) or (
            isinstance(returned, Iterator) and not isinstance(returned, Mapping)
        ):
            for one in returned:
                yield from Function._parts(one)
        else:
            yield returned

    def _picture(self, made: user.Picture, attempt: Attempt) -> Picture:
        taken = attempt.picture() if attempt.stage.reads_picture else None
        try:
            pixels = _samples(made)
        except (ValueError, TypeError, vips.VipsError) as error:
            raise BugError(
                f"{self._uses} returned a picture that cannot be used: {error}"
            ) from error
        if taken is None:
            return Picture.of(pixels)
        return taken.with_pixels(pixels)

    def _rendition(self, made: user.Rendition, attempt: Attempt) -> Rendition:
        if not _NAME.fullmatch(made.name) or not _FORMAT.fullmatch(made.format):
            raise BugError(
                f"{self._uses} returned a rendition {made.name!r} of format {made.format!r}: "
                "expected a plain name, and a format such as png"
            )
        format_ = "jpeg" if made.format == "jpg" else made.format
        return attempt.collect(made.name, format_, bytes(made.data))

    def _facts(self, returned: Mapping[str, Any]) -> dict[str, Any]:
        try:
            plain = json.loads(json.dumps(returned, allow_nan=False, default=_plain))
        except (TypeError, ValueError, RecursionError) as error:
            raise BugError(
                f"{self._uses} returned facts that are no JSON values: {error}"
            ) from error
        return {str(name): value for name, value in plain.items()}


def _first(signature: Signature, attempt: Attempt) -> user.Picture | user.Source | user.Group:
    order = attempt.piece.order
    if signature.reads == "picture":
        return user.Picture(image=attempt.picture().image, facts=attempt.facts().merged())
    if signature.reads == "source":
        source = attempt.piece.source
        facts = attempt.facts().merged()
        path = Path(source.file.path)
        return user.Source(source.file.name, path, source.data, source.file.columns, facts)
    return user.Group(order.group_name, partial(_members, attempt))


def _members(attempt: Attempt) -> Iterator[user.Member]:
    shelf = attempt.piece.shelf
    for member in attempt.piece.members():
        files = {
            stage: tuple(
                user.File(
                    one.name, shelf.path(one.digest), one.format, one.bytes, one.width, one.height
                )
                for one in renditions
            )
            for stage, renditions in member.renditions.items()
        }
        yield user.Member(
            name=member.name,
            ordinal=member.ordinal,
            state=member.state,
            role=member.role,
            columns=member.columns,
            facts=cast("Mapping[str, Mapping[str, Any]]", member.facts),
            files=cast("Mapping[str, tuple[user.File, ...]]", files),
            missing=cast("Mapping[str, str]", member.missing),
            group=member.group_name or attempt.piece.order.group_name,
        )


def _samples(made: user.Picture) -> vips.Pixels:
    """The picture's samples as 8-bit RGB or RGBA.

    Raises:
        ValueError: it has another number of bands, or values beyond 0 to 255.
    """
    array = np.asarray(made.array)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in {1, 2, 3, 4} or 0 in array.shape:
        shape = " x ".join(str(side) for side in array.shape)
        raise ValueError(f"found {shape}, expected height x width x 3 or 4")
    if array.dtype != np.uint8:
        if not np.isfinite(array).all() or array.min() < 0 or array.max() > 255:
            raise ValueError("it has values outside 0 to 255: clip them")
        array = np.rint(array).astype(np.uint8)
    if array.shape[2] <= 2:
        array = np.concatenate([np.repeat(array[:, :, :1], 3, axis=2), array[:, :, 1:]], axis=2)
    return np.ascontiguousarray(array)


def _plain(value: Any) -> Any:
    """The numbers of numpy as Python's; what else is no JSON stays an error."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is none")
