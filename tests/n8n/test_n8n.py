"""The real n8n runs every operation over `ninjaone serve` and the sandboxes. `make n8n` installs it."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import requests

from connector.callers.keys import Keys, Rights
from connector.catalog.action import EFFECTS, Action
from connector.common.package_data import actions_folder
from connector.invocation.bindings import bind
from connector.sandbox.halopsa.server import HaloSandbox
from connector.sandbox.ninjaone.server import Sandbox
from integrations.n8n.generator.node import Node, nodes
from tests.fakes import wait_until
from tests.halopsa.sandboxes import fill
from tests.kept_catalog import CATALOG
from tests.n8n import host
from tests.n8n.host import PATIENCE_S, N8n, items, node, webhook, workflow
from tests.n8n.routing import filled_in
from tests.serve.web import ALL, serving

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not host.IS_INSTALLED, reason="n8n is not installed: run make n8n"),
]
AREAS = sorted({(path.parts[-3], path.parts[-2]) for path in actions_folder().glob("*/*/*.yaml")})


@cache
def actions() -> list[Action]:
    return list(CATALOG.actions())


@cache
def node_of(service: str) -> Node:
    return next(made for made in nodes(CATALOG) if made.service == service)


@dataclass
class World:
    """The sandboxes, the server over them, and n8n."""

    ninja: Sandbox
    halo: HaloSandbox
    address: str
    key: str
    reader: str
    n8n: N8n

    def sent(self) -> list[str]:
        """The API requests of both services since the logs were cleared."""
        logged = [*self.ninja.log.requests(), *self.halo.log.requests()]
        return [f"{one['method']} {one['path']}" for one in logged if "/auth" not in one["path"]]

    def run(self, id: str) -> dict[str, Any]:
        """Execute a workflow; the logs have its API requests afterwards."""
        self.ninja.log.clear("requests")
        self.halo.log.clear("requests")
        return self.n8n.execute(id)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built package."""
    folder = tmp_path_factory.mktemp("n8n") / "package"
    host.copy_sources(folder)
    built = host.tool(folder, "build")
    assert built.returncode == 0, built.stdout
    return folder


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, package: Path) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    names = {
        "XDG_CACHE_HOME": "",
        "XDG_STATE_HOME": "state",
        "XDG_CONFIG_HOME": "config",
        "XDG_DATA_HOME": "d",
    }
    state = {name: str(folder / "home" / part) for name, part in names.items()}
    keys = Keys(folder / "home" / "config" / "ninjaone-connector")
    key, reader = keys.add("n8n", ALL, "2026-11-29"), keys.add("reader", Rights(), "2026-11-29")
    uploads = folder / "uploads"
    uploads.mkdir()
    for action in actions():
        for example in action.examples:
            for name, content in example.files.items():
                (uploads / name).write_text(content)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    n8n = N8n(folder / "user", package, port)
    with Sandbox() as ninja, HaloSandbox() as halo:
        fill(halo)
        options = ["--uploads", str(uploads), "--files", str(folder)]
        for name, box in (("ninja", ninja), ("halo", halo)):
            path = folder / f"{name}.yaml"
            path.write_text("".join(f"{setting}: {value}\n" for setting, value in box.connection.items()))
            options += ["--connection", str(path)]
        with serving(*options, **state) as server:
            n8n.connect(server.address, key)
            n8n.add(
                [*map(area_workflow, AREAS), behavior(), stopped(), many(), canceled(), after(), retried()]
            )
            yield World(ninja, halo, server.address, key, reader, n8n)


def examples_of(action: Action) -> Iterator[tuple[str, Mapping[str, Any], list[str]]]:
    """The name, the parameters and the API requests of each example that a form can express."""
    for number, example in enumerate(action.examples, start=1):
        if not any(isinstance(text, dict) and "empty" in text for text in example.templates.values()):
            values = bind(action, example.templates).values(example.row)
            sends = [f"{one['method']} {one['path']}" for one in example.sends]
            yield f"{action.own_name} {number}", filled_in(node_of(action.service), action, values), sends


def of_area(area: tuple[str, str]) -> list[Action]:
    found = [action for action in actions() if (action.service, action.area) == area]
    return sorted(found, key=lambda action: EFFECTS.index(action.effect))


