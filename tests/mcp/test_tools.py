"""The tools that a server lists: names, schemas and hints, of all actions."""

from __future__ import annotations

import re

import pytest
from jsonschema import Draft202012Validator

from connector.catalog.catalog import Catalog
from connector.catalog.input_schema import conditions
from connector.errors import RunError
from tests.mcp.conftest import Serve
from tests.mcp.talk import ERAS, talk

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""What every model API takes as the name of a tool."""


@pytest.mark.parametrize("era", ERAS)
def test_the_general_tools_have_hints_and_schemas(serve: Serve, era: str) -> None:
    with talk(serve().sdk, era) as server:
        tools = server.tools()
    hints = {
        name: (tool.annotations.read_only_hint, tool.annotations.destructive_hint)
        for name, tool in tools.items()
    }
    assert hints == {
        "search_actions": (True, False),
        "describe_action": (True, False),
        "preview_action": (True, False),
        "call_read_action": (True, False),
        "call_action": (False, True),
    }
    for tool in tools.values():
        Draft202012Validator.check_schema(tool.input_schema)
        assert tool.input_schema["additionalProperties"] is False
        assert tool.description


def test_every_action_can_be_a_tool(serve: Serve, catalog: Catalog) -> None:
    of_all = serve(tools=("*",)).sdk
    with talk(of_all, "2025-11-25") as server, talk(of_all) as newer:
        tools = server.tools()
        assert newer.tools() == tools
    assert len(tools) == len(catalog.names)
    for action in catalog.actions():
        tool = tools[action.name.replace(".", "_")]
        assert NAME.fullmatch(tool.name)
        Draft202012Validator.check_schema(tool.input_schema)
        assert not {"allOf", "anyOf", "oneOf"} & set(tool.input_schema)
        described = catalog.describe(action.name, names=True)
        assert set(tool.input_schema["properties"]) - {"limit"} == set(described["properties"]) - {"limit"}
        assert ("limit" in tool.input_schema["properties"]) == action.returns_list
        assert tool.input_schema["required"] == described["required"]
        hints = tool.annotations
        assert hints.read_only_hint is (action.effect == "read")
        assert hints.destructive_hint is (action.effect == "destructive")
        assert hints.idempotent_hint is action.idempotent
        assert all(text in tool.description for text in conditions(described))
        assert ("asked to confirm" in tool.description) == (action.effect == "destructive")


def test_areas_and_names_select_tools(serve: Serve, catalog: Catalog) -> None:
    server = serve(tools=("get_device",), areas=("halopsa/tickets",), read_only=True)
    expected = {"get_device"} | {
        action.name.replace(".", "_")
        for action in catalog.actions("halopsa")
        if action.area == "tickets" and action.effect == "read"
    }
    assert {tool.name for tool in server.tools} == expected
    assert len(expected) > 1


def test_two_actions_whose_tools_have_the_same_name_are_refused(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    from connector.mcp import offer

    monkeypatch.setattr(offer, "tool_name", lambda action: action.area)
    with pytest.raises(RunError, match="have the same tool name"):
        serve(areas=("devices",))


def test_a_read_only_server_has_no_tool_that_writes(serve: Serve) -> None:
    with talk(serve(read_only=True).sdk) as server:
        assert "call_action" not in server.tools()
        assert 'no action "reboot_device"' in server.call("describe_action", action="reboot_device").error


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tools": ("list_devises",)}, '--tools: no action "list_devises" (did you mean "list_devices"?)'),
        ({"areas": ("device",)}, '--areas: no area "device" (did you mean "devices"?)'),
        ({"service": "acme"}, 'no service "acme"'),
    ],
)
def test_a_name_that_does_not_exist_is_refused_at_the_start(
    serve: Serve, settings: dict[str, object], message: str
) -> None:
    with pytest.raises(RunError, match=re.escape(message)):
        serve(**settings)
