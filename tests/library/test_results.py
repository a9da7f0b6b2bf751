"""The results of a run: lazy, in order, and complete for each row, wherever the program stops."""

from __future__ import annotations

import gc
import json
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector import ActionError, NinjaOne, RunError
from connector.client.client import Client
from connector.sandbox.ninjaone.server import Sandbox
from tests.fakes import wait_until
from tests.library.conftest import paths
from tests.loopback import PATIENCE_S, Server, Talk

PAGE, DEVICES = 1000, 10_000


def devices(drawn: list[int], *numbers: int) -> Iterator[dict[str, int]]:
    """Rows of devices; `drawn` gets the number of each row that is read."""
    for number in numbers:
        drawn.append(number)
        yield {"device_id": number}


def row_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("rows")]


def test_one_at_a_time_a_row_is_read_and_sent_when_its_envelope_is_asked_for(
    ninja: NinjaOne, sandbox: Sandbox
) -> None:
    drawn: list[int] = []
    results = ninja.run("get_device", devices(drawn, 1, 2, 3))
    assert (drawn, paths(sandbox)) == ([], [])
    assert next(results).result["id"] == 1
    assert (drawn, paths(sandbox)) == ([1], ["GET /v2/device/1"])
    assert [envelope.row for envelope in results] == [2, 3]
    assert list(results) == []


@pytest.mark.parametrize("concurrency", [1, 4])
def test_every_row_has_its_envelope_in_order(ninja: NinjaOne, concurrency: int) -> None:
    rows: list[Any] = [{"device_id": 1, "name": "x"}, {"device_id": 9999}, 5, {"device_id": object()}, {}]
    rows += [{"device_id": n, "delay_ms": "an ordinary column"} for n in range(1, 21)]
    found = list(ninja.run("get_device", rows, concurrency=concurrency, keep_row=True))
    assert [envelope.row for envelope in found] == list(range(1, 26))
    codes = [None, "not_found", "input_invalid", "input_invalid", "input_invalid"]
    assert [envelope.meta["code"] for envelope in found] == codes + [None] * 20
    assert found[0].input == {"device_id": 1, "name": "x"}
    assert "a row must be a mapping, and this one is of the type int" in str(found[2].error)
    assert "device_id: a value of the type object cannot be converted to JSON" in str(found[3].error)
    wait_until(lambda: row_threads() == [])


def test_in_parallel_no_more_rows_are_read_than_are_in_progress(ninja: NinjaOne) -> None:
    drawn: list[int] = []
    with ninja.run("get_device", devices(drawn, *range(1, 21)), concurrency=3) as results:
        for read in range(1, 6):
            assert next(results).row == read
            assert len(drawn) <= read + 2


@pytest.mark.parametrize("concurrency", [1, 3])
def test_a_list_gives_an_envelope_for_each_item(ninja: NinjaOne, concurrency: int) -> None:
    rows = [{"limit": 2}, {"limit": 1}]
    found = list(ninja.run("list_devices", rows, results="each", concurrency=concurrency))
    assert [(e.row, e.meta["item"], e.meta["last"]) for e in found] == [
        (1, 1, False),
        (1, 2, True),
        (2, 1, True),
    ]


@pytest.mark.parametrize("concurrency", [1, 3])
def test_an_error_in_the_rows_follows_the_envelopes_before_it(ninja: NinjaOne, concurrency: int) -> None:
    def broken() -> Iterator[dict[str, int]]:
        yield from devices([], 1, 2)
        raise OSError("the disk is gone")

    results = ninja.run("get_device", broken(), concurrency=concurrency)
    assert [next(results).row, next(results).row] == [1, 2]
    with pytest.raises(OSError, match="the disk is gone"):
        next(results)
    wait_until(lambda: row_threads() == [])


@pytest.mark.parametrize("concurrency", [1, 3])
def test_a_run_that_stops_ends_with_the_rows_in_progress(
    ninja: NinjaOne, sandbox: Sandbox, concurrency: int
) -> None:
    results = ninja.run("get_device", devices([], *range(1, 26)), concurrency=concurrency)
    found = [next(results).row]
    stopper = threading.Thread(target=results.stop)
    stopper.start()
    stopper.join()
    found += [envelope.row for envelope in results]
    assert found == list(range(1, len(found) + 1))
    assert len(found) == len(sandbox.log.requests()) <= concurrency
    wait_until(lambda: row_threads() == [])


@pytest.mark.parametrize("leave", ["close", "with", "session", "drop"])
def test_a_program_that_stops_early_leaves_nothing_in_progress(tmp_path: Path, leave: str) -> None:
    audit = tmp_path / "audit.jsonl"
    with Sandbox(latency_ms=20) as sandbox:
        ninja = NinjaOne(**sandbox.connection, delay_ms=0, audit=audit)
        results: Any = ninja.run("get_device", devices([], *range(1, 26)), concurrency=3)
        next(results)
        if leave == "close":
            results.close()
            results.close()
        elif leave == "with":
            with results:
                next(results)
        elif leave == "session":
            with ninja:
                pass
        else:
            del results
            gc.collect()
        sent = len(sandbox.log.requests())
        assert 1 <= sent <= 4
        lines = [json.loads(line) for line in audit.read_text("utf-8").splitlines()]
        assert [line["status"] for line in lines] == [200] * sent
        wait_until(lambda: row_threads() == [])


