"""The JSON Schema of pipeline files, for editors: completion, hover texts and mistakes underlined.

It says less than the checks of this package do (it cannot follow needs, for one), and never more:
what it refuses, `load` refuses too.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from imagelane.declare.declared import NAME_PATTERN, RESERVED
from imagelane.declare.sections.pipeline import PipelineSection
from imagelane.declare.sections.stage import StageSection
from imagelane.declare.stages import CATALOGUE

_NULL = {"type": "null"}
_STAGE_LIST = {
    "type": "array",
    "items": {
        "anyOf": [
            {"enum": [*CATALOGUE]},
            {"allOf": [{"$ref": "#/$defs/stages"}, {"maxProperties": 1}]},
        ]
    },
    "minItems": 1,
}


def pipeline_schema() -> dict[str, Any]:
    """The schema, in JSON Schema draft 2020-12. The same at every call."""
    definitions: dict[str, Any] = {}
    whole = _schema(PipelineSection, definitions)
    definitions["stage"] = _stage(definitions)
    for kind, model in CATALOGUE.items():
        definitions[f"with-{kind}"] = _schema(model, definitions)
    definitions["stages"] = _stages_by_name()
    whole["properties"]["stages"] |= {"anyOf": [{"$ref": "#/$defs/stages"}, _STAGE_LIST]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "imagelane pipeline",
        **whole,
        "$defs": dict(sorted(definitions.items())),
    }


def _schema(model: type[BaseModel], definitions: dict[str, Any]) -> dict[str, Any]:
    """A model's schema; what it refers to goes to the definitions."""
    schema: dict[str, Any] = _tidy(model.model_json_schema())
    definitions.update(schema.pop("$defs", {}))
    return schema


def _stage(definitions: dict[str, Any]) -> dict[str, Any]:
    """A stage, with its parameters by what it uses."""
    stage = _schema(StageSection, definitions)
    stage["properties"]["uses"] |= {
        "anyOf": [{"enum": [*CATALOGUE]}, {"type": "string", "pattern": ":"}, _NULL]
    }
    stage["allOf"] = [
        {
            "if": {"properties": {"uses": {"const": kind}}, "required": ["uses"]},
            "then": _with(kind),
        }
        for kind in CATALOGUE
    ]
    return {"anyOf": [stage, _NULL]}


def _with(kind: str) -> dict[str, Any]:
    return {"properties": {"with": {"anyOf": [{"$ref": f"#/$defs/with-{kind}"}, _NULL]}}}


def _stages_by_name() -> dict[str, Any]:
    """The mapping of names to stages. One that is not called by its kind must say what it uses."""
    stage = {"$ref": "#/$defs/stage"}
    return {
        "type": "object",
        "properties": {
            kind: {
                "description": " ".join((model.__doc__ or "").split()),
                "allOf": [
                    stage,
                    {
                        "if": {"type": "object", "not": {"required": ["uses"]}},
                        "then": _with(kind),
                    },
                ],
            }
            for kind, model in CATALOGUE.items()
        },
        "additionalProperties": {"allOf": [stage, {"type": "object", "required": ["uses"]}]},
        "propertyNames": {"pattern": f"^(?:{NAME_PATTERN})$", "not": {"enum": sorted(RESERVED)}},
        "minProperties": 1,
    }


def _tidy(value: Any, *, names: bool = False) -> Any:
    """Without the titles that pydantic makes of names, and without empty defaults. ``names`` says
    that the keys are names of a user's, such as `title`."""
    if isinstance(value, list):
        return [_tidy(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _tidy(one, names=key in {"properties", "$defs"} and not names)
        for key, one in value.items()
        if names or not (key == "title" or (key == "default" and one is None))
    }