def area_workflow(area: tuple[str, str]) -> dict[str, Any]:
    """A workflow with a node for each example of an area's actions: reads first, destructive ones last."""
    service = node_of(area[0]).name
    made = [
        node(name, service, parameters, onError="continueRegularOutput")
        for action in of_area(area)
        for name, parameters, _ in examples_of(action)
    ]
    return workflow("-".join(area), made)


def behavior() -> dict[str, Any]:
    """What differs from a plain call: errors that do not stop, times, names, confirmation, choices, lists."""
    devices = {"resource": "devices"}
    reboot = {**devices, "operation": "reboot_device", "device_id": "1", "mode": "NORMAL"}
    until = {"device_id": "1", "disabled_features": ["ALERTS"], "end": "2036-07-01T00:00:00"}
    organization = {"resource": "organizations_locations", "operation": "create_organization", "name": "New"}
    going_on = {"onError": "continueRegularOutput"}
    made = [
        node("missing", "ninjaOne", {**devices, "operation": "get_device", "device_id": "999"}, **going_on),
        node("unconfirmed", "ninjaOne", reboot, **going_on),
        node("confirmed by text", "ninjaOne", {**reboot, "confirm": "={{ 'true' }}"}, **going_on),
        node("window", "ninjaOne", {**devices, "operation": "schedule_maintenance", **until}),
        node("bad json", "ninjaOne", {**organization, "additionalFields": {"policies": "[1"}}, **going_on),
        node(
            "named",
            "ninjaOne",
            {**organization, "operation": "get_organization", "organization_id": "Alder Dental"},
        ),
        node("list", "ninjaOne", {**devices, "operation": "list_devices", "additionalFields": {"limit": 3}}),
    ]
    return workflow("behavior", made)


def stopped() -> dict[str, Any]:
    parameters = {"resource": "devices", "operation": "get_device", "device_id": "999"}
    return workflow("stopped", [node("missing", "ninjaOne", parameters)])


def many() -> dict[str, Any]:
    """More items than the server accepts at once: n8n itself would send all of them."""
    forty = {"mode": "raw", "jsonOutput": json.dumps({"ids": [1] * 40}), "options": {}}
    split = {"fieldToSplitOut": "ids", "options": {}}
    made = [
        {"name": "forty", "type": "n8n-nodes-base.set", "typeVersion": 3.4, "parameters": forty},
        {"name": "split", "type": "n8n-nodes-base.splitOut", "typeVersion": 1, "parameters": split},
        node(
            "get",
            "ninjaOne",
            {"resource": "devices", "operation": "get_device", "device_id": "={{ $json.ids }}"},
        ),
    ]
    return workflow("many", made, chained=True)


def canceled() -> dict[str, Any]:
    """As `many`, and started by a webhook, which responds at once."""
    found = many()
    nodes, trigger = found["nodes"][1:], webhook("canceled", responds="onReceived")
    return workflow("canceled", nodes, chained=True, trigger=trigger)


def after() -> dict[str, Any]:
    """One item, started by a webhook, which responds after it."""
    get = {"resource": "devices", "operation": "get_device", "device_id": "2"}
    return workflow("after", [node("get", "ninjaOne", get)], trigger=webhook("after", responds="lastNode"))


def retried() -> dict[str, Any]:
    """Three items whose changes are sent again by n8n if one of them fails."""
    three = {"mode": "raw", "jsonOutput": '{"names": ["Lobby", "Attic", "Cellar"]}', "options": {}}
    split = {"fieldToSplitOut": "names", "options": {}}
    tag = {"resource": "itam_licenses", "operation": "create_tag", "name": "={{ $json.names }}"}
    made = [
        {"name": "three", "type": "n8n-nodes-base.set", "typeVersion": 3.4, "parameters": three},
        {"name": "split", "type": "n8n-nodes-base.splitOut", "typeVersion": 1, "parameters": split},
        node("tag", "ninjaOne", tag, retryOnFail=True, maxTries=3, waitBetweenTries=10),
    ]
    return workflow("retried", made, chained=True)


def test_the_linter_of_n8n_finds_nothing(package: Path) -> None:
    linted = host.tool(package, "lint")
    assert linted.returncode == 0, linted.stdout
    assert "problem" not in linted.stdout


@pytest.mark.parametrize("area", AREAS, ids="/".join)
def test_all_operations_of_an_area(world: World, area: tuple[str, str]) -> None:
    execution = world.run("-".join(area))
    assert execution["status"] == "success"
    expected = []
    for action in of_area(area):
        for name, _, sends in examples_of(action):
            expected += sends
            errors = [one["json"]["error"] for one in items(execution, name) if set(one["json"]) == {"error"}]
            assert errors == [], name
    assert without_ids(world.sent()) == without_ids(expected)


