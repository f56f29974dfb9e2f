"""What all sections of a pipeline file have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import GetJsonSchemaHandler, PlainValidator, WithJsonSchema, model_validator
from pydantic_core import CoreSchema

from imagelane.declare.problems import shown
from imagelane.declare.values import Strict, mistake


class Section(Strict):
    """``SHORT`` names the key that a value stands for which is no mapping."""

    SHORT: ClassVar[str] = ""

    @model_validator(mode="before")
    @classmethod
    def _widen(cls, value: Any) -> Any:
        return {cls.SHORT: value} if cls.SHORT and not isinstance(value, Mapping) else value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        found = super().__get_pydantic_json_schema__(schema, handler)
        if cls.SHORT:
            short = {k: v for k, v in found["properties"][cls.SHORT].items() if k != "default"}
            description = found.pop("description", "")
            return {"description": description, "anyOf": [short, dict(found)]}
        return found


def stage_names(value: Any) -> tuple[str, ...]:
    """One name, or a list in which each stands once."""
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, (list, tuple)) or not all(isinstance(one, str) for one in names):
        raise mistake("", "a list of stages: [validate, metadata]")
    for index, name in enumerate(names):
        if name in names[:index]:
            raise mistake(f"{shown(name)} stands twice in the list", "each once")
    return tuple(names)


NAME_LIST = {"type": "array", "items": {"type": "string"}, "uniqueItems": True}

Names = Annotated[
    Sequence[str] | str,
    PlainValidator(stage_names),
    WithJsonSchema({"anyOf": [NAME_LIST, {"type": "string"}]}),
]
