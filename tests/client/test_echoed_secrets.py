"""Secrets that a server repeats in unexpected places."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.client.audit import Audit
from connector.client.client import Client
from connector.common.redaction import HIDDEN
from connector.http.downloads import file_name, save
from connector.http.messages import Request, Response
from tests.client.responses import READ, refused
from tests.declared import invoker
from tests.fakes import FakeClock, FakeTransport, make_client, reply, token

TOKEN = "tok/en+AbCdEfGhIjKl0123456789=="


@pytest.fixture
def audited(service: Service, transport: FakeTransport, clock: FakeClock, tmp_path: Path) -> Client:
    client = make_client(service, transport, clock)
    client._audit = Audit([str(tmp_path / "audit.jsonl")], "acme", client.redactor)
    transport.sign_ins = [token(TOKEN)]
    return client


@pytest.mark.parametrize("spelled", [TOKEN, quote(TOKEN), quote(TOKEN, safe=""), TOKEN.rstrip("=")])
def test_a_token_in_the_request_id_is_hidden(
    audited: Client, transport: FakeTransport, tmp_path: Path, spelled: str
) -> None:
    transport.answers = [
        reply({}, x_nj_request_id=f"id-{spelled}"),
        reply({"resultCode": "X"}, 400, x_nj_request_id=f"id-{spelled}"),
    ]
    response, error = audited.send(READ), refused(audited, READ)
    assert response.request_id == error.request_id == f"id-{HIDDEN}"
    audit = (tmp_path / "audit.jsonl").read_text()
    assert audit.count(f'"request_id":"id-{HIDDEN}"') == 2
    assert "AbCdEfGhIjKl" not in audit


def test_a_token_in_a_redirect_is_hidden(audited: Client, transport: FakeTransport) -> None:
    transport.answers = [reply(b"", 302, location=f"https://x.example.com/?next={quote(TOKEN)}")]
    assert f"https://x.example.com/?next={HIDDEN}" in str(refused(audited, READ))


def test_a_rows_own_secret_in_a_path_is_in_no_audit(
    audited: Client, transport: FakeTransport, tmp_path: Path
) -> None:
    class Row:
        action, row, redactor = "an_action", 1, audited.redactor.with_secrets(["a/rows-own+secret"])

    transport.answers = [reply({}, x_nj_request_id="a/rows-own+secret")]
    response = audited.send(Request("GET", f"/v2/{quote('a/rows-own+secret', safe='')}"), Row())
    (line,) = map(json.loads, (tmp_path / "audit.jsonl").read_text().splitlines())
    assert (line["path"], line["request_id"], response.request_id) == (f"/v2/{HIDDEN}", HIDDEN, HIDDEN)


def test_a_token_as_a_name_or_in_a_warning_is_in_no_envelope(
    catalog: Catalog, audited: Client, transport: FakeTransport
) -> None:
    transport.answers = [reply({TOKEN: 1, "nested": [{quote(TOKEN): 2}]})]
    action = catalog.action("get_device_custom_fields")
    (envelope,) = invoker(action, audited).envelopes(1, {"device_id": 1})
    assert envelope.result == {HIDDEN: 1, "nested": [{HIDDEN: 2}]}


def test_a_token_in_the_name_of_a_file_is_hidden(
    audited: Client, transport: FakeTransport, tmp_path: Path
) -> None:
    disposition = f"attachment; filename*=UTF-8''{quote(TOKEN, safe='')}.txt"
    transport.answers = [reply(b"content", content_type="text/plain", content_disposition=disposition)]
    response: Response = audited.send(replace(READ, binary=True))
    assert file_name(response) == "___.txt"
    saved: dict[str, Any] = save(response, tmp_path, "1-x")
    assert Path(saved["path"]).name == "1-x-___.txt"
