"""Numbers as inputs: their formats, their size, and their spelling as text."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connector.common.json_text import spelled_float
from tests.catalog.reading import an_input, read, refusal

INT32, INT64 = {"type": "integer", "format": "int32"}, {"type": "integer", "format": "int64"}


@pytest.mark.parametrize(
    ("schema", "value"),
    [(INT32, 2**31 - 1), (INT32, -(2**31)), (INT64, 2**63 - 1), (INT64, -(2**63)), (INT32, "2147483647.0")],
)
def test_an_integer_within_its_format_is_taken(schema: dict[str, Any], value: Any) -> None:
    expected = 2147483647 if isinstance(value, str) else value
    assert read(schema, value) == expected


@pytest.mark.parametrize("value", [2**31, -(2**31) - 1, str(2**31), 2147483648.0, "1" + "0" * 80])
def test_an_integer_beyond_its_format_is_refused_wherever_it_is(value: Any) -> None:
    message = refusal(INT32, value)
    assert "is not between -2147483648 and 2147483647, the range of an int32" in message
    assert len(message) < 150
    assert "it.id: " in refusal({"type": "object", "properties": {"id": INT32}}, {"id": value})
    assert "it[1]: " in refusal({"type": "array", "items": INT32}, [1, value])
    assert "it[0]: " in refusal({"type": "array", "items": INT32}, f"[{value}]")


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1])
def test_an_integer_beyond_64_bits_is_refused(value: int) -> None:
    assert "the range of an int64" in refusal(INT64, value)
    assert an_input(INT64).takes(value) is False


@pytest.mark.parametrize("text", ["1E5", "1.10", "0.0", "1e-7"])
def test_a_number_that_becomes_text_keeps_its_spelling(text: str) -> None:
    number = json.loads(text, parse_float=spelled_float)
    assert read({"type": "string"}, number) == text
    assert read({"type": "array", "items": {"type": "string"}}, f"[{text}]") == [text]
    assert read({"type": "number"}, number) == float(text)
