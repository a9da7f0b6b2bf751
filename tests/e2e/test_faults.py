"""The engine over real HTTP against a sandbox that misbehaves; its log shows what really happened."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.catalog import Catalog
from connector.catalog.json_schema import validator
from connector.catalog.service import Service
from connector.client.client import Client
from connector.client.factory import open_client
from connector.common.package_data import schema
from connector.connections.connection import make_connection
from connector.files.envelope import Envelope
from connector.invocation.bindings import bind
from connector.invocation.invoke import Invoker
from connector.sandbox.ninjaone.server import Sandbox
from tests.fakes import HurriedClock

ENVELOPE = validator(schema("envelope.schema.json"))


class Engine:
    """Runs actions of the catalogue against one sandbox."""

    def __init__(self, catalog: Catalog, sandbox: Sandbox, timeout_s: float = 5) -> None:
        self.catalog, self.sandbox = catalog, sandbox
        self.service: Service = catalog.service("ninjaone")
        self.clock = HurriedClock()
        settings = {**sandbox.connection, "timeout_s": timeout_s}
        connection = make_connection(self.service, settings, "the test")
        self.client: Client = open_client(self.service, connection, 0, clock=self.clock)
        self._invokers: dict[str, Invoker] = {}
        self._lock = threading.Lock()

    def rows(self, name: str, row: dict[str, Any], number: int = 1, **options: Any) -> list[Envelope]:
        """The envelopes of a row whose fields are named as the action's inputs."""
        with self._lock:
            if name not in self._invokers or options:
                action = self.catalog.action(name)
                bindings = bind(action, {})
                self._invokers[name] = Invoker(
                    action, self.service, bindings, self.client, uploads=Path("/nonexistent"), **options
                )
        envelopes = list(self._invokers[name].envelopes(number, row))
        for envelope in envelopes:
            ENVELOPE.validate(json.loads(envelope.line()))
        return envelopes

    def one(self, name: str, row: dict[str, Any], number: int = 1) -> Envelope:
        (envelope,) = self.rows(name, row, number)
        return envelope

    def close(self) -> None:
        self.client._transport.close()  # type: ignore[attr-defined]


@pytest.fixture
def engine(catalog: Catalog, sandbox: Sandbox) -> Iterator[Engine]:
    made = Engine(catalog, sandbox)
    yield made
    made.close()


READ = ("list_scripting_options", {"device_id": 2})
UPDATE = ("update_device", {"device_id": 2, "display_name": "row-1"})
DELETE = ("cancel_maintenance", {"device_id": 2})
CREATE = ("reboot_device", {"device_id": 2, "mode": "NORMAL", "reason": "row-1"})
ANY = [pytest.param(call, id=call[0]) for call in (READ, UPDATE, DELETE, CREATE)]
HARMLESS = ANY[:3]
NO_DEVICE = 9_999_999

SIGN_IN_PAGE = {"fault": "answer", "status": 200, "body": "<html>Sign in</html>", "content_type": "text/html"}


def seen(sandbox: Sandbox) -> list[Any]:
    """Of each API request: the fault it met, and whether it was carried out."""
    return [(entry["fault"], entry["executed"]) for entry in sandbox.log.requests()]


@pytest.mark.parametrize("call", ANY)
@pytest.mark.parametrize(("fault", "waits"), [("429", [1.0]), ("expire", [])])
def test_what_the_api_refused_is_sent_again(
    engine: Engine, sandbox: Sandbox, call: Any, fault: str, waits: list[float]
) -> None:
    sandbox.set_faults(queue=[fault])
    envelope = engine.one(*call)
    assert (envelope.error, envelope.meta["attempts"]) == (None, 2)
    assert seen(sandbox) == [(fault, False), (None, True)]
    assert engine.clock.slept == waits
    assert len(sandbox.log.signins()) == (2 if fault == "expire" else 1)


@pytest.mark.parametrize("call", HARMLESS)
@pytest.mark.parametrize(
    ("fault", "executed"),
    [
        ("html", False),
        ("500", False),
        ("502", False),
        ("503", False),
        ("reset", False),
        ("reset_after", True),
        ("truncate", True),
    ],
)
def test_what_may_be_repeated_is_sent_again(
    engine: Engine, sandbox: Sandbox, call: Any, fault: str, executed: bool
) -> None:
    sandbox.set_faults(queue=[fault])
    envelope = engine.one(*call)
    assert (envelope.error, envelope.meta["attempts"]) == (None, 2)
    assert seen(sandbox) == [(fault, executed), (None, True)]
    assert len(engine.clock.slept) == 1
    assert 0.5 <= engine.clock.slept[0] <= 1


