"""The engine of regular expressions finds what Python's `re` finds."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.templating.limits import begin
from connector.templating.regex import compile_regex

ATOMS = [
    "a",
    "b",
    ".",
    "[ab]",
    "[^a]",
    r"\b",
    "^",
    "$",
    "(a)",
    "(b|ab)",
    "(?:a|b)",
    r"\w",
    "(a+)",
    "(?:b(a)?)",
    "(?i:B)",
]
QUANTIFIERS = ["", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,2}?"]

pieces = st.builds(str.__add__, st.sampled_from(ATOMS), st.sampled_from(QUANTIFIERS))
sequences = st.lists(pieces, min_size=1, max_size=4).map("".join)
groups = st.builds("({}){}".format, sequences, st.sampled_from(QUANTIFIERS))
patterns = st.one_of(sequences, groups, st.builds("{}|{}".format, sequences, groups))


def spans(match: re.Match[str]) -> tuple[int, ...]:
    return tuple(at for group in range(match.re.groups + 1) for at in match.span(group))


@given(patterns, st.text("abAc\n ", max_size=8), st.booleans(), st.booleans())
def test_all_matches_are_those_of_python(pattern: str, text: str, ignorecase: bool, multiline: bool) -> None:
    flags = (re.IGNORECASE if ignorecase else 0) | (re.MULTILINE if multiline else 0)
    try:
        python = re.compile(pattern, flags)
        ours = compile_regex(pattern, ignorecase=ignorecase, multiline=multiline)
    except (re.error, ValueError):
        return
    begin()
    assert list(ours.each(text)) == [spans(match) for match in python.finditer(text)]
    found = python.match(text)
    assert ours.match(text) == (found and spans(found))


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"(?P<y>\d{4})-(\d\d)-(\d\d)", "on 2026-12-01 and 2027-01-31"),
        (r"^\s*([\w.+-]+)@([\w-]+\.)+\w+$", " ada.l@mail.alder.example"),
        (r"(?s)<b>(.*?)</b>", "<b>1\n</b><b>2</b>"),
        (r"(?x) (a) # first\n (b)?", "aab"),
        ("(?i)straße", "STRASSE straße Straße"),
        ("[^\\W\\d_]+", "Büro 12_é"),
        ("", "ab"),
    ],
)
def test_patterns_as_people_write_them(pattern: str, text: str) -> None:
    begin()
    assert list(compile_regex(pattern).each(text)) == [spans(match) for match in re.finditer(pattern, text)]