@pytest.mark.parametrize("leave", ["stop", "close", "drop"])
def test_a_row_that_would_wait_long_is_cancelled_when_a_program_stops(sandbox: Sandbox, leave: str) -> None:
    """If it were not, the second row would be sent half a minute later."""
    ninja = NinjaOne(**sandbox.connection, delay_ms=30_000)
    results: Any = ninja.run("get_device", devices([], 1, 2, 3), concurrency=2)
    assert next(results).row == 1
    if leave == "stop":
        results.stop()
        assert [envelope.meta["code"] for envelope in results] == ["cancelled"]
    elif leave == "close":
        results.close()
    else:
        del results
        gc.collect()
    assert paths(sandbox) == ["GET /v2/device/1"]
    wait_until(lambda: row_threads() == [])


def test_another_thread_closes_a_run_that_waits(sandbox: Sandbox) -> None:
    """If it did not, both threads would wait half a minute."""
    ninja, drawn, codes = NinjaOne(**sandbox.connection, delay_ms=30_000), list[int](), list[Any]()
    is_second = threading.Event()

    def rows() -> Iterator[dict[str, int]]:
        yield from devices(drawn, 1)
        is_second.set()
        yield from devices(drawn, 2, 3)

    results = ninja.run("get_device", rows())
    reader = threading.Thread(target=lambda: codes.extend(envelope.meta["code"] for envelope in results))
    reader.start()
    assert is_second.wait(PATIENCE_S)
    results.close()
    reader.join(PATIENCE_S)
    assert codes in ([None, "cancelled"], [None])  # closed before the thread can ask for the second one
    assert paths(sandbox) == ["GET /v2/device/1"]


@pytest.mark.parametrize("leave", ["close", "with", "session"])
def test_a_run_that_was_never_read_is_closed(
    sandbox: Sandbox, leave: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ninja, closed = NinjaOne(**sandbox.connection, delay_ms=0), list[Client]()
    results = ninja.run("get_device", [{"device_id": 1}])
    monkeypatch.setattr(Client, "close", lambda client: closed.append(client))
    if leave == "with":
        with results:
            pass
    else:
        (results if leave == "close" else ninja).close()
    assert results._client in closed
    assert list(results) == []
    assert paths(sandbox) == []


def test_the_end_of_a_run_and_of_a_session_closes_their_connections() -> None:
    with Server((many_devices,)) as server:
        settings = {"client_id": "many", "client_secret": "a-secret-of-many"}
        ninja = NinjaOne(base_url=server.base_url, **settings, delay_ms=0)
        results = ninja.run("get_device", devices([], 1, 2))
        assert len(list(results)) == 2
        _, *talks = server._threads
        ninja.call("get_device", device_id=1)
        ninja.close()
        for talk in (*talks, *server._threads[1:]):
            talk.join(PATIENCE_S)
            assert not talk.is_alive()


def test_a_run_needs_an_action_templates_and_a_concurrency_that_are_right(
    ninja: NinjaOne, sandbox: Sandbox
) -> None:
    for action, templates, concurrency, message in (
        ("get_devic", None, 1, "no action"),
        ("get_device", {"device_id": "{{ a"}, 1, "device_id: template, line 1"),
        ("get_device", {"device_idd": "1"}, 1, 'no input "device_idd"'),
        ("get_device", None, 0, "concurrency must be an integer between 1 and 256"),
    ):
        with pytest.raises(RunError, match=message):
            ninja.run(action, [], templates=templates, concurrency=concurrency)
    ninja.close()
    with pytest.raises(RunError, match="the session is closed"):
        ninja.run("get_device", [])
    assert paths(sandbox) == []


def many_devices(talk: Talk) -> None:
    """Answer with the pages of a list of `DEVICES` devices."""
    while request := talk.read():
        if "token" in request.line:
            talk.answer(b'{"access_token": "a-token-of-many-devices", "expires_in": 3600}')
            continue
        after = int(request.target.partition("after=")[2].partition("&")[0] or 0)
        page = range(after + 1, min(after + PAGE, DEVICES) + 1)
        talk.answer(
            json.dumps([{"id": n, "systemName": f"PC-{n}", "notes": "x" * 200} for n in page]).encode()
        )


def test_a_long_list_is_read_page_by_page_with_flat_memory() -> None:
    with Server((many_devices,)) as server:
        settings = {"client_id": "many", "client_secret": "a-secret-of-many"}
        with NinjaOne(base_url=server.base_url, **settings, delay_ms=0) as ninja:
            items = ninja.each("list_devices")
            assert next(items)["id"] == 1
            pages = [one for one in server.received if "token" not in one.line]
            assert len(pages) == 1  # nothing is read ahead
            for _ in range(2 * PAGE):
                next(items)
            tracemalloc.start()
            try:
                count = 1 + 2 * PAGE + sum(1 for _ in items)
                _, most = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
    assert count == DEVICES
    # A page with its text, and the one before it; the whole list would be more than 5 MB.
    assert most < 2_500_000, most


def test_a_page_that_fails_ends_a_list_with_an_error_after_the_items_before_it() -> None:
    def refuse_the_third(talk: Talk) -> None:
        answer = talk.answer

        def refuse(body: bytes = b"{}", status: str = "200 OK", *headers: str) -> None:
            is_third = talk.server.received[-1].target.endswith(f"after={2 * PAGE}")
            answer(*((b"{}", "403 Forbidden") if is_third else (body, status)), *headers)

        talk.answer = refuse  # type: ignore[method-assign]
        many_devices(talk)

    with Server((refuse_the_third,)) as server:
        settings = {"client_id": "many", "client_secret": "a-secret-of-many"}
        with NinjaOne(base_url=server.base_url, **settings, delay_ms=0) as ninja:
            found: list[Any] = []
            with pytest.raises(ActionError) as caught:
                found.extend(ninja.each("list_devices"))
    assert (caught.value.code, len(found)) == ("forbidden", 2 * PAGE)


def test_an_empty_list_has_no_items(ninja: NinjaOne) -> None:
    assert list(ninja.each("list_devices", filter="id = 9999")) == []
