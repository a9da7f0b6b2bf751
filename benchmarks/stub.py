"""The servers of the benchmarks: nginx, and a Python server that records accurate times."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from benchmarks.measure import UnmeasuredError

_CONFIG = """
load_module "{echo}";
worker_processes 1;
daemon off;
pid "{folder}/nginx.pid";
error_log stderr;
{user}
events {{ worker_connections 2048; }}
http {{
    default_type application/json;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    client_body_temp_path "{folder}/body"; proxy_temp_path "{folder}/proxy"; scgi_temp_path "{folder}/scgi";
    fastcgi_temp_path "{folder}/fastcgi"; uwsgi_temp_path "{folder}/uwsgi";
    access_log off;
    log_format times '$msec $request_time';
    server {{
        listen 127.0.0.1:{port};
        root "{pages}";
        location = /ws/oauth/token {{
            return 200 '{{"access_token":"token","expires_in":3600,"token_type":"Bearer"}}';
        }}
        location = /v2/devices {{ try_files /after-$arg_after.json =404; }}
        location / {{ {answer} }}
    }}
}}
"""
_AT_ONCE = "return 204;"
_AFTER = 'access_log "{folder}/times" times; echo_status 204; echo_sleep {latency_s};'


@dataclass(frozen=True)
class Nginx:
    """The paths of nginx and of its echo module, which can delay responses."""

    program: Path
    echo: Path

    def version(self) -> str:
        """Return the version from `nginx -v`."""
        said = subprocess.run([self.program, "-v"], capture_output=True, text=True, check=True).stderr
        return said.rpartition("/")[2].strip()


@dataclass
class Served:
    """A running server.

    After the server has ended, `times` has the start and end of each request except sign-ins, in seconds.
    """

    url: str
    times: list[tuple[float, float]] = field(default_factory=list)

    def span_s(self, requests: int) -> float:
        """Return the seconds from the first request to the last response. Raises UnmeasuredError."""
        if len(self.times) != requests:
            raise UnmeasuredError(f"the program sent {len(self.times)} requests instead of {requests}")
        return max(end for _, end in self.times) - min(begin for begin, _ in self.times)

    def closest_s(self) -> float:
        """Return the minimum interval in seconds between the starts of two requests."""
        begins = sorted(begin for begin, _ in self.times)
        return min(later - earlier for earlier, later in pairwise(begins))


@dataclass(frozen=True)
class Stub:
    """Starts servers, each for the duration of a `with` block."""

    folder: Path
    nginx: Nginx | None

    @contextmanager
    def instant(self, pages: Path | None = None) -> Iterator[Served]:
        """Run a server without latency: it serves a token, pages of devices, and 204 for other requests."""
        if self.nginx is None:
            with self.noting(0, pages) as served:
                yield served
            return
        with self._nginx(self.nginx, _AT_ONCE, pages) as served:
            yield served

    @contextmanager
    def slow(self, latency_s: float) -> Iterator[Served]:
        """Run a server with a latency; the recorded times are accurate to a few milliseconds."""
        if self.nginx is None:
            with self.noting(latency_s) as served:
                yield served
            return
        times = self.folder / "times"
        times.unlink(missing_ok=True)
        with self._nginx(self.nginx, _AFTER.format(folder=self.folder, latency_s=latency_s)) as served:
            yield served
        for line in times.read_text().splitlines():
            end, took = map(float, line.split())
            served.times.append((end - took, end))

    @contextmanager
    def noting(self, latency_s: float, pages: Path | None = None) -> Iterator[Served]:
        """Run the Python server, whose recorded times are accurate to 0.1 ms."""
        command = [sys.executable, str(Path(__file__).with_name("server.py")), str(latency_s)]
        process = subprocess.Popen(
            command + ([str(pages)] if pages else []),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            served = Served(f"http://127.0.0.1:{int(process.stdout.readline())}")
            yield served
            process.stdin.close()
            noted = json.loads(process.stdout.readline())
            served.times = [(begin / 1e9, end / 1e9) for begin, end in noted]
        finally:
            process.kill()
            process.wait()

    @contextmanager
    def _nginx(self, nginx: Nginx, answer: str, pages: Path | None = None) -> Iterator[Served]:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        config = _CONFIG.format(
            echo=nginx.echo,
            folder=self.folder,
            pages=pages or self.folder,
            port=port,
            answer=answer,
            # By default, nginx's worker runs as a user that cannot read the benchmark's folder.
            user="user root;" if os.geteuid() == 0 else "",
        )
        (self.folder / "nginx.conf").write_text(config)
        with (self.folder / "nginx.log").open("wb") as log:
            process = subprocess.Popen(
                [nginx.program, "-p", self.folder, "-e", "stderr", "-c", self.folder / "nginx.conf"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        try:
            _wait_for(port, process)
            yield Served(f"http://127.0.0.1:{port}")
        finally:
            process.terminate()
            process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server accepts connections. Raises UnmeasuredError if it ends or does not start."""
    for _ in range(500):
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.01)
    raise UnmeasuredError("nginx did not start")
