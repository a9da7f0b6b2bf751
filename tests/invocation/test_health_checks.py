"""The health checks of a connection: what they find, and their hints."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.catalog import Catalog
from connector.catalog.service import HealthCheck, Service
from connector.client.client import Client
from connector.invocation.health_checks import examine
from tests.declared import declare
from tests.fakes import CONNECTION, FakeClock, FakeTransport, make_client, reply


@pytest.fixture
def checked(service: Service, tmp_path: Path) -> tuple[Service, Catalog]:
    """A service with two checks, whose actions the test declares."""
    declare(tmp_path, "list_things", request="GET /v2/things", result={"type": "array"})
    declare(tmp_path, "list_people", request="GET /v2/people", result={"type": "array"})
    checks = (
        HealthCheck("Things", "list_things", {}, "monitoring"),
        HealthCheck("People", "list_people", {}, ""),
    )
    return service._replace(health_checks=checks), Catalog(tmp_path / "actions")


def findings(checked: Any, client: Client) -> list[tuple[str, bool | None, str]]:
    return [dataclasses.astuple(finding) for finding in examine(*checked, client)]


def test_all_is_well(checked: Any, client: Client, transport: FakeTransport) -> None:
    transport.sign_ins = [reply({"access_token": "a-token", "scope": "monitoring management control"})]
    transport.answers = [reply([{"id": 1}, {"id": 2}]), reply([])]
    assert findings(checked, client) == [
        ("Sign-in", True, "signed in at https://app.example.com"),
        ("Things", True, "listed (sample size: 2)"),
        ("People", True, "listed (sample size: 0)"),
        ("Scopes", True, "the token carries monitoring management control"),
    ]


def test_a_sign_in_that_fails_leaves_the_rest_untried(
    checked: Any, client: Client, transport: FakeTransport
) -> None:
    transport.sign_ins = [reply({"error": "invalid_client"}, 400)]
    first, *others = findings(checked, client)
    assert first[:2] == ("Sign-in", False)
    assert "refuses the client secret" in first[2]
    assert [ok for _, ok, _ in others] == [None, None]
    assert transport.sent == []


def test_what_fails_says_what_it_needs(checked: Any, client: Client, transport: FakeTransport) -> None:
    transport.sign_ins = [reply({"access_token": "a-token", "scope": "management"})]
    transport.answers = [reply({"error": "insufficient_privileges"}, 401), reply([])]
    _, things, people, scopes = findings(checked, client)
    assert things[1] is False
    assert "lacks a scope" in things[2]
    assert things[2].endswith("It requires the scope monitoring")
    assert people[1] is True
    assert scopes == ("Scopes", False, "the token carries management; reads need monitoring, which it lacks")


def test_what_the_connection_has_switched_off_is_not_tried(
    checked: Any, service: Service, transport: FakeTransport, clock: FakeClock
) -> None:
    off = dataclasses.replace(CONNECTION, health_checks_off=("people", "scopes"))
    transport.sign_ins = [reply({"access_token": "a-token", "scope": "monitoring"})]
    transport.answers = [reply([])]
    client = make_client(service, transport, clock, connection=off)
    assert findings(checked, client) == [
        ("Sign-in", True, "signed in at https://app.example.com"),
        ("Things", True, "listed (sample size: 0)"),
        ("People", None, "turned off for this connection"),
        ("Scopes", None, "turned off for this connection"),
    ]
    assert len(transport.sent) == 1


def test_scopes_that_nobody_names(checked: Any, client: Client, transport: FakeTransport) -> None:
    transport.sign_ins = [reply({"access_token": "a-token"})]
    transport.answers = [reply([]), reply([])]
    assert findings(checked, client)[-1][:2] == ("Scopes", None)
