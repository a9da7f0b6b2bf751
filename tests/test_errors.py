"""The tree of errors, and the two helpers of every message."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from pkgutil import walk_packages

import pytest

import connector
from connector import errors
from connector.common.absent import ABSENT
from connector.errors import CODES, KINDS, ConnectorError, RowError, kind_of, nearest, shorten
from connector.files.envelope import Envelope
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


def every_error() -> Iterator[ConnectorError]:
    """An error of each class, also of those that only one module uses."""
    for module in walk_packages(connector.__path__, "connector."):
        if not module.name.endswith("__main__"):
            with suppress(ImportError):  # of an extra that is not installed
                import_module(module.name)
    envelope = Envelope(1, "said", None, {"code": "conflict", "status": 409, "transient": True})
    waiting: list[type[ConnectorError]] = [ConnectorError]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if issubclass(kind, errors.ActionError):
            yield kind("said", envelope)
        elif issubclass(kind, RowError):
            yield kind("conflict", "said", status=409, result=[ABSENT], lasting=True)
        else:
            yield kind(*((409, "said") if kind.__name__ == "ProblemError" else ("said",)))


def test_every_error_can_be_copied_and_pickled() -> None:
    found = list(every_error())
    assert len(found) > 15
    for error in found:
        for again in (
            *(pickle.loads(pickle.dumps(error, version)) for version in range(pickle.HIGHEST_PROTOCOL + 1)),
            *(copy.copy(error), copy.deepcopy(error)),
        ):
            assert type(again) is type(error)
            assert (str(again), again.args, vars(again)) == (str(error), error.args, vars(error))


def test_an_envelope_can_be_copied_and_pickled() -> None:
    envelope = Envelope(1, None, {"a": [1]}, {"code": None})
    for again in (pickle.loads(pickle.dumps(envelope)), copy.deepcopy(envelope)):
        assert again == envelope
        assert again.input is ABSENT


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
