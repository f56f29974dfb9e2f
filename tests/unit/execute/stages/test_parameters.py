"""What a stage does and what it is declared to take are two files of one name."""

from __future__ import annotations

import importlib
from typing import get_type_hints

import pytest

from imagelane.declare.stages import CATALOGUE
from imagelane.execute import stages
from imagelane.execute.errors import BugError
from imagelane.model.spec import Place

EXECUTED = {kind for kind, one in CATALOGUE.items() if one.TRAITS.place is not Place.COORDINATOR}


def test_every_declared_stage_is_executed_and_no_other() -> None:
    assert set(stages.MODULES) == EXECUTED


@pytest.mark.parametrize("kind", sorted(EXECUTED))
def test_both_sides_name_the_same_parameters(kind: str) -> None:
    module = importlib.import_module(f"imagelane.execute.stages.{stages.MODULES[kind]}")
    assert set(get_type_hints(module.Parameters)) == set(CATALOGUE[kind].model_fields)
    assert callable(module.run)
    assert callable(getattr(module, "make", None)) == CATALOGUE[kind].TRAITS.makes_picture


@pytest.mark.parametrize("kind", sorted(EXECUTED))
def test_the_files_have_the_same_name(kind: str) -> None:
    declared = CATALOGUE[kind].__module__.rpartition(".")[2]
    assert declared == stages.MODULES[kind]


def test_a_kind_that_does_not_exist() -> None:
    with pytest.raises(BugError, match="no stage is called 'thumbnial'"):
        stages.load("thumbnial")
