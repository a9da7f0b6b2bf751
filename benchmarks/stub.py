"""The servers of the benchmarks: nginx, and a Python server that records when requests were received."""

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
        listen 127.0.0.1:{port}{tls};
        root "{pages}";
        location = /ws/oauth/token {{
            return 200 '{{"access_token":"token","expires_in":3600,"token_type":"Bearer"}}';
        }}
        location ~ ^/v2/devices(-detailed)?$ {{ try_files /after-$arg_after.json =404; }}
        location / {{ {answer} }}
    }}
}}
"""
_TLS = ' ssl; ssl_certificate "{certificate}"; ssl_certificate_key "{key}"'
_TIMES = 'access_log "{folder}/times" times;'
CERTIFICATE = Path(__file__).parent.parent / "tests" / "data" / "loopback.pem"
"""The certificate of the servers with TLS, which clients must trust; its key is beside it."""


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

    After the server has ended, `times` has the start and end of each request except sign-ins, in seconds. If
    `by_kernel`, the starts are those at which the kernel received the requests. `targets` has the target of
    each request, if the Python server has recorded them.
    """

    url: str
    times: list[tuple[float, float]] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    by_kernel: bool = False

    def span_s(self, requests: int) -> float:
        """Return the seconds from the first request to the last response. Raises UnmeasuredError."""
        if len(self.times) != requests:
            raise UnmeasuredError(f"the program sent {len(self.times)} requests instead of {requests}")
        return max(end for _, end in self.times) - min(begin for begin, _ in self.times)

    def intervals_s(self) -> list[float]:
        """Return the intervals in seconds between the starts of consecutive requests, sorted."""
        begins = sorted(begin for begin, _ in self.times)
        return sorted(later - earlier for earlier, later in pairwise(begins))


@dataclass(frozen=True)
class Stub:
    """Starts servers, each for the duration of a `with` block."""

    folder: Path
    nginx: Nginx | None

    @contextmanager
    def serve(
        self,
        latency_s: float = 0.0,
        *,
        tls: bool = False,
        body: str = "",
        pages: Path | None = None,
        timed: bool = False,
    ) -> Iterator[Served]:
        """Run a server that responds with a token, pages of devices, and otherwise `body` (204 without one).

        If `timed`, the recorded times are accurate to a few milliseconds. `body` has no `'` and no `$`, which
        mean something to nginx. Raises UnmeasuredError if `tls` requires nginx, which is not available.
        """
        if self.nginx is None:
            if tls:
                raise UnmeasuredError("TLS requires nginx, which is not available")
            with self.noting(latency_s, pages, body) as served:
                yield served
            return
        times = self.folder / "times"
        times.unlink(missing_ok=True)
        log = _TIMES.format(folder=self.folder) if timed else ""
        with self._nginx(self.nginx, log + _answer(latency_s, body), pages, tls) as served:
            yield served
        for line in times.read_text().splitlines() if timed else ():
            end, took = map(float, line.split())
            served.times.append((end - took, end))

    @contextmanager
    def noting(self, latency_s: float, pages: Path | None = None, body: str = "") -> Iterator[Served]:
        """Run the Python server, which records when the kernel received each request."""
        command = [sys.executable, str(Path(__file__).with_name("server.py")), str(latency_s), body]
        if pages:
            command.append(str(pages))
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                served = Served(f"http://127.0.0.1:{int(process.stdout.readline())}")
                yield served
                process.stdin.close()
                noted = json.loads(process.stdout.readline())
                served.by_kernel = noted["by_kernel"]
                served.times = [(begin / 1e9, end / 1e9) for begin, end, _ in noted["times"]]
                served.targets = [target for *_, target in noted["times"]]
            finally:
                process.kill()

    @contextmanager
    def _nginx(self, nginx: Nginx, answer: str, pages: Path | None, tls: bool) -> Iterator[Served]:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        config = _CONFIG.format(
            echo=nginx.echo,
            folder=self.folder,
            pages=pages or self.folder,
            port=port,
            tls=_TLS.format(certificate=CERTIFICATE, key=CERTIFICATE.with_suffix(".key")) if tls else "",
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
            yield Served(f"{'https' if tls else 'http'}://127.0.0.1:{port}")
        finally:
            process.terminate()
            process.wait()


def _answer(latency_s: float, body: str) -> str:
    """Return nginx's directives for a response with this body after this latency."""
    body = body.replace("\\", "\\\\")
    status = 200 if body else 204
    if not latency_s:
        return f"return {status} '{body}';" if body else f"return {status};"
    echoed = f" echo -n '{body}';" if body else ""
    return f"echo_status {status}; echo_sleep {latency_s};{echoed}"


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
