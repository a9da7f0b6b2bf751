"""G27: a webhook of HaloPSA runs a script on the device of a ticket, as docs/halopsa-runbook.md shows it.

Real HTTP all the way: HaloPSA's sandbox, the receiver of the page, `ninjaone serve`, NinjaOne's sandbox.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.sandbox.halopsa.server import HaloSandbox
from connector.sandbox.ninjaone.server import Sandbox
from tests.docs.console import Shell, check_block
from tests.docs.pages import blocks, page
from tests.loopback import PATIENCE_S

PAGE = "docs/halopsa-runbook.md"
LOGIN = "halopsa:correct-horse-battery"
SCRIPT_RUN = "/v2/device/12/script/run"
BUSY = {"fault": "answer", "status": 429, "headers": {"Retry-After": "3600"}}
"""A fault after which the server gives up, because it would have to wait for too long."""

pytestmark = pytest.mark.slow


@pytest.fixture
def halo() -> Iterator[HaloSandbox]:
    with HaloSandbox() as running:
        yield running


@pytest.fixture
def shell(tmp_path: Path, sandbox: Sandbox, halo: HaloSandbox) -> Iterator[Shell]:
    """A shell in which the page's commands have run; the server and the receiver are still running."""
    folder = tmp_path / "work"
    folder.mkdir()
    for name, one in (("sandbox.yaml", sandbox), ("halo.yaml", halo)):
        connection = "".join(f"{name}: {value}\n" for name, value in one.connection.items())
        (folder / name).write_text(connection)
    shell = Shell(folder, tmp_path / "shell", int(sandbox.base_url.rpartition(":")[2]))
    shown = [block for block in blocks(page(PAGE)) if block.language]
    assert len(shown) == 6
    try:
        for block in shown:
            if "_sandbox/requests" in block.text:
                halo.wait_for_deliveries(3, PATIENCE_S)  # the new ticket, its status, and the note
            check_block(shell, PAGE, block)
        yield shell
    finally:
        shell.close()


def runs(sandbox: Sandbox) -> int:
    """How many times the script was sent to the device."""
    return [request["path"] for request in sandbox.log.requests()].count(SCRIPT_RUN)


def set_status(halo: HaloSandbox, status: int) -> list[dict[str, Any]]:
    """Set the ticket's status as an agent does, and return the deliveries of this event."""
    before = len(halo.wait_for_deliveries(timeout_s=PATIENCE_S))
    body = json.dumps({"ticket": 2004, "status": status}).encode()
    control = f"{halo.base_url}/_sandbox/agent/set_status"
    urllib.request.urlopen(urllib.request.Request(control, body, {"Content-Type": "application/json"}))
    after = halo.wait_for_deliveries(timeout_s=PATIENCE_S)[before:]
    return [delivery for delivery in after if delivery["body"]["event"] == "Ticket Status Changed"]


def test_a_webhook_runs_the_script_once_for_each_event(
    shell: Shell, sandbox: Sandbox, halo: HaloSandbox
) -> None:
    assert runs(sandbox) == 1
    # Another status runs nothing; the same status again is another event, which runs the script again.
    assert [delivery["status"] for delivery in set_status(halo, 1)] == [204]
    assert runs(sandbox) == 1
    # Each event is delivered twice, and without the ticket.
    halo.set_trap("webhook_delivery", "doubled")
    halo.set_trap("webhook_body", "event")
    assert [delivery["status"] for delivery in set_status(halo, 2)] == [204, 204]
    assert runs(sandbox) == 2
    halo.set_trap("webhook_delivery", "once")

    # A busy NinjaOne: the delivery fails, and the same event, delivered again, runs the script.
    set_status(halo, 1)
    sandbox.set_faults(queue=[BUSY])
    (delivery,) = set_status(halo, 2)
    assert (delivery["status"], runs(sandbox)) == (503, 3)
    for _ in range(2):
        assert deliver(shell, delivery["body"], LOGIN) == 204
    assert runs(sandbox) == 4

    # A lost response: nothing is sent again, and the note says so.
    set_status(halo, 1)
    sandbox.set_faults(queue=["reset_after"])
    (delivery,) = set_status(halo, 2)
    assert (delivery["status"], runs(sandbox)) == (204, 5)
    assert deliver(shell, [delivery["body"]], LOGIN) == 204
    assert runs(sandbox) == 5
    notes = [json.dumps(action) for action in halo.state.actions.values()]
    assert sum("may have taken effect" in note for note in notes) == 1

    # A ticket that cannot be read fails the delivery, and an asset that cannot be read is in a note.
    assert deliver(shell, {**delivery["body"], "id": "other", "object_id": 99999}, LOGIN) == 502
    halo.set_faults(queue=[None, {"fault": "answer", "status": 404}])
    assert deliver(shell, {**delivery["body"], "id": "another"}, LOGIN) == 204
    assert runs(sandbox) == 5
    assert any("was not run on asset 5012" in json.dumps(one) for one in halo.state.actions.values())

    # A body without an event's fields, the wrong login of the webhook, and a removed key of the server.
    assert deliver(shell, {"event": "Ticket Status Changed"}, LOGIN) == 400
    assert deliver(shell, {**delivery["body"], "id": "other"}, "halopsa:wrong") == 401
    shell.run("ninjaone key remove runbook")
    assert deliver(shell, {**delivery["body"], "id": "other"}, LOGIN) == 503
    assert runs(sandbox) == 5


def deliver(shell: Shell, body: Any, login: str) -> int:
    """The status of the receiver's response to a delivery."""
    password = urllib.request.HTTPPasswordMgrWithPriorAuth()
    url = f"http://127.0.0.1:{shell.port_of('8710')}/"
    password.add_password(None, url, *login.split(":"), is_authenticated=True)
    opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(password))
    opener.addheaders = [("Content-Type", "application/json")]
    try:
        with opener.open(url, json.dumps(body).encode(), timeout=PATIENCE_S) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
