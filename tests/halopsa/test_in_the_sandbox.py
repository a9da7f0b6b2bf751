"""The client against the sandbox of HaloPSA and its traps: the right result, or an error that says why."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from connector.catalog.service import Service
from connector.client.account_limit import AccountLimit
from connector.client.auth import Auth
from connector.client.client import Client
from connector.client.pacing import Pacer
from connector.common.redaction import Redactor
from connector.connections.connection import Connection
from connector.errors import RowError
from connector.http.messages import Request, Response
from connector.http.transport import HttpTransport
from connector.invocation.pagination import Page, walk
from connector.sandbox.halopsa.server import HaloSandbox
from tests.fakes import FakeClock
from tests.loopback import PATIENCE_S

OpenSandbox = Callable[..., tuple[Client, HaloSandbox]]


@pytest.fixture
def open_sandbox(halopsa: Service, clock: FakeClock) -> Iterator[OpenSandbox]:
    """Makes a sandbox with these traps and a client of it; without a tenant, the instance is asked for it."""
    with ExitStack() as opened:

        def make(traps: dict[str, str] | None = None, *, tenant: str = "") -> tuple[Client, HaloSandbox]:
            sandbox = opened.enter_context(HaloSandbox(assets=120, tickets=0, traps=traps, clock=clock.now))
            own = {"tenant": tenant} if tenant else {}
            app = (sandbox.client_id, sandbox.client_secret)
            connection = Connection("halopsa", sandbox.base_url, *app, settings=own, timeout_s=PATIENCE_S)
            transport = HttpTransport(sandbox.base_url, timeout_s=PATIENCE_S)
            opened.callback(transport.close)
            redactor = Redactor(connection.secrets, halopsa.secrets)
            auth = Auth(halopsa, connection, transport, clock, redactor)
            pacer = Pacer(0, clock, limit=AccountLimit(halopsa.title, clock))
            client = Client(halopsa, connection, transport, auth, pacer, clock, redactor)
            client._jitter = lambda: 1.0
            return client, sandbox

        yield make


def listed(client: Client, service: Service) -> list[Any]:
    """Return all assets."""
    steps = walk(service.pagers["assets"], Request("GET", "/api/Asset"), None)
    items: list[Any] = []
    response: Response | None = None
    try:
        while True:
            step = steps.send(response) if response else next(steps)
            response = client.send(step) if isinstance(step, Request) else None
            items += step.items if isinstance(step, Page) else []
    except StopIteration:
        return items


def post(client: Client, path: str, record: Any) -> Any:
    """Return the JSON of the response to a POST of one record, in the array that the engine puts it into."""
    response = client.send(Request("POST", path, body=[record], effect="write", idempotent=False))
    return json.loads(response.body)


@pytest.mark.parametrize("tenant", ["", "sandbox"])
def test_it_signs_in_and_reads_every_page(open_sandbox: OpenSandbox, halopsa: Service, tenant: str) -> None:
    client, sandbox = open_sandbox(tenant=tenant)
    assert len({item["id"] for item in listed(client, halopsa)}) == 120
    assert [entry["status"] for entry in sandbox.log.signins()] == [200]


@pytest.mark.parametrize(
    "traps",
    [{"page_cap": "ignored"}, {"paging": "empty_once"}, {"times": "zoned"}, {"retry_after": "absent"}],
)
def test_a_list_is_whole(open_sandbox: OpenSandbox, halopsa: Service, traps: dict[str, str]) -> None:
    client, _ = open_sandbox(traps)
    assert len({item["id"] for item in listed(client, halopsa)}) == 120


@pytest.mark.parametrize("traps", [{"paging": "empty"}, {"paging": "ignored"}, {"html": "page"}])
def test_a_list_that_is_not_whole_is_an_error(
    open_sandbox: OpenSandbox, halopsa: Service, traps: dict[str, str]
) -> None:
    client, _ = open_sandbox(traps)
    with pytest.raises(RowError) as caught:
        listed(client, halopsa)
    assert caught.value.code == "bad_response"


@pytest.mark.parametrize("retry_after", ["sent", "absent"])
def test_a_full_window_is_waited_for(
    open_sandbox: OpenSandbox, halopsa: Service, clock: FakeClock, retry_after: str
) -> None:
    client, sandbox = open_sandbox({"rate_limit": "2/5", "retry_after": retry_after})
    began = clock.now()
    assert len(listed(client, halopsa)) == 120
    assert clock.now() - began >= 300
    assert 429 in [entry["status"] for entry in sandbox.log.requests()]


@pytest.mark.parametrize(
    ("traps", "message"),
    [
        ({}, "summary: A summary must be entered."),
        ({"invalid": "message"}, "A summary must be entered."),
        ({"invalid": "class_name"}, "A summary must be entered."),
        ({"invalid": "result_code"}, "A summary must be entered."),
        ({"invalid": "error"}, "A summary must be entered."),
        ({"invalid": "text"}, "400"),
    ],
)
def test_a_refused_record_says_why(open_sandbox: OpenSandbox, traps: dict[str, str], message: str) -> None:
    client, _ = open_sandbox(traps)
    with pytest.raises(RowError) as caught:
        post(client, "/api/Tickets", {"tickettype_id": 25, "client_id": 11})
    assert caught.value.code == "api_error"
    assert message in str(caught.value)


@pytest.mark.parametrize("traps", [{"answers": "reset"}, {"answers": "gateway"}, {"answers": "reset_once"}])
def test_a_lost_response_is_an_unknown_outcome_and_not_sent_again(
    open_sandbox: OpenSandbox, traps: dict[str, str]
) -> None:
    client, sandbox = open_sandbox(traps)
    with pytest.raises(RowError) as caught:
        post(client, "/api/Tickets", {"summary": "x", "tickettype_id": 25, "client_id": 11})
    assert caught.value.code == "outcome_unknown"
    assert len(sandbox.state.tickets) == 1
