"""The receiver of webhooks under load and kills: what got a 200 is in the inbox, and everything is once."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connector.sync.hook_key import HookKey
from connector.sync.state import State
from connector.sync.state_queues import Inbox

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")

SENDERS = 8
Record = Callable[[str, Any], None]


class Desk:
    """A receiver that can be killed, and senders that repeat what was not answered with 200."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._token = HookKey.of(folder).secrets_of("rmm").token
        self._port = 0
        self.seconds: list[float] = []
        self.repeated = 0
        self._lock = threading.Lock()
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.torture.receiver_process", str(self._folder), str(self._port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self._port = int(self._process.stdout.readline())

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def send(self, numbers: range, *, a_second: float = 0.0) -> None:
        """Send deliveries, at a pace if one is given; each until it is accepted."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        began = time.monotonic()
        for count, number in enumerate(numbers):
            if a_second:
                time.sleep(max(0.0, began + count / a_second - time.monotonic()))
            body = json.dumps({"id": number, "activityType": "CONDITION", "message": "x" * 600})
            while not self._post(connection, body):
                connection.close()
                with self._lock:
                    self.repeated += 1
                time.sleep(0.02)
        connection.close()

    def _post(self, connection: http.client.HTTPConnection, body: str) -> bool:
        began = time.monotonic()
        try:
            connection.request("POST", f"/hooks/rmm/{self._token}", body)
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            return False
        with self._lock:
            self.seconds.append(time.monotonic() - began)
        return response.status == 200

    def inbox(self) -> list[int]:
        with State(self._folder, write=False) as state:
            return sorted(json.loads(found.raw)["id"] for found in Inbox(state).open(1_000_000))


def senders(desk: Desk, posts: int, a_second: float = 0.0) -> list[threading.Thread]:
    """Start the senders of so many deliveries, at this pace altogether."""
    threads = [
        threading.Thread(
            target=desk.send, args=(range(n, posts, SENDERS),), kwargs={"a_second": a_second / SENDERS}
        )
        for n in range(SENDERS)
    ]
    for thread in threads:
        thread.start()
    return threads


def survive(folder: Path, posts: int, kills: int, record: Record) -> None:
    desk = Desk(folder)
    threads = senders(desk, posts)
    for number in range(1, kills + 1):
        while len(desk.seconds) < number * posts // (kills + 1):
            time.sleep(0.005)
        desk.kill()
        desk.start()
    for thread in threads:
        thread.join(300)
    found = desk.inbox()
    desk.kill()
    assert found == list(range(posts))
    record("posts", posts)
    record("kills", kills)
    record("sent again", desk.repeated)


def test_deliveries_survive_some_kills(tmp_path: Path, record_property: Record) -> None:
    survive(tmp_path, 400, 2, record_property)


@pytest.mark.slow
def test_ten_thousand_deliveries_survive_twenty_kills(tmp_path: Path, record_property: Record) -> None:
    survive(tmp_path, 10_000, 20, record_property)


@pytest.mark.slow
def test_two_hundred_deliveries_a_second(tmp_path: Path, record_property: Record) -> None:
    """The figures are recorded; what is asserted holds on a busy machine, too."""
    desk = Desk(tmp_path)
    began = time.monotonic()
    for thread in senders(desk, 3_000, a_second=200):
        thread.join(120)
    took = time.monotonic() - began
    desk.kill()
    ordered = sorted(desk.seconds)
    record_property("deliveries a second", round(len(ordered) / took))
    record_property("p50 ms", round(1000 * ordered[len(ordered) // 2], 1))
    record_property("p99 ms", round(1000 * ordered[len(ordered) * 99 // 100], 1))
    assert len(desk.inbox()) == 3_000
