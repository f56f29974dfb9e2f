"""What stands below a field in its class, as the field's description in the JSON Schema.

pydantic can do this itself (``use_attribute_docstrings``), but when each class is made: then every
command would read all of the declaring source code, and only `init` needs it.
"""

from __future__ import annotations

import ast
import functools
import inspect
import itertools
import textwrap
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel


def describe(model: type[BaseModel], properties: Mapping[str, dict[str, Any]]) -> None:
    """Write a model's field descriptions into its ``properties``, where they have none."""
    for ancestor in model.__mro__:
        if not issubclass(ancestor, BaseModel) or ancestor is BaseModel:
            continue
        for name, text in _docstrings(ancestor).items():
            field = model.model_fields.get(name)
            if field is not None:
                properties[field.alias or name].setdefault("description", text)


@functools.cache
def _docstrings(model: type[BaseModel]) -> Mapping[str, str]:
    """The literal that follows an annotated name in the class's body, by that name."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(model))).body[0]
    body = tree.body if isinstance(tree, ast.ClassDef) else []
    found = {}
    for statement, following in itertools.pairwise(body):
        match statement, following:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[name] = inspect.cleandoc(text)
    return found
