"""Every example sends exactly its declared requests, and the sandbox accepts them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connector.authoring.checks import check_action, check_declaration, check_example, violations
from connector.catalog.action import Action
from connector.catalog.catalog import Catalog
from connector.catalog.service import Service
from connector.client.factory import open_client
from connector.common.package_data import schema
from connector.connections.connection import Connection
from connector.invocation.bindings import bind
from connector.invocation.invoke import Invoker
from connector.sandbox.ninjaone.server import Sandbox
from tests.kept_catalog import CATALOG

PUBLISHED = schema("ninjaone/operations.json")["operations"]
NAMES = CATALOG.names
EXAMPLES = [(name, number) for name in NAMES for number, _ in enumerate(CATALOG.action(name).examples)]
NINJAONE_NAMES = set(CATALOG.names_of("ninjaone"))
OF_NINJAONE = [(name, number) for name, number in EXAMPLES if name in NINJAONE_NAMES]


@pytest.mark.parametrize("name", NAMES)
def test_declaration(catalog: Catalog, name: str) -> None:
    action = catalog.action(name)
    assert check_action(action, catalog.service(action.service)) == []


@pytest.mark.parametrize("name", CATALOG.services)
def test_service(catalog: Catalog, name: str) -> None:
    assert check_declaration(catalog.service_file(name), "service.schema.json") == []


@pytest.mark.parametrize(("name", "number"), EXAMPLES)
def test_example(catalog: Catalog, tmp_path: Path, name: str, number: int) -> None:
    action = catalog.action(name)
    service = catalog.service(action.service)
    assert check_example(action, service, action.examples[number], tmp_path) == []


def test_names_in_examples_are_used_once(catalog: Catalog) -> None:
    examples = catalog.action("create_organization").examples
    created = [s["body"]["name"] for e in examples for s in e.sends if s["method"] == "POST"]
    assert len(created) == len(set(created))


@pytest.fixture(scope="module")
def account() -> Iterator[Sandbox]:
    """Return one account for all examples, which must not conflict."""
    with Sandbox() as running:
        yield running


@pytest.mark.parametrize(("name", "number"), OF_NINJAONE)
def test_example_in_the_sandbox(
    catalog: Catalog, service: Service, account: Sandbox, tmp_path: Path, name: str, number: int
) -> None:
    action: Action = catalog.action(name)
    example = action.examples[number]
    for file, content in example.files.items():
        (tmp_path / file).write_text(content)
    connection = Connection("ninjaone", account.base_url, account.client_id, account.client_secret)
    client = open_client(service, connection, 0)
    before = len(account.log.requests())
    invoker = Invoker(action, service, bind(action, example.templates), client, tmp_path, tmp_path)
    (envelope,) = invoker.envelopes(1, example.row)
    assert envelope.error is None
    if action.result == "none":
        # What is published without a type may answer anything, and it is kept.
        assert envelope.result is None or PUBLISHED[action.operation]["result"] == {}
    elif action.returns_json:
        assert violations(action.result, envelope.result) == []
    received = account.log.requests()[before:]
    assert [r["method"] for r in received] == [sent["method"] for sent in example.sends]
    assert all(r["status"] < 400 for r in received)
