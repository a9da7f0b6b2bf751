"""Secrets in inputs, and those requested from the API: declared, hidden, and protected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.action import Action
from connector.catalog.catalog import Catalog
from connector.client.client import Client
from connector.common.redaction import HIDDEN
from connector.errors import ResponseLostError
from connector.files.journal import Journal
from connector.http.messages import Request, Response
from tests.declared import declare, invoker
from tests.fakes import FakeTransport, reply
from tests.kept_catalog import CATALOG

PASSWORD = 'own-pass"word-1234567890'
INPUTS = {
    "name": {"type": "string", "to": "body.name"},
    "password": {"type": "string", "maxLength": 40, "writeOnly": True, "to": "body.password"},
    "headers": {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "value": {"type": "string", "writeOnly": True}},
        },
        "to": "body.headers",
    },
}


@pytest.fixture
def action(tmp_path: Path) -> Action:
    return declare(tmp_path, request="POST /v2/probe", effect="write", idempotent=False, inputs=INPUTS)


def test_the_parts_that_are_marked_are_secret(action: Action) -> None:
    assert [given.name for given in action.secret_inputs] == ["password", "headers"]
    values = {"name": "n", "password": "p", "headers": [{"name": "X", "value": "v"}, {"name": "Y"}]}
    assert action.secrets_in(values) == ["p", "v"]
    assert action.secrets_in({"name": "n"}) == []


@pytest.mark.parametrize("length", range(170, 202, 3))
def test_an_error_that_quotes_them_does_not_show_them(
    client: Client, transport: FakeTransport, action: Action, length: int
) -> None:
    # The message is cut after 200 characters: somewhere in the secret.
    transport.answers.append(reply({"errorMessage": "x" * length + PASSWORD}, 400))
    (envelope,) = invoker(action, client).envelopes(1, {"password": PASSWORD})
    assert envelope.error is not None
    assert "own-" not in envelope.error


@pytest.mark.parametrize("length", range(80, 121, 3))
def test_an_answer_that_is_no_json_does_not_show_them(
    client: Client, transport: FakeTransport, action: Action, length: int
) -> None:
    transport.answers.append(reply(b"x" * length + PASSWORD.encode()))
    (envelope,) = invoker(action, client).envelopes(1, {"password": PASSWORD})
    assert envelope.meta["code"] == "bad_response"
    assert "own-" not in str(envelope.error)


def test_neither_result_nor_journal_have_them(
    client: Client, transport: FakeTransport, action: Action, tmp_path: Path
) -> None:
    journal = Journal(tmp_path / "journal.jsonl", client.redactor)
    journal.begin({})
    transport.answers.append(reply({"said": f"<{PASSWORD}>", "deep": ["webhook-secret"]}))
    row = {"password": PASSWORD, "headers": [{"name": "X", "value": "webhook-secret"}]}
    (envelope,) = invoker(action, client, recorder=journal).envelopes(1, row)
    assert envelope.result == {"said": f"<{HIDDEN}>", "deep": [HIDDEN]}
    assert transport.sent[0][2]["password"] == PASSWORD
    kept = (tmp_path / "journal.jsonl").read_text()
    assert not [secret for secret in ("own-pass", "webhook-secret") if secret in kept]


@pytest.mark.parametrize(
    ("templates", "row", "message"),
    [
        (
            {"password": "{{ p }}"},
            {"p": [PASSWORD]},
            "password: its value is not valid (secret value not shown)",
        ),
        (
            {"password": "{{ p }}"},
            {"p": PASSWORD * 3},
            "password: its value is not valid (secret value not shown)",
        ),
        (
            {"headers": "[{{ p }}"},
            {"p": PASSWORD},
            "headers: its template fails (secret value not shown)",
        ),
        (
            {"headers": "{{ p }}"},
            {"p": [{"name": "n", "value": [PASSWORD]}]},
            "headers: its value is not valid",
        ),
        (
            {"password": "{{ p + 1 }}"},
            {"p": PASSWORD},
            "password: its template fails (secret value not shown)",
        ),
        ({"password": "{{ q }}"}, {"p": PASSWORD}, 'password: the row has no field "q"'),
    ],
)
def test_what_is_wrong_with_one_is_said_without_it(
    client: Client, action: Action, templates: dict[str, str], row: dict[str, Any], message: str
) -> None:
    (envelope,) = invoker(action, client, templates).envelopes(1, row)
    assert envelope.error is not None
    assert envelope.error.startswith(message)
    assert "own-pass" not in envelope.error


def test_a_lost_answer_is_in_doubt_all_the_same(
    client: Client, transport: FakeTransport, action: Action
) -> None:
    transport.answers.append(ResponseLostError("gone"))
    (envelope,) = invoker(action, client).envelopes(1, {"password": PASSWORD})
    assert envelope.meta["code"] == "outcome_unknown"


def test_no_repr_shows_what_is_sent_or_answered() -> None:
    shown = repr(Request("POST", "/v2/x", (("q", PASSWORD),), {"h": PASSWORD}, {"password": PASSWORD}))
    shown += repr(Response(200, {}, PASSWORD.encode()))
    assert "own-pass" not in shown


# --- what the API is asked to reveal -----------------------------------------------------------------------

REVEALING = sorted(a.name for a in CATALOG.actions() if "show_secure_values" in a.inputs)


def test_all_that_reveals_secrets_says_so(catalog: Catalog) -> None:
    assert len(REVEALING) == 4
    declared = [a for a in catalog.actions() if a.revealing_inputs]
    assert sorted(a.name for a in declared) == REVEALING
    sent = {target.lower() for a in catalog.actions() for i in a.inputs.values() for target in i.target}
    assert {name for name in sent if "secure" in name or "reveal" in name} == {"showsecurevalues"}


@pytest.mark.parametrize("name", REVEALING)
def test_secure_values_want_the_runs_consent(
    client: Client, transport: FakeTransport, catalog: Catalog, name: str
) -> None:
    action = catalog.action(name)
    (refused,) = invoker(action, client).envelopes(1, {"show_secure_values": True})
    assert refused.meta["code"] == "input_invalid"
    assert refused.error == (
        "show_secure_values: requests values that the API marks as secret; this requires --reveal-secrets"
    )
    assert transport.sent == transport.signed_in == []
    for row, reveals in (({"show_secure_values": False}, False), ({"show_secure_values": True}, True)):
        transport.answers.append(reply({"results": []}))
        (envelope,) = invoker(action, client, reveal_secrets=reveals).envelopes(1, row)
        assert not envelope.has_error
        assert f"showSecureValues={json.dumps(reveals)}" in transport.sent[-1][1]
