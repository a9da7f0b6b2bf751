"""The tree of errors, and the two helpers of every message."""

from __future__ import annotations

import pytest

from connector import errors
from connector.errors import RowError, nearest, shorten


@pytest.mark.parametrize(
    ("child", "parent"),
    [
        ("RunError", "ConnectorError"),
        ("DeclarationError", "RunError"),
        ("ConnectionSetupError", "RunError"),
        ("RunStoppedError", "ConnectorError"),
        ("RowError", "ConnectorError"),
        ("TransportError", "ConnectorError"),
        ("NotSentError", "TransportError"),
        ("ResponseLostError", "TransportError"),
    ],
)
def test_the_tree_is_as_it_is_drawn(child: str, parent: str) -> None:
    assert getattr(errors, child).__base__ is getattr(errors, parent)
    assert child in str(errors.__doc__)


def test_a_row_error_is_safe_to_repeat_unless_it_says_otherwise() -> None:
    error = RowError("conflict", "taken")
    assert (str(error), error.code, error.refused, error.attempts) == ("taken", "conflict", True, 0)
    assert error.status is error.request_id is error.result is None


@pytest.mark.parametrize(
    ("name", "names", "message"),
    [
        ("devices", ["device", "name"], ' (did you mean "device"?)'),
        ("zzz", ["device"], ""),
        ("zzz", [], ""),
        ("", ["device"], ""),
    ],
)
def test_the_nearest_name_is_offered_only_when_it_is_near(name: str, names: list[str], message: str) -> None:
    assert nearest(name, names) == message


def test_a_cut_text_says_that_it_was_cut() -> None:
    assert shorten("x" * 200) == "x" * 200
    assert shorten("x" * 201) == "x" * 200 + "… (201 characters)"
    assert shorten("abcdef", 3) == "abc… (6 characters)"
