"""What is known of a user's function, as it travels from the process that looked at it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imagelane.model.spec import Described, Extent, Place, Reads, StageTraits
from imagelane.model.states import Scope


def encode(described: Described) -> dict[str, Any]:
    """As JSON values."""
    traits, extent = described.traits, described.extent
    return {
        "traits": {
            "scopes": sorted(traits.scopes),
            "place": traits.place.value,
            "pool": traits.pool,
            "reads": traits.reads.value,
            "makes_picture": traits.makes_picture,
            "makes_renditions": traits.makes_renditions,
            "gathers": traits.gathers,
            "facts": sorted(traits.facts),
            "version": traits.version,
        },
        "parameters": dict(described.parameters),
        "extent": None if extent is None else [extent.width, extent.height, extent.fit],
        "errors": [list(error) for error in described.errors],
    }


def decode(values: Mapping[str, Any]) -> Described:
    """The inverse of `encode`.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    traits, extent = values["traits"], values["extent"]
    return Described(
        traits=StageTraits(
            scopes=frozenset(Scope(scope) for scope in traits["scopes"]),
            place=Place(traits["place"]),
            pool=traits["pool"],
            reads=Reads(traits["reads"]),
            makes_picture=traits["makes_picture"],
            makes_renditions=traits["makes_renditions"],
            gathers=traits["gathers"],
            facts=frozenset(traits["facts"]),
            version=traits["version"],
        ),
        parameters=values["parameters"],
        extent=None if extent is None else Extent(*extent),
        errors=tuple((name, text) for name, text in values["errors"]),
    )
