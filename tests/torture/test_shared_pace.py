"""Processes of several machines share an account by a database: its pace, and its sign-in."""

from __future__ import annotations

import json
import os
import random
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.client.starts import gaps
from tests.loopback import Server, Talk

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the kernel's timestamps of Linux"),
]

DELAY_S = 0.1
REQUESTS = 40
WORKER = """
import json, sys
from connector.catalog.catalog import Catalog
from connector.client.factory import open_client
from connector.connections.connection import make_connection
from connector.http.messages import Request
service = Catalog().service("ninjaone")
connection = make_connection(service, json.loads(sys.argv[2]), "here")
pace = json.loads(sys.argv[4])
client = open_client(service, connection, **pace, state=sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[3])):
    client.send(Request("GET", "/v2/device/1"))
"""
TOKEN = {"access_token": "an-access-token", "expires_in": 3600, "scope": "monitoring", "token_type": "Bearer"}
_STAMPS = 35
"""SO_TIMESTAMPNS, which the module socket lacks."""


class Arrivals:
    """When API requests arrived, in seconds of the kernel's clock, and how many sign-ins there were."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.sign_ins = 0
        self._lock = threading.Lock()

    def status(self) -> str:
        """The status line of the response to an API request."""
        return "200 OK"

    def talk(self, talk: Talk) -> None:
        talk.connection.setsockopt(socket.SOL_SOCKET, _STAMPS, 1)
        talk.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:
            data, stamps, *_ = talk.connection.recvmsg(1 << 16, 1024)
            if not data:
                return
            with self._lock:
                if data.startswith(b"POST"):
                    self.sign_ins += 1
                elif stamps:
                    seconds, nanoseconds = struct.unpack("qq", stamps[0][2][:16])
                    self.times.append(seconds + nanoseconds / 1e9)
                else:  # It arrived before this thread began.
                    self.times.append(time.time())
            body = json.dumps(TOKEN if data.startswith(b"POST") else {"id": 1})
            status = "200 OK" if data.startswith(b"POST") else self.status()
            head = (
                f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
            )
            talk.connection.sendall((head + body).encode())


class Bucket(Arrivals):
    """A server that accepts 20 requests in a second, up to 20 at once; `accepted` says which, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.accepted: list[bool] = []
        self._tokens, self._at = 20.0, time.monotonic()

    def status(self) -> str:
        with self._lock:
            now = time.monotonic()
            self._tokens = min(20.0, self._tokens + 20 * (now - self._at))
            self._at = now
            self.accepted.append(self._tokens >= 1)
            self._tokens -= self.accepted[-1]
            return "200 OK" if self.accepted[-1] else "429 Too Many Requests"


def start(
    number: int,
    url: str,
    server: Server,
    folder: Path,
    requests: int,
    delay_ms: float = 100,
    min_delay_ms: float | None = None,
) -> subprocess.Popen[str]:
    """A worker on a separate machine, which begins when its input says so."""
    pace = json.dumps({"delay_ms": delay_ms, "min_delay_ms": min_delay_ms})
    given = {"base_url": server.base_url, "client_id": "an-app", "client_secret": "a-very-secret-secret"}
    names = ("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, url, json.dumps(given), str(requests), pace],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {name: str(folder / str(number) / name) for name in names},
    )


def go(processes: list[subprocess.Popen[str]]) -> None:
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


def check_pace(times: list[float]) -> None:
    """The rate is exact or lower, and starts are nearer than the delay by a tenth at most.

    A late start, such as the first one with its new connection, is made up for by less than the delay. A few
    requests are late on their way, because the machine is busy.
    """
    times = sorted(times)
    assert times[-1] - times[0] >= (len(times) - 2) * DELAY_S
    near = [gap for gap in gaps(times) if gap < 0.9 * DELAY_S - 0.002]
    assert len(near) <= len(times) / 50, near


def test_three_machines_keep_one_pace(postgres: str, tmp_path: Path) -> None:
    arrivals = Arrivals()
    with Server((arrivals.talk,)) as server:
        processes = [start(number, postgres, server, tmp_path, REQUESTS) for number in range(3)]
        go(processes)
        for process in processes:
            process.communicate(timeout=120)
            assert process.returncode == 0
    assert len(arrivals.times) == 3 * REQUESTS
    check_pace(arrivals.times)


def test_three_machines_find_the_limit_of_an_account_together(postgres: str, tmp_path: Path) -> None:
    bucket = Bucket()
    with Server((bucket.talk,)) as server:
        processes = [start(number, postgres, server, tmp_path, 250, 150, 20) for number in range(3)]
        go(processes)
        for process in processes:
            process.communicate(timeout=300)
            assert process.returncode == 0
    assert bucket.sign_ins == 1
    assert bucket.accepted.count(True) == 750
    assert bucket.accepted.count(False) > 0  # The limit was reached.
    # Starts are at least the shortest interval apart, whichever machine they are from.
    near = [gap for gap in gaps(sorted(bucket.times)) if gap < 0.9 * 0.02 - 0.002]
    assert len(near) <= len(bucket.times) / 50
    later = bucket.accepted[len(bucket.accepted) // 2 :]
    assert later.count(False) <= len(later) / 50


def test_eight_machines_sign_in_once(postgres: str, tmp_path: Path) -> None:
    arrivals = Arrivals()
    with Server((arrivals.talk,)) as server:
        processes = [start(number, postgres, server, tmp_path, 1) for number in range(8)]
        go(processes)
        for process in processes:
            process.communicate(timeout=120)
            assert process.returncode == 0
    assert (arrivals.sign_ins, len(arrivals.times)) == (1, 8)


def test_machines_that_die_delay_no_others(postgres: str, tmp_path: Path) -> None:
    arrivals, draw = Arrivals(), random.Random(5)
    with Server((arrivals.talk,)) as server:
        lasting = start(0, postgres, server, tmp_path, 60)
        dying = [start(number, postgres, server, tmp_path, 10_000) for number in range(1, 5)]
        go([lasting, *dying])
        for process in dying:
            threading.Event().wait(draw.uniform(0.2, 0.6))
            process.kill()
            process.communicate()
        killed = len(arrivals.times)
        lasting.communicate(timeout=120)
        assert lasting.returncode == 0
    check_pace(arrivals.times)
    alone = gaps(arrivals.times[killed + 1 :])
    assert sorted(alone)[len(alone) // 2] == pytest.approx(DELAY_S, abs=0.02)
