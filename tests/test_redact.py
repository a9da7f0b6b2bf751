"""Secrets: hidden wherever they stand."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.redact import HIDDEN, Redactor, masked


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a secret-1 b secret-1", f"a {HIDDEN} b {HIDDEN}"),
        (["secret-1", 5], [HIDDEN, 5]),
        ({"a": "secret-1", "b": "a longer text"}, {"a": HIDDEN, "b": "a longer text"}),
        ({"a": {"b": ["xsecret-1x"]}}, {"a": {"b": [f"x{HIDDEN}x"]}}),
        ({"password": "p", "a": {"password": 5}}, {"password": HIDDEN, "a": {"password": HIDDEN}}),
        ({"password": {"deep": 1}}, {"password": HIDDEN}),
        ({"password": None}, {"password": None}),
        ({"passwordHint": "x"}, {"passwordHint": "x"}),
        (None, None),
        (True, True),
        (1.5, 1.5),
        ({}, {}),
    ],
)
def test_known_values_and_secret_members_are_hidden(value: Any, shown: Any) -> None:
    assert Redactor(["secret-1"], ["password"]).json(value) == shown


def test_an_empty_secret_hides_nothing() -> None:
    redactor = Redactor(["", ""])
    redactor.add("")
    assert redactor.text("abc") == "abc"


def test_a_secret_that_is_learned_later_is_hidden_from_then_on() -> None:
    redactor = Redactor()
    assert redactor.text("token-2") == "token-2"
    redactor.add("a-much-longer-token")
    redactor.add("token-2")
    assert redactor.text("token-2") == HIDDEN
    assert redactor.json({"a": "token-2", "b": ["a-much-longer-token"]}) == {"a": HIDDEN, "b": [HIDDEN]}


def test_a_secret_within_another_leaves_nothing_of_the_longer_one() -> None:
    for order in (["abc", "abcdef", "cde"], ["abcdef", "cde", "abc"], ["cde", "abc", "abcdef"]):
        assert Redactor(order).text("<abcdef>") == f"<{HIDDEN}>"


def test_the_given_value_is_not_changed() -> None:
    value = {"password": "p", "a": ["secret"]}
    Redactor(["secret"], ["password"]).json(value)
    assert value == {"password": "p", "a": ["secret"]}


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ('{"a": 1}', False),
        ("", False),
        ('{"a": "xsecret-1x"}', True),
        ('{"password": 1}', True),
        ('{"p\\u0061ssword": 1}', True),
        ('{"a": "s\\u0065cret-1"}', True),
    ],
)
def test_a_text_that_surely_hides_nothing_is_told(text: str, may: bool) -> None:
    assert Redactor(["secret-1"], ["password"]).may_hide(text) is may
    assert Redactor().may_hide(text) is ("\\" in text)


@pytest.mark.parametrize(
    ("secret", "shown"),
    [("", HIDDEN), ("short", HIDDEN), ("elevenchars", HIDDEN), ("twelve-chars", HIDDEN + "hars")],
)
def test_a_masked_secret_shows_its_end_only_when_it_is_long(secret: str, shown: str) -> None:
    assert masked(secret) == shown


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("ab", min_size=2, max_size=6), min_size=1, max_size=4), st.text("abc", max_size=30))
def test_no_secret_is_left_in_any_text(secrets: list[str], text: str) -> None:
    shown = Redactor(secrets).text(text)
    assert not any(secret in shown for secret in secrets)
