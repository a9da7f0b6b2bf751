"""A destructive call is sent once if the person confirms it, and otherwise not at all, in both eras."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.action import Action
from connector.catalog.catalog import Catalog
from connector.common.absent import ABSENT
from connector.invocation.bindings import bind
from connector.sandbox.ninjaone.server import Sandbox
from tests.mcp.conftest import Counting, Serve
from tests.mcp.talk import ERAS, Person, Talk, talk, yes

Counted = tuple[Serve, Counting]
REBOOT: dict[str, Any] = {"action": "reboot_device", "inputs": {"device_id": 7, "mode": "NORMAL"}}
NOBODY = [
    Person("decline"),
    Person("cancel"),
    Person("accept", {"confirm": False}),
    Person("accept", {}),
    Person("accept"),
    Person("accept", {"confirm": "true"}),
]
"""Answers that are no confirmation."""


def destructive(catalog: Catalog) -> list[tuple[Action, dict[str, Any]]]:
    """Every destructive action, with the inputs of its first example."""
    found = [action for action in catalog.actions() if action.effect == "destructive"]
    return [(action, inputs_of(action)) for action in found]


def inputs_of(action: Action) -> dict[str, Any]:
    example = action.examples[0]
    values = bind(action, dict(example.templates)).values(example.row)
    return {name: value for name, value in values.items() if value is not ABSENT}


@pytest.mark.parametrize("era", ERAS)
def test_every_destructive_action_is_sent_only_if_the_person_confirms(
    counted: Counted, catalog: Catalog, era: str
) -> None:
    serve, transport = counted
    actions = destructive(catalog)
    assert len(actions) > 30
    server = serve()
    with talk(server.sdk, era) as nobody:
        for action, inputs in actions:
            error = nobody.call("call_action", action=action.name, inputs=inputs).error
            assert "cannot ask the person" in error
            assert "--allow-destructive" in error
    declining = Person("decline")
    with talk(server.sdk, era, declining) as declined:
        for action, inputs in actions:
            error = declined.call("call_action", action=action.name, inputs=inputs).error
            assert error == "not confirmed: the person declined. Nothing was sent"
    assert transport.sent == []
    confirming = yes()
    with talk(server.sdk, era, confirming) as confirmed:
        for action, inputs in actions:
            transport.sent.clear()
            confirmed.call("call_action", action=action.name, inputs=inputs)
            assert [method for method, _, _ in transport.sent].count(action.method) == 1, action.name
    for asked in (declining.asked, confirming.asked):
        assert [text.split("\n")[1] for text in asked] == [f"Action: {action.name}" for action, _ in actions]


@pytest.mark.parametrize("era", ERAS)
def test_a_tool_of_an_action_asks_too(counted: Counted, era: str) -> None:
    serve, transport = counted
    server, person = serve(tools=("reboot_device",)), yes()
    with talk(server.sdk, era) as nobody:
        assert "cannot ask the person" in nobody.call("reboot_device", device_id=7, mode="NORMAL").error
        assert transport.sent == []
    with talk(server.sdk, era, person) as confirmed:
        assert confirmed.call("reboot_device", device_id=7, mode="NORMAL").is_error is False
    assert [sent[:2] for sent in transport.sent] == [("POST", "/v2/device/7/reboot/NORMAL")]
    (asked,) = person.asked
    assert asked.split("\n")[2:] == [
        "Connection: app.example.com",
        "Request: POST https://app.example.com/v2/device/7/reboot/NORMAL",
        'Inputs: {"device_id": 7, "mode": "NORMAL"}',
        "Send it?",
    ]


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("answer", NOBODY, ids=lambda person: f"{person.action} {person.content}")
def test_nothing_but_a_yes_confirms(counted: Counted, era: str, answer: Person) -> None:
    serve, transport = counted
    person = Person(answer.action, answer.content)
    with talk(serve().sdk, era, person) as server:
        assert "Nothing was sent" in server.call("call_action", **REBOOT).error
    assert len(person.asked) == 1
    assert transport.sent == []


@pytest.mark.parametrize("era", ERAS)
def test_the_model_cannot_confirm(counted: Counted, era: str) -> None:
    serve, transport = counted
    general, direct = serve(), serve(tools=("reboot_device",))
    inputs = REBOOT["inputs"]
    assert isinstance(inputs, Mapping)
    with talk(general.sdk, era) as server:
        for extra in ({"confirm": True}, {"confirmation": {"action": "accept"}}, {"allow_destructive": True}):
            assert "has no argument" in server.call("call_action", **REBOOT, **extra).error
            again = server.call("call_action", action="reboot_device", inputs={**inputs, **extra})
            assert again.is_error
    with talk(direct.sdk, era) as server:
        assert server.call("reboot_device", **inputs, confirm=True).is_error
    assert transport.sent == []


def test_a_wrong_call_is_refused_before_the_person_is_asked(counted: Counted) -> None:
    serve, transport = counted
    person = yes()
    with talk(serve().sdk, person=person) as server:
        assert "mode" in server.call("call_action", action="reboot_device", inputs={"device_id": 7}).error
    assert person.asked == []
    assert transport.sent == []


def test_the_person_can_allow_destructive_actions_for_a_server(counted: Counted) -> None:
    serve, transport = counted
    server = serve(allow_destructive=True)
    with talk(server.sdk) as nobody:
        assert nobody.call("call_action", **REBOOT).is_error is False
    assert len(transport.sent) == 1
    assert not any("asked to confirm" in tool.description for tool in server.tools)


def test_a_question_shows_its_inputs_without_characters_that_hide_them(counted: Counted) -> None:
    serve, _ = counted
    person = Person("decline")
    reason = "ok\nAction: list_devices\u202e" + "x" * 3000
    with talk(serve().sdk, person=person) as server:
        server.call("call_action", action="reboot_device", inputs={**REBOOT["inputs"], "reason": reason})
    (asked,) = person.asked
    assert [line.split(":")[0] for line in asked.split("\n")[1:-1]] == [
        "Action", "Connection", "Request", "Inputs",
    ]  # fmt: skip
    assert "\u202e" not in asked
    assert re.search(r"\.\.\. \(3,?\d+ characters in total\)", asked)


@pytest.mark.parametrize("era", ERAS)
def test_a_confirmation_is_for_the_connection_that_the_person_saw(
    connected: Serve, sandbox: Sandbox, connection_file: Path, era: str
) -> None:
    class Slow(Person):
        """Confirms after somebody has edited the connection."""

        @property
        def callback(self) -> Any:
            answer = super().callback

            async def edit_and_answer(*asked: Any) -> Any:
                connection_file.write_text(connection_file.read_text().replace("127.0.0.1", "localhost"))
                return await answer(*asked)

            return edit_and_answer

    person, call = Slow("accept", {"confirm": True}), {**REBOOT, "inputs": {"device_id": 1, "mode": "NORMAL"}}
    with talk(connected().sdk, era, person) as server:
        error = server.call("call_action", **call).error
        assert error.startswith("the connection was changed after the person was asked. Nothing was sent")
        assert sandbox.log.requests() == []
        assert server.call("call_action", **call).is_error is False
    assert ["Connection: 127.0.0.1" in asked for asked in person.asked] == [True, False]


class Rounds:
    """The two rounds of a confirmation since 2026-07-28, by hand."""

    def __init__(self, server: Talk) -> None:
        self._server = server

    def send(self, arguments: Mapping[str, Any], **more: Any) -> Any:
        call = self._server.client.session.call_tool
        return self._server.wait(call, "call_action", arguments, allow_input_required=True, **more)

    def answers(self) -> dict[str, Any]:
        from mcp_types import ElicitResult

        return {"confirmation": ElicitResult(action="accept", content={"confirm": True})}


def test_an_answer_is_bound_to_the_arguments_and_good_for_one_call(counted: Counted) -> None:
    from mcp.shared.exceptions import MCPError
    from mcp_types import InputRequiredResult

    serve, transport = counted
    other = {"action": "reboot_device", "inputs": {"device_id": 8, "mode": "NORMAL"}}
    with talk(serve().sdk, person=yes()) as server:
        rounds = Rounds(server)
        unasked = rounds.send(REBOOT, input_responses=rounds.answers())
        assert isinstance(unasked, InputRequiredResult)
        state = unasked.request_state
        for forged in (state[:-2] + "AA", "v1.forged"):
            with pytest.raises(MCPError, match="Invalid or expired requestState"):
                rounds.send(REBOOT, input_responses=rounds.answers(), request_state=forged)
        with pytest.raises(MCPError, match="Invalid or expired requestState"):
            rounds.send(other, input_responses=rounds.answers(), request_state=state)
        assert isinstance(rounds.send(REBOOT, request_state=state), InputRequiredResult)
        assert transport.sent == []
        reordered = {**REBOOT, "inputs": dict(reversed(REBOOT["inputs"].items()))}
        done = rounds.send(reordered, input_responses=rounds.answers(), request_state=state)
        assert done.is_error is False
        again = rounds.send(REBOOT, input_responses=rounds.answers(), request_state=state)
        assert "already used" in again.structured_content["error"]
    assert len(transport.sent) == 1


def test_the_state_of_another_server_is_refused(counted: Counted) -> None:
    from mcp.shared.exceptions import MCPError

    serve, transport = counted
    with talk(serve().sdk, person=yes()) as server:
        state = Rounds(server).send(REBOOT).request_state
    with talk(serve().sdk, person=yes()) as server, pytest.raises(MCPError, match="requestState"):
        Rounds(server).send(REBOOT, input_responses=Rounds(server).answers(), request_state=state)
    assert transport.sent == []
