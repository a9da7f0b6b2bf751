"""The generated nodes: their files, names and fields, and the requests that n8n makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from connector.authoring.checks import check_example
from connector.catalog.action import Action
from connector.catalog.catalog import Catalog
from connector.common.absent import ABSENT
from connector.invocation.bindings import bind
from connector.serve.checks import RowCheck
from connector.serve.settings import Settings
from integrations.n8n.generator.files import FOLDER, files, outdated
from integrations.n8n.generator.node import Node, nodes
from tests.n8n.routing import fields_of, filled_in, request


@pytest.fixture(scope="module")
def made(catalog: Catalog) -> Mapping[str, Node]:
    return {node.service: node for node in nodes(catalog)}


@pytest.fixture(scope="module")
def actions(catalog: Catalog) -> Mapping[str, Action]:
    return {action.name: action for action in catalog.actions()}


def test_the_files_are_up_to_date(made: Mapping[str, Node]) -> None:
    assert outdated(files(made.values())) == []


def test_resources_are_areas_and_operations_are_actions(
    made: Mapping[str, Node], actions: Mapping[str, Action]
) -> None:
    for service, node in made.items():
        of_service = {(one.area, one.own_name) for one in actions.values() if one.service == service}
        found = {area: fields[0] for area, fields in node.areas.items()}
        options = {(area, option["value"]) for area, field in found.items() for option in field["options"]}
        assert options == of_service
        assert {option["value"] for option in node.resource["options"]} == found.keys()
        effects = {actions[node.prefix + field["default"]].effect for field in found.values()}
        assert "destructive" not in effects  # in a new node


def test_every_input_has_a_field(made: Mapping[str, Node], actions: Mapping[str, Action]) -> None:
    for action in actions.values():
        found = list(fields_of(made[action.service], action))
        inputs = [field["routing"]["send"]["property"] for field, _ in found]
        assert sorted(inputs) == sorted(action.inputs)
        required = {name for name in action.required if action.inputs[name].default is ABSENT}
        assert {
            name for name, (_, is_optional) in zip(inputs, found, strict=True) if not is_optional
        } == required
        for field, _ in found:
            name = field["routing"]["send"]["property"]
            is_hidden = field.get("typeOptions", {}).get("password", False)
            assert is_hidden or not action.inputs[name].is_secret or field["type"] == "json"


def sent_body(made: Mapping[str, Node], action: Action, values: Mapping[str, Any]) -> dict[str, Any]:
    """The body that a node sends for these values, after the checks of the server and of this test."""
    node = made[action.service]
    sent = request(node, filled_in(node, action, values))
    assert (sent.method, sent.path) == ("POST", f"/actions/{action.name}")
    assert sent.query == {"status": "mirror", "names": "1", "lenient": "1"}
    assert sent.headers.get("X-Confirm") == ("1" if action.effect == "destructive" else None)
    assert ("Idempotency-Key" in sent.headers) == (action.effect != "read")
    settings = Settings(uploads=FOLDER, files=FOLDER)
    assert RowCheck(action, settings, names=True, lenient=True).errors(sent.body) == []
    return sent.body


def test_the_examples_send_their_api_requests(
    made: Mapping[str, Node], catalog: Catalog, actions: Mapping[str, Action], tmp_path: Path
) -> None:
    problems = []
    for action in actions.values():
        for example in action.examples:
            if any(
                isinstance(template, dict) and "empty" in template for template in example.templates.values()
            ):
                continue  # the form cannot send an empty text
            values = bind(action, example.templates).values(example.row)
            body = sent_body(made, action, values)
            by_form = example._replace(title=action.name, row=body, templates={})
            problems += check_example(action, catalog.service(action.service), by_form, tmp_path)
    assert problems == [], chr(10).join(problems)


def test_a_field_that_is_added_and_left_empty_sends_no_value(
    made: Mapping[str, Node], actions: Mapping[str, Action]
) -> None:
    kinds = set()
    for action in actions.values():
        for field, is_optional in fields_of(made[action.service], action):
            given = action.inputs[field["routing"]["send"]["property"]]
            if is_optional and given.default is ABSENT and field["name"] != "limit":
                kinds.add(field["type"])
                shown = field["type"] in ("boolean", "options", "multiOptions")
                assert shown or given.read(field["default"]) is ABSENT
    assert {"number", "string", "json", "dateTime"} <= kinds


def test_a_destructive_operation_is_confirmed_by_true_alone(
    made: Mapping[str, Node], actions: Mapping[str, Action]
) -> None:
    action = actions["reboot_device"]
    parameters = filled_in(made["ninjaone"], action, {"device_id": 1, "mode": "NORMAL"})
    for given in (False, "true", 1, None):
        assert request(made["ninjaone"], {**parameters, "confirm": given}).headers["X-Confirm"] == ""


def test_options_select_the_connection_and_the_key(
    made: Mapping[str, Node], actions: Mapping[str, Action]
) -> None:
    parameters = filled_in(made["ninjaone"], actions["create_tag"], {"name": "Lobby"})
    options = {"connection": "acme", "idempotencyKey": "order-7"}
    sent = request(made["ninjaone"], {**parameters, "options": options})
    assert sent.query["connection"] == "acme"
    assert sent.headers["Idempotency-Key"] == "order-7"
    assert sent.body == {"name": "Lobby"}
