"""Secrets in responses of the API are hidden, wherever they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.service import Service
from connector.client.client import Client
from connector.errors import ResponseLostError
from tests.declared import declare, invoker
from tests.fakes import FakeClock, FakeTransport, make_client, reply, token
from tests.invocation.rows import one, ran

SECRETS = {
    "user": {"name": "n", "password": "p-1", "secureValue": None},
    "list": [{"clientSecret": "s-1"}, "Bearer token-number-1", "a-very-secret-secret!"],
}


def test_secrets_in_results_are_hidden_unless_asked_for(
    service: Service, clock: FakeClock, tmp_path: Path
) -> None:
    transport = FakeTransport([reply(SECRETS)] * 2, [token("token-number-1")])
    client = make_client(service, transport, clock)
    action = declare(tmp_path)
    assert one(invoker(action, client)).result == {
        "user": {"name": "n", "password": "•••", "secureValue": None},
        "list": [{"clientSecret": "•••"}, "Bearer •••", "•••!"],
    }
    assert one(invoker(action, client, reveal_secrets=True)).result == SECRETS


@pytest.mark.parametrize("rows", ["one", "each"])
@pytest.mark.parametrize("escaped", [False, True])
def test_secrets_in_the_items_of_pages_are_hidden_whichever_page_holds_them(
    service: Service, clock: FakeClock, tmp_path: Path, rows: Any, escaped: bool
) -> None:
    plain = [[{"naturalId": f"n{page}-{n}"} for n in range(50)] for page in range(2)]
    for number, secret in ((0, {"password": "p-1"}), (49, {"note": "it is a-very-secret-secret"})):
        pages = [
            [{**item, **(secret if n == number else {})} for n, item in enumerate(page)] for page in plain
        ]
        shown = [
            {n: "•••" if n == "password" else v.replace("a-very-secret-secret", "•••") for n, v in i.items()}
            for page in (pages[0], plain[1], [])
            for i in page
        ]
        bodies = [json.dumps(page).encode() for page in (pages[0], plain[1], [])]
        if escaped:  # other spellings of the same JSON
            bodies = [
                body.replace(b"password", b"p\\u0061ssword").replace(b"very", b"v\\u0065ry")
                for body in bodies
            ]
        client = make_client(service, FakeTransport([reply(body) for body in bodies]), clock)
        envelopes = ran(invoker(declare(tmp_path, paging="anchor_natural_id"), client, rows=rows))
        results = [e.result for e in envelopes] if rows == "each" else envelopes[0].result
        assert results == shown


def test_secrets_beside_the_items_of_a_page_are_hidden_too(
    client: Client, transport: FakeTransport, tmp_path: Path
) -> None:
    transport.answers = [reply({"devices": [], "password": "p-1"})]
    envelope = one(invoker(declare(tmp_path, paging="limit"), client))
    assert envelope.meta["page"] == {"password": "•••"}


def test_a_secret_in_an_error_is_hidden(client: Client, transport: FakeTransport, tmp_path: Path) -> None:
    transport.answers = [ResponseLostError("broke at a-very-secret-secret")] * 3
    assert one(invoker(declare(tmp_path), client)).error == "GET /v2/probe: broke at •••"
