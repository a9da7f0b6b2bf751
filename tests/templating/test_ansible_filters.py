"""Filters named as in Ansible: their values, errors and limits."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from connector.errors import RunError
from connector.templating.templates import compile_template
from tests.templating.rendering import ANY, refusal, render

PAGE = (Path(__file__).parents[2] / "docs/templates.md").read_text()
_ROW = json.loads(next(re.finditer(r'```json\n(\{"name".*?)\n```', PAGE))[1])
_TABLE = re.findall(r"^\| `(\{\{ .*? \}\})` \| `(.*)` \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("example", "value"), _TABLE)
def test_the_table_of_the_page(example: str, value: str) -> None:
    assert render(example.replace("\\|", "|"), _ROW) == json.loads(value)


def test_the_table_has_every_filter() -> None:
    from connector.templating.filters import _ANSIBLE

    shown = " ".join(example for example, _ in _TABLE)
    assert [name for name in [*_ANSIBLE, "match", "search"] if name not in shown] == []


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ 'x' | from_json }}", "not JSON"),
        ("{{ 1 | from_json }}", "from_json reads a text"),
        ("{{ 'maybe' | bool }}", '"maybe" is not one of'),
        ("{{ 'x' | b64decode }}", "not Base64"),
        ("{{ '/w==' | b64decode }}", "not Base64 of a text in utf-8"),
        ("{{ 'x' | b64encode('rot13') }}", "not one of the encodings"),
        ("{{ 'x' | hash('crc32') }}", "not one of the hashes"),
        ("{{ 1 | combine({}) }}", "combine expects an object"),
        ("{{ {} | combine({}, list_merge='x') }}", "list_merge is one of"),
        ("{{ [1] | items2dict }}", "items2dict expects an object"),
        ("{{ [{'key': 1}] | items2dict }}", 'has no member "value"'),
        ("{{ [{'key': [], 'value': 1}] | items2dict }}", "member names are text"),
        ("{{ 1 | dict2items }}", "dict2items expects an object"),
        ("{{ '' | mandatory }}", "the value is mandatory"),
        ("{{ none | mandatory('no name') }}", "no name"),
        ("{{ no | mandatory }}", 'no field "no"'),
        ("{{ {} | combine(no) }}", 'no field "no"'),
        ("{{ {} | json_query('a[') }}", "json_query: "),
        ("{{ 'x' | regex_search(p) }}", "not a valid regular expression"),
        ("{{ 'x' | regex_search('(x)', '\\\\2') }}", 'no group "2"'),
        ("{{ 'x' | regex_replace('x', '\\\\1') }}", 'no group "1"'),
        ("{{ 'x' | regex_replace('x', '\\\\q') }}", "cannot contain \\q"),
        ("{{ 'x' | regex_replace('y', 'z', mandatory_count=1) }}", "at least 1 matches"),
    ],
)
def test_what_is_refused(template: str, said: str) -> None:
    assert said in refusal(template, {"p": "(a"})


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ a | regex_search('(a') }}", "missing )"),
        ("{{ a | regex_search('(?=a)') }}", "lookahead"),
        ("{{ a is match('(a)\\\\1') }}", "backreferences"),
        ("{{ a | regex_replace('(a*)*', '') }}", "can match an empty text"),
        ("{{ a | regex_search('(a{999}){999}') }}", "too large"),
        ("{{ a | convert_from_epochs }}", "there is no filter"),
    ],
)
def test_what_is_refused_before_the_run(template: str, said: str) -> None:
    with pytest.raises(RunError, match=re.escape(said)):
        compile_template(template, ANY)


LONG = {"a": "a" * 100_000 + "b", "items": list(range(200_000)), "o": {str(n): n for n in range(9)}}


@pytest.mark.parametrize(
    "template",
    [
        "{{ a | regex_search('(a+)+$') }}",
        "{{ a | regex_search('(a|aa)+$') }}",
        "{{ a | regex_replace('(a|a|a)+c', '') }}",
        "{{ a is search('(.*)(.*)(.*)(.*)[^ab]$') }}",
        "{% for i in range(99999) %}{% set x = a | b64encode %}{% endfor %}",
        "{% for i in range(99999) %}{% set x = a | hash %}{% endfor %}",
        "{% for i in range(99999) %}{% set x = o | combine({'l': items}) %}{% endfor %}",
        "{{ a | regex_replace('a', a) }}",
        "{{ o | json_query('" + "|".join(["[@,@][]"] * 40) + "') }}",
        "{{ o | json_query('" + "|".join(["[@,@]"] * 40) + "|to_string(@)') }}",
    ],
)
@pytest.mark.slow
def test_no_pattern_and_no_expression_runs_for_long(template: str) -> None:
    start = time.process_time()
    assert "exceeds a limit" in refusal(template, LONG)
    assert time.process_time() - start < 30


def test_a_catastrophic_pattern_finds_what_is_there() -> None:
    assert render("{{ a | regex_search('(a+)+$') }}", {"a": "a" * 30 + "b"}) is None
    assert render("{{ a | regex_search('(a+)+b$') }}", {"a": "a" * 30 + "b"}) == "a" * 30 + "b"


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ '2026-03-29 02:30' | to_datetime('%Y-%m-%d %H:%M', 'Europe/Berlin') }}", "does not occur"),
        ("{{ '2026-10-25 02:30' | to_datetime('%Y-%m-%d %H:%M', 'Europe/Berlin') }}", "occurs twice"),
        ("{{ 'x' | to_datetime('%m/%d/%Y') }}", '"x" is not a time in the format %m/%d/%Y'),
        ("{{ '1/1/2026' | to_datetime('%m/%d/%Y', 'Mars/Base') }}", "not a time zone"),
        ("{{ '2026-01-01' | format_datetime('%Y', '../passwd') }}", "not a time zone"),
        ("{{ '2026-01-01' | add_time(months=1) }}", "not months"),
        ("{{ '2026-01-01' | add_time(days='1') }}", "takes numbers"),
        ("{{ 47088 | from_epoch }}", "looks like a spreadsheet date"),
    ],
)
def test_times_that_are_refused(template: str, said: str) -> None:
    assert said in refusal(template, {})


@pytest.mark.parametrize(
    ("time", "read"),
    [
        ("2026-07-16 06:00", "2026-07-16T04:00:00Z"),
        ("20260716", "2026-07-15T22:00:00Z"),
        ("2026-07-16T06:00:00Z", "2026-07-16T06:00:00Z"),
        (1784160000, "2026-07-16T00:00:00Z"),
        ("1784160000", "2026-07-16T00:00:00Z"),
    ],
)
def test_a_time_without_a_format_in_a_zone(time: object, read: str) -> None:
    assert render("{{ t | to_datetime(timezone='Europe/Berlin') }}", {"t": time}) == read


def test_an_offset_decides_which_of_two_times_it_is() -> None:
    template = "{{ t | to_datetime('%Y-%m-%d %H:%M%z', 'Europe/Berlin') }}"
    assert render(template, {"t": "2026-10-25 02:30+0200"}) == "2026-10-25T00:30:00Z"
    assert render(template, {"t": "2026-10-25 02:30+0100"}) == "2026-10-25T01:30:00Z"
    assert render(template, {"t": ""}) == ""
