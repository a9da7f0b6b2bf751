"""Inputs that are read without an action."""

from __future__ import annotations

from typing import Any

import pytest

from connector.catalog.inputs import Input
from connector.common.times import Unit
from connector.errors import RowError


def an_input(schema: dict[str, Any], unit: Unit | None = None) -> Input:
    return Input(name="it", title="It", schema=schema, unit=unit)


def read(schema: dict[str, Any], value: Any, unit: Unit | None = None) -> Any:
    return an_input(schema, unit).read(value)


def refusal(schema: dict[str, Any], value: Any, unit: Unit | None = None) -> str:
    with pytest.raises(RowError) as caught:
        read(schema, value, unit)
    assert caught.value.code == "input_invalid"
    assert str(caught.value).startswith("it")
    return str(caught.value)
