"""The receiver of webhooks in a separate process, under load and kills.

The senders are threads of the benchmark, or of the test that uses this.
"""

from __future__ import annotations

import http.client
import json
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.findings import Figure, Findings, Target, percentile

SENDERS = 8
A_SECOND = 200


@dataclass(frozen=True)
class Received:
    """The result of some deliveries, numbered from 0. `seconds` are the times until each 200.

    `inbox` are the numbers of those in the inbox, sorted, and `repeated` how often one had to be sent again.
    """

    took_s: float
    seconds: list[float]
    inbox: list[int]
    repeated: int


class Desk:
    """A receiver that can be killed, and senders that repeat each delivery until it gets a 200."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port, self._token = 0, ""
        self.seconds: list[float] = []
        self.repeated = 0
        self._lock = threading.Lock()
        self.start()

    def start(self) -> None:
        """Start the process."""
        command = [sys.executable, "-m", "benchmarks.receiver_process", str(self._folder), str(self._port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        port, self._token = self._process.stdout.readline().split()
        self._port = int(port)

    def kill(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.communicate()

    def send(self, numbers: range, *, a_second: float = 0.0) -> None:
        """Send deliveries, at a rate if one is given."""
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
        if response.status == 200:
            with self._lock:
                self.seconds.append(time.monotonic() - began)
        return response.status == 200

    def inbox(self) -> list[int]:
        """Return the numbers of the deliveries in the inbox."""
        with closing(sqlite3.connect(self._folder / "state.db")) as state:
            return sorted(json.loads(raw)["id"] for (raw,) in state.execute("SELECT raw FROM inbox"))


def receive(folder: Path, posts: int, *, a_second: float = 0.0, kills: int = 0) -> Received:
    """Send deliveries from several connections, and kill the receiver at even intervals."""
    desk = Desk(folder)
    began = time.monotonic()
    threads = [
        threading.Thread(
            target=desk.send, args=(range(n, posts, SENDERS),), kwargs={"a_second": a_second / SENDERS}
        )
        for n in range(SENDERS)
    ]
    for thread in threads:
        thread.start()
    for number in range(1, kills + 1):
        while len(desk.seconds) < number * posts // (kills + 1):
            time.sleep(0.005)
        desk.kill()
        desk.start()
    for thread in threads:
        thread.join(300)
    took_s = time.monotonic() - began
    inbox = desk.inbox()
    desk.kill()
    return Received(took_s, desk.seconds, inbox, desk.repeated)


def measure(bench: Bench) -> Findings:
    """Return the response times at a fixed rate, and what is in the inbox after many kills."""
    posts, kills = bench.sizes.posts, bench.sizes.receiver_kills
    folders = [bench.folder / name for name in ("paced", "killed")]
    for folder in folders:
        folder.mkdir()
    paced = receive(folders[0], A_SECOND * bench.sizes.receiver_s, a_second=A_SECOND)
    killed = receive(folders[1], posts, kills=kills)
    once = len(set(killed.inbox))
    p99_ms = 1000 * percentile(paced.seconds, 99)
    return Findings(
        [
            Figure("webhook receiver: deliveries/s", len(paced.seconds) / paced.took_s, unit="", digits=0),
            Figure("its response time, 99th percentile", p99_ms, Target(50, most=True), " ms", 1),
            Figure(f"of {posts:,} deliveries with {kills} kills, in the inbox", once, Target(posts), "", 0),
            Figure("in the inbox twice", len(killed.inbox) - once, Target(0, most=True), "", 0),
            Figure("requests without a 200, which were sent again", killed.repeated, unit="", digits=0),
        ]
    )
