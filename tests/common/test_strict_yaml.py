"""YAML files: no value is lost silently, and every error names a file and a line."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from connector.common import strict_yaml
from connector.common.json_text import number_text
from connector.errors import RunError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file.yaml"


def load(file: Path, text: str) -> Any:
    file.write_text(text, encoding="utf-8")
    return strict_yaml.load(file)


def fault(file: Path, text: str) -> str:
    with pytest.raises(RunError) as caught:
        load(file, text)
    assert str(caught.value).startswith(str(file))
    return str(caught.value).removeprefix(str(file))


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("2026-12-01T06:00:00Z", "2026-12-01T06:00:00Z"),
        ("2026-12-01", "2026-12-01"),
        ("10:30", "10:30"),
        ("10:30:00.5", "10:30:00.5"),
        ("007", "007"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        ("12e4", "12e4"),
        (".nan", ".nan"),
        ("-.inf", "-.inf"),
        ("=", "="),
        ("9" * 5000, "9" * 5000),
        ("0", 0),
        ("-7", -7),
        ("1234567890123", 1234567890123),
        ("1.5", 1.5),
        ("-0.25", -0.25),
        ("true", True),
        ("no", False),
        ("null", None),
        ("~", None),
        ("", None),
        ('"7"', "7"),
        ("[1, {a: b}]", [1, {"a": "b"}]),
        ("|\n  a\n  b\n", "a\nb\n"),
    ],
)
def test_a_value_is_a_number_only_where_json_has_that_number(file: Path, written: str, value: Any) -> None:
    found = load(file, f"a: {written}")["a"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("written", ["1.0e+20", "1.10", "0.0"])
def test_a_number_keeps_its_spelling_for_a_text(file: Path, written: str) -> None:
    found = load(file, f"a: {written}")["a"]
    assert found == float(written)
    assert number_text(found) == written


def test_anchors_and_merges_are_those_of_yaml(file: Path) -> None:
    text = "base: &base {a: 1, b: 2}\none: {<<: *base, b: 3}\ntwo: *base\n"
    assert load(file, text)["one"] == {"a": 1, "b": 3}
    assert load(file, text)["two"] == {"a": 1, "b": 2}


def test_an_empty_file_is_null(file: Path) -> None:
    assert load(file, "") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", ', line 3: the key "a" is repeated'),
        ("x:\n  - {a: 1, a: 2}\n", ', line 2: the key "a" is repeated'),
        ("1: a\n1: b\n", ', line 2: the key "1" is repeated'),
        ("a: 1\n[b]: 2\n", ", line 2: a key must be text"),
        ("a: 1\n? {b: 1}\n: 2\n", ", line 2: a key must be text"),
        ("a: [1\nb: 2\n", ", line 2: "),
        ("a: b: c\n", ", line 1: "),
        ("a: 1\n---\nb: 2\n", ", line 2: but found another document"),
        ("a: *b\n", ", line 1: found undefined alias"),
        ("a: 1\nb: !!python/object:os.system x\n", ", line 2: could not determine a constructor"),
        ("a: !!binary aGk=\n", ", line 1: could not determine a constructor"),
        ("a: !!set {b}\n", ", line 1: could not determine a constructor"),
        ("a: !!timestamp 2001-01-01\n", ", line 1: could not determine a constructor"),
        ("a: !!int x\n", ": not YAML: "),
        ("a: !!bool x\n", ": not YAML: "),
        ("a: \x01\n", ": not YAML: "),
    ],
)
def test_a_mistake_is_named_with_file_and_line(file: Path, text: str, message: str) -> None:
    assert fault(file, text).startswith(message)


def test_data_has_no_words_that_are_booleans(file: Path) -> None:
    file.write_text(
        "steps:\n  - templates: {on: yes, a: NO, b: [off, true, False, 'true', 1.50, ~], 1: x, null: y}\n"
    )
    assert strict_yaml.load_data(file, ("steps", 0, "templates")) == {
        "on": "yes",
        "a": "NO",
        "b": ["off", True, False, "true", 1.5, None],
        "1": "x",
        "null": "y",
    }


MERGED = "base: {x: &a {own: {n: NO}, 7: a}, y: &b {<<: *a, k: 1, own: {n: on}}}\nlast: {<<: *b, k: 2}\n"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (("last", "own"), {"n": "on"}),
        (("base", "x", "own"), {"n": "NO"}),
        (("last",), {"own": {"n": "on"}, "7": "a", "k": 2}),
        ((), {"own": {"n": "on"}, "7": "a", "k": 2}),
    ],
)
def test_data_of_merged_mappings(file: Path, keys: tuple[str, ...], expected: Any) -> None:
    loaded = load(file, MERGED)
    assert loaded["last"] == {"own": {"n": True}, 7: "a", "k": 2}
    assert loaded["base"]["y"]["k"] == 1  # it was merged before its own keys were checked
    found = strict_yaml.load_data(file, keys)
    assert (found if keys else found["last"]) == expected


@pytest.mark.parametrize("keys", [(), ("a",), ("a", "7"), ("b",)])
def test_data_with_two_keys_that_are_the_same_text(file: Path, keys: tuple[str, ...]) -> None:
    load(file, 'x: 1\na: {7: a, "7": b}\nb: {<<: {no: 1, "no": 2}}\n')
    with pytest.raises(RunError, match=r"line [23]: the key \"(7|no)\" is repeated"):
        strict_yaml.load_data(file, keys)


def test_a_file_that_cannot_be_read_is_a_fault(file: Path) -> None:
    with pytest.raises(RunError, match=r"file\.yaml: cannot be read: No such file or directory$"):
        strict_yaml.load(file)
    file.write_bytes(b"a: \xff\n")
    with pytest.raises(RunError, match=r"file\.yaml: cannot be read: .*utf-8"):
        strict_yaml.load(file)
    with pytest.raises(RunError, match="cannot be read"):
        strict_yaml.load(file.parent)


@pytest.mark.parametrize("text", ["a: *S3cret\n", "a: !S3cret\n", "a: !!int S3cret\n", "a: [S3cret\n"])
def test_an_error_can_keep_quiet_about_the_content(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(RunError) as caught:
        strict_yaml.load(file, may_quote=False)
    assert "S3cret" not in str(caught.value)
    assert "not YAML" in str(caught.value)


TEXT = """\
# a comment
name: x
inputs:
  first: {type: string}
  second:
    type: string
