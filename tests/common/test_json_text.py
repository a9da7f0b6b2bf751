"""JSON: read strictly, and always possible to write."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.common import json_text
from tests.examples import examples

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
surrogates = st.text(st.characters(categories=("Cs", "Lu")), min_size=1)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "[1, NaN]", '{"a": -Infinity}'])
def test_constants_that_json_does_not_have_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not JSON"):
        json_text.loads(text)


@pytest.mark.parametrize("text", ["1e999", "-1e999", '{"a": [1.0e400]}', "1" + "0" * 400 + ".5"])
def test_numbers_that_would_become_infinite_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="too large for a number"):
        json_text.loads(text)


def test_an_integer_of_thousands_of_digits_is_refused() -> None:
    with pytest.raises(ValueError, match="digits"):
        json_text.loads("9" * 5000)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a" 1}', "Expecting ':' delimiter at character 6"),
        ('{"a":\n 1,\n x}', "Expecting property name enclosed in double quotes at line 3, character 2"),
        ("", "Expecting value at character 1"),
        ("1 2", "Extra data at character 3"),
        ("{} x", "Extra data at character 4"),
        ("[1]\u00a0", "Extra data at character 4"),
        ("[1", "Expecting ',' delimiter at character 3"),
    ],
)
def test_broken_json_says_what_and_where(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=r"at (line|character)") as caught:
        json_text.loads(text)
    assert str(caught.value) == message


@pytest.mark.parametrize("text", ["{}", "[]", "{}\r\n", "[]\t ", " {}", "\n[]", "1", ' "x" '])
def test_white_space_around_a_value_is_no_part_of_it(text: str) -> None:
    assert json_text.loads(text) == json.loads(text)


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000])
def test_nesting_without_end_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        json_text.loads(text)


@pytest.mark.parametrize("write", [json_text.dumps, json_text.dump_bytes])
def test_what_json_does_not_have_cannot_be_written(write: Any) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        write([float("nan")])
    with pytest.raises(ValueError, match="JSON compliant"):
        write({"a": float("inf")})
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ValueError, match="nested too deeply"):
        write(deep)


def test_text_is_written_readably_and_on_one_line() -> None:
    assert json_text.dumps({"a": "ü\n", "b": [1, None]}) == '{"a": "ü\\n", "b": [1, null]}'
    assert json_text.dump_bytes({"a": "ü\n", "b": [1, None]}) == '{"a":"ü\\n","b":[1,null]}'.encode()


def test_a_lone_surrogate_is_written_as_an_escape() -> None:
    assert json_text.dump_bytes("ü\ud800") == b'"\\u00fc\\ud800"'
    assert json_text.loads(json_text.dump_bytes(["\ud800"]).decode()) == ["\ud800"]


@examples(150)
@given(values)
def test_any_value_reads_back_as_it_was(value: Any) -> None:
    line = json_text.dump_bytes(value)
    assert b"\n" not in line
    assert line == json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    assert json_text.loads(line.decode()) == json_text.loads(json_text.dumps(value)) == value


def test_cycles_and_what_is_no_json_cannot_be_written() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    for write in (json_text.dumps, json_text.dump_bytes):
        with pytest.raises(ValueError, match=r"nested too deeply|Circular"):
            write(cycle)
        with pytest.raises(TypeError, match="bytes is not JSON serializable"):
            write([b""])


def test_a_python_without_a_c_encoder_writes_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json.encoder, "c_make_encoder", None)
    write = json_text._writer(",", ":")
    assert write({"a": ["ü", 1.5, None]}) == '{"a":["ü",1.5,null]}'


@examples(60)
@given(surrogates)
def test_broken_characters_are_always_writable(text: str) -> None:
    assert json.loads(json_text.dump_bytes({"a": text})) == {"a": text} or "\\ud" in json.dumps(text)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("B\udcfcro", r'"B\udcfcro" is not Unicode text: the byte 0xFC is not UTF-8'),
        ("a\ud83d", r"\ud83d is half of a surrogate pair"),
        (["a", {"b": ["\udc00"]}], r"\udc00 is half of a surrogate pair"),
        ({"é": {"\udfff": 1}}, r"\udfff is half of a surrogate pair"),
    ],
)
def test_a_lone_surrogate_is_found_wherever_it_is(value: Any, message: str) -> None:
    assert not json_text.is_unicode(value)
    with pytest.raises(ValueError, match=re.escape(message)):
        json_text.require_unicode(value)


@examples(150)
@given(values)
def test_what_utf_8_can_write_is_unicode(value: Any) -> None:
    json_text.require_unicode(value)


def test_text_nested_without_end_is_a_value_error() -> None:
    deep: Any = "\ud800"
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(ValueError, match="nested too deeply"):
        json_text.require_unicode(deep)


SPELLINGS = ["1E5", "1e5", "1.10", "0.0", "-0.0", "1.0", "1E-7", "0.00001", "12345678901234567.25", "0.1e1"]


@pytest.mark.parametrize("text", SPELLINGS)
def test_a_number_keeps_its_spelling_as_text(text: str) -> None:
    (number,) = json_text.loads(f"[{text}]")
    assert number == float(text)
    assert json_text.number_text(number) == text
    assert json_text.number_text(copy.deepcopy(number)) == text
    assert json_text.dumps([number]) == f"[{float(text)!r}]"
    assert json_text.dump_bytes(number) == repr(float(text)).encode()


@examples(300)
@given(st.from_regex(r"\A-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20}([eE][-+]?[0-9]{1,2})?|[eE][-+]?[0-9]{1,2})\Z"))
def test_every_number_with_a_fraction_or_an_exponent_keeps_its_spelling(text: str) -> None:
    number = json_text.loads(text)
    assert (number, json_text.number_text(number)) == (float(text), text)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"),
        (True, "a boolean"),
        (1, "an integer"),
        (1.5, "a number"),
        ("", "text"),
        ([], "an array"),
        ({}, "an object"),
        (b"", "bytes"),
    ],
)
def test_kinds_are_named_as_json_has_them(value: object, name: str) -> None:
    assert json_text.kind(value) == name


@pytest.mark.parametrize("text", ["", "a", 'x "y" \\ z', "ü\n\0\x7f", "\ud800", "•😀"])
def test_a_quoted_text_is_json(text: str) -> None:
    assert json.loads(json_text.quoted(text).encode("ascii")) == text
