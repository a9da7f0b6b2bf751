"""Render one template, for tests of its value."""

from __future__ import annotations

from typing import Any

import pytest

from connector.errors import RowError
from connector.templating.scope import Scope
from connector.templating.templates import compile_template

ANY: dict[str, Any] = {}
TEXT = {"type": "string"}
ARRAY = {"type": "array"}
OBJECT = {"type": "object"}
ARRAYS = {"type": "array", "items": {"type": "array"}}


def render(source: str, row: dict[str, Any], schema: dict[str, Any] = ANY) -> Any:
    return compile_template(source, schema)(Scope(row))


def refusal(source: str, row: dict[str, Any], schema: dict[str, Any] = ANY) -> str:
    template = compile_template(source, schema)
    with pytest.raises(RowError) as caught:
        template(Scope(row))
    assert caught.value.code == "template_error"
    return str(caught.value)