def without_ids(requests: list[str]) -> list[str]:
    """API requests without their numbers, as those of new records are not known."""
    return sorted(re.sub("[0-9]+", "N", one) for one in requests)


def test_errors_times_names_and_lists(world: World) -> None:
    execution = world.run("behavior")
    assert execution["status"] == "success"

    def error(name: str) -> str:
        (one,) = items(execution, name)
        return str(one["json"]["error"])

    assert "the API answered 404: device_not_found" in error("missing")
    assert "reboot_device is destructive" in error("unconfirmed")
    assert "reboot_device is destructive" in error("confirmed by text")
    assert "policies: not JSON" in error("bad json")
    assert [one["json"]["name"] for one in items(execution, "named")] == ["Alder Dental"]
    assert [one["json"]["id"] for one in items(execution, "list")] == [1, 2, 3]
    assert items(execution, "window")[0]["json"] == {"success": True}
    (window,) = [one for one in world.ninja.log.requests() if one["path"].endswith("/maintenance")]
    assert window["body"]["end"] == "2036-06-30T22:00:00Z"  # midnight in Berlin
    assert not [one for one in world.sent() if "reboot" in one]


def test_an_error_stops_the_workflow_with_the_message_of_the_server(world: World) -> None:
    execution = world.run("stopped")
    assert execution["status"] == "error"
    error = execution["data"]["resultData"]["error"]
    assert error["name"] == "NodeApiError"
    assert (error["httpCode"], error["description"]) == ("404", "not_found")
    assert "Check the ids in this row" in error["message"]


def test_many_items_are_all_accepted(world: World) -> None:
    world.ninja.set_faults(rates={"slow": 1.0})
    execution = world.run("many")
    world.ninja.set_faults(rates={})
    assert execution["status"] == "success"
    assert [one["json"]["id"] for one in items(execution, "get")] == [1] * 40


def test_a_canceled_execution_sends_none_of_its_waiting_items(world: World) -> None:
    """The items of the next execution come after those that were waiting, and are sent."""
    for id in ("canceled", "after"):
        world.n8n.publish(id)
    goes_on = Event()
    world.ninja.before_response(lambda _: goes_on.wait(PATIENCE_S))
    world.ninja.log.clear("requests")
    with world.n8n.started() as n8n:
        try:
            n8n.trigger("canceled")
            wait_until(lambda: len(world.ninja.log.requests()) == 8, PATIENCE_S)
            n8n.cancel("canceled")
        finally:
            goes_on.set()
        assert n8n.trigger("after")["id"] == 2
    paths = [one["path"] for one in world.ninja.log.requests()]
    assert paths == ["/v2/device/1"] * 8 + ["/v2/device/2"]


def test_retry_on_fail_sends_nothing_twice(world: World) -> None:
    refusal = {"fault": "answer", "status": 429, "headers": {"Retry-After": "3600"}}
    world.ninja.set_faults(queue=[None, refusal])
    execution = world.run("retried")
    world.ninja.set_faults(queue=[])
    assert execution["status"] == "success"
    assert sorted(one["json"]["name"] for one in items(execution, "tag")) == ["Attic", "Cellar", "Lobby"]
    statuses = [one["status"] for one in world.ninja.log.requests() if one["method"] == "POST"]
    assert sorted(statuses) == [200, 200, 200, 429]
    again = world.run("retried")  # another execution is another change
    assert again["status"] == "error"
    assert len([one for one in world.sent() if one.startswith("POST")]) > 0


def test_the_credential_is_tested_by_a_route_that_needs_the_key(world: World, package: Path) -> None:
    script = (
        "const all = require('./dist/credentials/NinjaOneConnectorApi.credentials.js');"
        "console.log(JSON.stringify(new all.NinjaOneConnectorApi().test.request));"
    )
    tested = json.loads(host.run([host.NODE / "node", "-e", script], cwd=package).stdout)

    def status(key: str) -> int:
        headers = {"Authorization": f"Bearer {key}"}
        return requests.get(
            f"{world.address}{tested['url']}", tested["qs"], headers=headers, timeout=60
        ).status_code

    assert (status(world.key), status(world.reader), status("wrong")) == (200, 200, 401)