list:
  - a: 1
  - b: 2
    c: 3
4: d
"""


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ([], 1),
        (["name"], 2),
        (["inputs"], 3),
        (["inputs", "first", "type"], 4),
        (["inputs", "second", "type"], 6),
        (["inputs", "second", "nowhere"], 5),
        (["list", 0, "a"], 8),
        (["list", 1, "c"], 10),
        (["list", 5], 7),
        (["nowhere", "a"], 1),
        (["name", "a"], 2),
        ([4], 11),
    ],
)
def test_the_line_of_an_entry(file: Path, keys: list[str | int], line: int) -> None:
    file.write_text(TEXT)
    assert strict_yaml.line_of(file, keys) == line


def test_the_line_of_an_entry_in_a_file_that_is_gone_is_the_first(file: Path) -> None:
    assert strict_yaml.line_of(file, ["a"]) == 1
    file.write_text("a: [")
    assert strict_yaml.line_of(file, ["a"]) == 1


HEAD = """\
# A comment.
name: thing
summary: "Two
  lines"  # and more
count: 007
body: |
  block
inputs: {a: {b: c}}
after: is not read
"""


@pytest.mark.parametrize(
    ("written", "head"),
    [
        (HEAD, {"name": "thing", "summary": "Two lines", "count": "007", "body": "block\n"}),
        ("a: 1\nb: [broken\n", {"a": "1"}),
        ("a: 1\nb: 'broken\n", {"a": "1"}),
        ("a: 1\n? [b]\n: 2\n", {"a": "1"}),
        ("a: &x 1\nb: *x\n", {"a": "1"}),
        ("{a: b, c: d}", {"a": "b", "c": "d"}),
        ("- a\n- b\n", {}),
        ("a", {}),
        ("", {}),
        ("\t", {}),
    ],
)
def test_a_head_is_the_texts_before_any_other_entry(file: Path, written: str, head: dict[str, str]) -> None:
    file.write_text(written, encoding="utf-8")
    assert strict_yaml.head(file) == head


def test_what_cannot_be_read_has_no_head(file: Path) -> None:
    assert strict_yaml.head(file) == {}
    file.write_bytes(b"a: \xff")
    assert strict_yaml.head(file) == {}


LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{b}: &{b} [*{a}, *{a}]\n" for a, b in pairwise("abcdefghijklmnopqrstuvwxyz")
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, "it is nested too deeply"),
        ("{a: " * 100_000, "it is nested too deeply"),
        ("- " * 100_000, "it is nested too deeply"),
        ("? " * 100_000, "it is nested too deeply"),
        ("".join(" " * n + "-\n" for n in range(1000)), "it is nested too deeply"),
        ("".join(" " * n + "a:\n" for n in range(1000)), "it is nested too deeply"),
        ("[" * 101 + "]" * 101, "it is nested too deeply"),
        ("[" * 100 + "1, {}" + "]" * 100, "it is nested too deeply"),
        ("{a: " * 101 + "}" * 101, "it is nested too deeply"),
        ("- " * 101 + "a", "it is nested too deeply"),
        (LAUGHS, "its aliases expand to too many values"),
        (
            LAUGHS.replace("[", "{1: ").replace(", *", ", 2: *").replace(", x", ", 2: x").replace("]", "}"),
            "its aliases",
        ),
        ("a: &a {<<: [*a, *a]}\n", "its aliases"),
        ("a: &a [*a]\n", "its aliases expand to too many values, or refer to themselves"),
        ("a: &a {b: {c: *a}}\n", "or refer to themselves"),
    ],
)
def test_what_would_end_the_process_or_fill_the_memory_is_a_fault(
    file: Path, text: str, message: str
) -> None:
    assert message in fault(file, text)


def test_a_file_that_is_too_long_is_a_fault(file: Path) -> None:
    assert "the file has more than 10,485,760 characters" in fault(file, "a: " + "x" * strict_yaml.MAX_LENGTH)


def test_a_long_file_is_parsed_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []

    def read(loader: Any, text: str) -> None:
        parsed.append(text)
        initialize(loader, text)

    initialize = strict_yaml._Loader.__init__
    monkeypatch.setattr(strict_yaml._Loader, "__init__", read)
    assert len(load(file, "- {a: [1]}\n" * 10_000)) == 10_000
    assert len(parsed) == 1


def test_what_is_nested_and_repeated_in_earnest_is_read(file: Path) -> None:
    assert load(file, "[" * 100 + "]" * 100)
    assert load(file, "[" * 100 + "1, " * 20_000 + "]" * 100)
    assert load(file, "- " * 100 + "a")
    assert len(load(file, "a: &a {b: [1, 2, 3]}\nall: [" + "*a, " * 2000 + "]\n")["all"]) == 2000
    assert len(load(file, "".join(f"- {{a: [{n}]}}\n" for n in range(20_000)))) == 20_000