@pytest.mark.parametrize(
    ("fault", "code", "executed"),
    [
        ("reset_after", "outcome_unknown", True),
        ("reset", "outcome_unknown", False),
        ("truncate", "outcome_unknown", True),
        ("502", "outcome_unknown", False),
        ("500", "api_error", False),
        ("503", "api_error", False),
        ("html", "rate_limited", False),
        (SIGN_IN_PAGE, "bad_response", False),
    ],
)
def test_what_may_not_be_repeated_is_sent_once(
    engine: Engine, sandbox: Sandbox, fault: Any, code: str, executed: bool
) -> None:
    sandbox.set_faults(queue=[fault])
    envelope = engine.one(*CREATE)
    assert (envelope.meta["code"], envelope.meta["repeatable"]) == (code, False)
    assert "It may have taken effect" in str(envelope.error)
    assert [done for _, done in seen(sandbox)] == [executed]
    assert engine.clock.slept == []


def test_a_refusal_is_no_reason_to_try_again(engine: Engine, sandbox: Sandbox) -> None:
    envelope = engine.one("reboot_device", {**CREATE[1], "device_id": NO_DEVICE})
    assert (envelope.meta["code"], envelope.meta["repeatable"]) == ("not_found", True)
    assert "device_not_found (incident WEB_MGMT_SERVICE-" in str(envelope.error)
    assert str(envelope.meta["request_id"])
    assert seen(sandbox) == [(None, False)]


@pytest.mark.parametrize("call", [READ, CREATE])
def test_an_answer_that_comes_too_late(catalog: Catalog, sandbox: Sandbox, call: Any) -> None:
    engine = Engine(catalog, sandbox, timeout_s=0.1)
    engine.client.sign_in()
    sandbox.set_faults(queue=[{"fault": "slow", "seconds": 60}])
    envelope = engine.one(*call)
    if call is READ:
        assert (envelope.error, envelope.meta["attempts"]) == (None, 2)
    else:
        assert envelope.meta["code"] == "outcome_unknown"
        assert "nothing was received for 0.1 s" in str(envelope.error)
    assert len(sandbox.log.requests()) == envelope.meta["attempts"]
    engine.close()


def test_an_empty_answer_where_json_is_due(engine: Engine, sandbox: Sandbox) -> None:
    sandbox.set_faults(queue=["empty"])
    envelope = engine.one(*READ)
    assert envelope.meta["code"] == "bad_response"
    assert "an empty body instead of JSON" in str(envelope.error)
    sandbox.set_faults(queue=["empty"])
    assert engine.one(*CREATE).error is None


def test_an_html_page_where_json_is_due(engine: Engine, sandbox: Sandbox) -> None:
    sandbox.set_faults(queue=[SIGN_IN_PAGE])
    envelope = engine.one(*READ)
    assert (envelope.meta["code"], envelope.meta["status"], envelope.meta["attempts"]) == (
        "bad_response",
        200,
        1,
    )
    assert "sent an HTML page instead of JSON" in str(envelope.error)


def test_a_server_that_is_gone(engine: Engine, sandbox: Sandbox) -> None:
    assert engine.one(*READ).error is None
    sandbox.stop()
    for call in (READ, CREATE):
        envelope = engine.one(*call)
        assert (envelope.meta["code"], envelope.meta["repeatable"]) == ("network_error", True)
        assert envelope.meta["attempts"] == 3
        assert "no connection: " in str(envelope.error)
        assert "Connection refused" in str(envelope.error)
    sandbox.start()
    assert engine.one(*CREATE).error is None
    assert len(sandbox.log.requests()) == 2


@pytest.fixture
def large(catalog: Catalog) -> Iterator[Engine]:
    """An engine before an account whose devices fill more than a page."""
    with Sandbox(devices=1100) as sandbox:
        made = Engine(catalog, sandbox)
        yield made
        made.close()


def test_a_walk_goes_on_over_faults(large: Engine) -> None:
    large.sandbox.set_faults(queue=["429", "html", None, "reset_after", "truncate"])
    envelope = large.one("list_devices", {})
    assert envelope.error is None
    numbers = [device["id"] for device in envelope.result]
    assert len(numbers) > 1000
    assert numbers == sorted(set(numbers))
    assert len(seen(large.sandbox)) == 6


def test_a_walk_that_fails_in_the_middle_is_no_short_success(large: Engine) -> None:
    refusal = {"fault": "answer", "status": 403, "body": {"error": "insufficient_privileges"}}
    large.sandbox.set_faults(queue=[None, refusal, None, refusal])
    envelope = large.one("list_devices", {})
    assert (envelope.meta["code"], envelope.result) == ("forbidden", None)
    envelopes = large.rows("list_devices", {}, rows="each")
    assert len(envelopes) == 1001
    assert [e.has_error for e in envelopes] == [False] * 1000 + [True]
    assert envelopes[-1].meta["last"] is True


def test_the_second_of_two_requests_is_lost(engine: Engine, sandbox: Sandbox) -> None:
    row = {"name": "row-1", "fields": {"siteCode": "S1"}}
    # In front of both, the definitions of custom fields are read.
    sandbox.set_faults(queue=[None, None, "500", "500", "500"])
    envelope = engine.one("create_organization", row)
    assert (envelope.meta["code"], envelope.meta["repeatable"]) == ("partial", False)
    assert envelope.result["done"][0]["answer"]["name"] == "row-1"
    assert seen(sandbox)[1:] == [(None, True), ("500", False), ("500", False), ("500", False)]
