"""The tree of errors, and the two helpers of every message."""

from __future__ import annotations

import pytest

from connector import errors
from connector.errors import CODES, KINDS, RowError, kind_of, nearest, shorten
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("child", "parent"),
    [
        ("RunError", "ConnectorError"),
        ("DeclarationError", "RunError"),
        ("ConnectionSetupError", "RunError"),
        ("RunStoppedError", "ConnectorError"),
        ("RowError", "ConnectorError"),
        ("ActionError", "ConnectorError"),
        ("TransportError", "ConnectorError"),
        ("NotSentError", "TransportError"),
        ("CertificateError", "NotSentError"),
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


def test_the_documentation_has_the_kind_of_every_code() -> None:
    """The table of error codes names the next step of each code, as KINDS does."""
    steps = {"retry as is": "retry", "fix first": "fix", "check first": "check"}
    documented: dict[str, str] = {}
    for line in (ROOT / "docs/files.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[0].startswith("`"):
            documented |= {code.strip("` "): steps[cells[3].split(";")[0]] for code in cells[0].split(",")}
    assert documented == KINDS
    assert set(KINDS) == set(CODES)


def test_only_an_error_of_the_server_makes_an_api_error_transient() -> None:
    meta = {"code": "api_error", "status": 400, "repeatable": True}
    assert kind_of(meta) == "fix"
    assert kind_of({**meta, "status": 503}) == "retry"
    assert kind_of({**meta, "status": 503, "repeatable": False}) == "check"


def test_a_lasting_error_is_not_transient() -> None:
    meta = {"code": "network_error", "status": None, "repeatable": True}
    assert kind_of(meta) == "retry"
    assert kind_of({**meta, "transient": False}) == "fix"
    assert kind_of({**meta, "transient": False, "repeatable": False}) == "check"
