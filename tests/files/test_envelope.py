"""Envelopes: every line is what the schema says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.catalog.json_schema import validator
from connector.common.absent import ABSENT
from connector.common.package_data import schema
from connector.errors import CODES
from connector.files.envelope import VERSION, Envelope
from tests.examples import examples

META: dict[str, Any] = {"action": "a", "status": 200, "code": None, "attempts": 1, "request_id": "r"}
FAILED = {**META, "code": "conflict", "repeatable": True}
SCHEMA = schema("envelope.schema.json")
CHECK = validator(SCHEMA)


def test_the_schema_knows_the_same_codes_and_version() -> None:
    assert SCHEMA["properties"]["meta"]["properties"]["code"]["enum"] == [None, *CODES]
    assert SCHEMA["$id"].endswith(f":{VERSION}")


def test_a_success_and_a_failure() -> None:
    success = Envelope(1, None, {"id": 7}, META)
    assert not success.has_error
    assert success.as_json() == {
        "has_error": False,
        "error": None,
        "result": {"id": 7},
        "row": 1,
        "meta": META,
    }
    failure = Envelope(2, "taken", None, FAILED, {"a": 1})
    assert failure.has_error
    assert failure.as_json()["input"] == {"a": 1}
    for envelope in (success, failure):
        assert Envelope.from_json(json.loads(envelope.line())) == envelope


@pytest.mark.parametrize(("meta", "ends"), [({}, True), ({"last": True}, True), ({"last": False}, False)])
def test_an_item_ends_its_row_only_when_it_is_the_last(meta: dict[str, Any], ends: bool) -> None:
    assert Envelope(1, None, None, {**META, **meta}).ends_row is ends


def test_a_line_is_one_line() -> None:
    line = Envelope(1, "a\nb", ["\u2028\n"], FAILED).line()
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1


@pytest.mark.parametrize(
    "envelope",
    [
        Envelope(1, None, None, META),
        Envelope(1, None, [1], {**META, "status": None, "request_id": None, "attempts": 0}),
        Envelope(1, None, "\ud800", {**META, "warnings": ["x"], "truncated": True, "page": {"next": 1}}),
        Envelope(1, None, {}, {**META, "item": 1, "last": False}, {"row": 1}),
        *(Envelope(9, "failed", None, {**FAILED, "code": code}) for code in CODES),
    ],
)
def test_every_envelope_is_what_the_schema_says(envelope: Envelope) -> None:
    CHECK.validate(json.loads(envelope.line()))


@pytest.mark.parametrize(
    "envelope",
    [
        Envelope(0, None, None, META),
        Envelope(1, "", None, FAILED),
        Envelope(1, "failed", None, META),
        Envelope(1, "failed", None, {**META, "code": "conflict"}),
        Envelope(1, None, None, FAILED),
        Envelope(1, "failed", None, {**FAILED, "code": "odd"}),
        Envelope(1, None, None, {**META, "more": 1}),
        Envelope(1, None, None, {"action": "a"}),
        Envelope(1, None, None, META, [1]),
    ],
)
def test_the_schema_refuses_what_is_no_envelope(envelope: Envelope) -> None:
    assert not CHECK.is_valid(json.loads(envelope.line()))


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters()),
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(st.characters()), v, max_size=3),
    max_leaves=8,
)


@examples(100)
@given(json_values, st.dictionaries(st.text(), json_values) | st.just(ABSENT))
def test_any_result_and_row_make_a_line(result: Any, row: Any) -> None:
    written = json.loads(Envelope(1, None, result, META, row).line())
    CHECK.validate(written)
    assert written["result"] == result
    assert written.get("input", ABSENT) == row
