"""Calls of tools over a sandbox: search, describe, preview, read and write, and what goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.catalog.catalog import Catalog
from connector.common.user_folders import config_folder
from connector.http.messages import Response
from connector.sandbox.halopsa.server import HaloSandbox
from connector.sandbox.ninjaone.server import Sandbox
from tests.fakes import make_unwritable, reply
from tests.loopback import PATIENCE_S
from tests.mcp.conftest import Counting, Serve
from tests.mcp.talk import ERAS, Talk, talk


@pytest.fixture
def server(connected: Serve) -> Iterator[Talk]:
    with talk(connected().sdk) as server:
        yield server


@pytest.fixture
def large(serve: Serve) -> Iterator[Talk]:
    """A conversation over an account with more devices than the limit."""
    with Sandbox(devices=90) as sandbox:
        settings = {"base_url": sandbox.base_url, **sandbox.connection}
        with talk(serve(connections=(saved(settings),)).sdk) as server:
            yield server


def saved(settings: dict[str, str]) -> str:
    """Save a connection and return its name."""
    folder = config_folder() / "connections"
    folder.mkdir(parents=True)
    (folder / "acme.yaml").write_text("".join(f"{name}: {value}\n" for name, value in settings.items()))
    return "acme"


def test_a_search_finds_actions_by_words(server: Talk) -> None:
    found = server.call("search_actions", words="maintenance device").data
    assert {"schedule_maintenance", "cancel_maintenance"} <= {one["name"] for one in found["actions"]}
    assert found["found"] == len(found["actions"])


def test_a_search_finds_the_best_where_no_action_has_all_words(server: Talk) -> None:
    found = server.call("search_actions", words="please reboot device").data
    assert "reboot_device" in [one["name"] for one in found["actions"]]
    assert "No action has all of the words" in found["hint"]
    words = ["run_script", "create_tag", "reboot_device", "schedule_maintenance", "list_users"]
    equally_good = server.call("search_actions", words=" ".join(words)).data["actions"]
    assert [one["name"] for one in equally_good] == words


def test_a_search_without_words_lists_the_areas(server: Talk, catalog: Catalog) -> None:
    areas = server.call("search_actions").data["areas"]
    assert {one["service"] for one in areas} == {"ninjaone"}  # the service of the only connection
    assert sum(one["actions"] for one in areas) == len(catalog.names_of("ninjaone"))


def test_a_long_search_says_that_it_is_cut(server: Talk) -> None:
    found = server.call("search_actions", words="list").data
    assert found["found"] > len(found["actions"]) == 25
    assert "first 25" in found["hint"]


def test_a_description_has_the_inputs_of_the_catalog(server: Talk, catalog: Catalog) -> None:
    described = server.call("describe_action", action="run_script").data
    assert described["inputs"] == catalog.describe("run_script", names=True)
    assert described["effect"] == "write, disruptive"


def test_a_preview_sends_nothing(server: Talk, sandbox: Sandbox) -> None:
    inputs = {"device_id": 1, "display_name": "x"}
    shown = server.call("preview_action", action="update_device", inputs=inputs).data
    assert (shown["method"], shown["body"]) == ("PATCH", {"displayName": "x"})
    assert sandbox.log.requests() == []


@pytest.mark.parametrize("era", ERAS)
def test_reads_and_writes_return_envelopes(connected: Serve, era: str) -> None:
    with talk(connected().sdk, era) as server:
        read = server.call("call_read_action", action="get_device", inputs={"device_id": 1})
        assert (read.is_error, read.data["has_error"], read.data["result"]["id"]) == (False, False, 1)
        inputs = {"device_id": 1, "display_name": "renamed"}
        assert server.call("call_action", action="update_device", inputs=inputs).is_error is False
        read = server.call("call_read_action", action="get_device", inputs={"device_id": 1})
        assert read.data["result"]["displayName"] == "renamed"
        missing = server.call("call_read_action", action="get_device", inputs={"device_id": 9999})
        assert (missing.is_error, missing.data["meta"]["code"]) == (True, "not_found")


def test_a_name_is_found_in_place_of_an_id(server: Talk) -> None:
    found = server.call("call_read_action", action="get_device", inputs={"device_id": "SRV-0001"})
    assert found.data["result"]["systemName"] == "SRV-0001"


@pytest.mark.parametrize(
    ("tool", "arguments", "message"),
    [
        ("call_read_action", {"action": "reboot_device"}, "use call_action. Nothing was sent"),
        ("call_read_action", {"action": "list_device"}, 'no action "list_device" (did you mean'),
        ("call_read_action", {}, 'the argument "action" is required; it must be a text'),
        ("call_read_action", {"action": "get_device", "inputs": "{}"}, '"inputs" must be an object'),
        ("call_read_action", {"action": "list_devices", "limit": 0}, '"limit" must be a positive integer'),
        ("call_read_action", {"action": "get_device", "inputs": {"device": 1}}, 'no input "device"'),
        ("call_read_action", {"action": "get_device", "inputs": {"delay_ms": 1}}, 'no input "delay_ms"'),
        ("call_read_action", {"action": "get_device"}, "device_id"),
        ("preview_action", {"action": "get_device"}, "device_id"),
        ("call_action", {"action": "upload_articles"}, "start the server with --uploads"),
        ("call_action", {"action": "download_article", "inputs": {"article_id": 1}}, "with --files"),
    ],
)
def test_a_wrong_call_is_refused_in_words(
    server: Talk, sandbox: Sandbox, tool: str, arguments: dict[str, Any], message: str
) -> None:
    assert message in server.call(tool, **arguments).error
    assert sandbox.log.requests() == []


def test_an_unknown_tool_is_an_error_of_the_protocol(server: Talk) -> None:
    from mcp.shared.exceptions import MCPError

    with pytest.raises(MCPError, match='no tool "call_actions"'):
        server.call("call_actions", action="list_devices")


def test_a_bug_is_a_result_and_not_an_error_of_the_protocol(
    connected: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr("connector.library.session.Session.invoker", fail)
    with talk(connected().sdk) as server:
        error = server.call("call_read_action", action="list_devices").error
    assert error.startswith("call_read_action failed because of a bug")
    assert "secret detail" not in error


def test_lists_are_cut_and_say_so(large: Talk) -> None:
    server = large
    default = server.call("call_read_action", action="list_devices").data
    assert len(default["result"]) == 50
    assert default["meta"]["truncated"] is True
    assert "Narrow the filter" in default["meta"]["warnings"][-1]
    asked = server.call("call_read_action", action="list_devices", limit=3).data
    assert len(asked["result"]) == 3
    by_input = server.call("call_read_action", action="list_devices", inputs={"limit": 60}).data
    assert len(by_input["result"]) == 60
    few = server.call("call_read_action", action="list_devices", inputs={"filter": "id in (1, 2)"}).data
    assert len(few["result"]) == 2
    assert "truncated" not in few["meta"]
    assert "warnings" not in few["meta"]


def test_lists_without_a_limit_of_the_api_are_cut_too(connected: Serve) -> None:
    with talk(connected(tools=("list_policies", "list_devices")).sdk) as server:
        whole = server.call("list_policies").data["result"]
        cut = server.call("list_policies", limit=1).data
        assert cut["result"] == whole[:1]
        assert f"the first 1 item of {len(whole)}" in cut["meta"]["warnings"][-1]
        assert len(server.call("list_devices", limit=2).data["result"]) == 2
        assert '"limit" must be a positive integer' in server.call("list_policies", limit=-1).error


def test_large_lists_are_cut_by_their_size(large: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connector.mcp.results.MAX_BYTES", 5000)
    data = large.call("call_read_action", action="list_devices").data
    assert 0 < len(data["result"]) < 50
    assert "more would exceed 5,000 bytes" in data["meta"]["warnings"][-1]


def test_a_missing_connection_is_said_and_can_be_added_later(serve: Serve, connection_file: Path) -> None:
    settings = connection_file.read_text()
    connection_file.unlink()
    with talk(serve(connections=(str(connection_file),)).sdk) as server:
        assert "connection.yaml" in server.call("call_read_action", action="list_devices").error
        connection_file.write_text(settings)
        assert server.call("call_read_action", action="list_devices").is_error is False
    with talk(serve().sdk) as server:
        error = server.call("call_read_action", action="halopsa.list_clients").error
        assert "no connection" in error


def test_a_refused_sign_in_is_said_and_not_repeated(
    serve: Serve, connection_file: Path, sandbox: Sandbox
) -> None:
    settings = connection_file.read_text()
    connection_file.write_text(settings.replace("client_secret: ", "client_secret: wrong"))
    with talk(serve(connections=(str(connection_file),)).sdk) as server:
        for _ in range(3):
            assert "signing in at" in server.call("call_read_action", action="list_devices").error
    assert len(sandbox.log.signins()) == 1


def test_both_services_have_their_connections(serve: Serve, connection_file: Path, tmp_path: Path) -> None:
    with HaloSandbox() as halo:
        file = tmp_path / "halo.yaml"
        settings = {"service": "halopsa", **halo.connection}
        file.write_text("".join(f"{name}: {value}\n" for name, value in settings.items()))
        with talk(serve(connections=(str(connection_file), str(file))).sdk) as both:
            for action in ("list_organizations", "halopsa.list_clients"):
                assert both.call("call_read_action", action=action).is_error is False
        with talk(serve(connections=(str(file),), service="halopsa").sdk) as only:
            assert only.call("call_read_action", action="list_clients").is_error is False
            assert "no action" in only.call("call_read_action", action="list_organizations").error


def test_files_are_saved_in_their_folder(connected: Serve, tmp_path: Path) -> None:
    with talk(connected(files=tmp_path).sdk) as server:
        found = server.call("call_read_action", action="download_article", inputs={"article_id": 1})
        assert Path(found.data["result"]["path"]).parent == tmp_path


@pytest.mark.parametrize("era", ERAS)
def test_a_cancelled_call_is_finished_and_the_next_one_works(
    counted: tuple[Serve, Counting], era: str
) -> None:
    serve, transport = counted
    began, released = threading.Event(), threading.Event()

    def answer(*_: object) -> Response:
        began.set()
        assert released.wait(PATIENCE_S)
        return reply({})

    transport.answers.append(answer)
    change = {"action": "update_device", "inputs": {"device_id": 1, "display_name": "x"}}
    server = serve()
    with talk(server.sdk, era) as client:
        call = client.portal.start_task_soon(client.client.call_tool, "call_action", change)
        assert began.wait(PATIENCE_S)
        call.cancel()
        released.set()
        assert client.call("call_action", **change).is_error is False
    server.close()
    assert [method for method, _, _ in transport.sent] == ["PATCH", "PATCH"]


def test_an_audit_log_that_cannot_be_written_says_whether_the_request_was_sent(
    connected: Serve, sandbox: Sandbox, tmp_path: Path
) -> None:
    audit, change = tmp_path / "audit.jsonl", {"device_id": 1, "display_name": "x"}
    sandbox.before_response(lambda _: make_unwritable(audit))
    server = connected(audit=audit)
    with talk(server.sdk) as client:
        said = [client.call("call_action", action="update_device", inputs=change).error for _ in range(2)]
    assert "The request was sent: check whether it took effect" in said[0]
    assert said[1].endswith("Nothing was sent")
    assert [request["method"] for request in sandbox.log.requests()] == ["PATCH"]
    audit.rmdir()  # the missing line can be written when the server ends


def test_text_that_is_not_unicode_is_replaced() -> None:
    from connector.mcp.results import tool_result

    found = tool_result({"result": ["x\ud800y", 1.5]})
    assert found.structured_content == {"result": ["x?y", 1.5]}
    assert "x?y" in found.model_dump_json()
