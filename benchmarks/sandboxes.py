"""Sandboxes as processes, and what they say of the requests that they received."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import UnmeasuredError


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox of a service, and the settings of a connection to it without the address."""

    service: str
    url: str
    settings: Mapping[str, str]

    def ask(self, name: str, method: str = "GET", body: Any = None) -> Any:
        """Send a request to a path below `/_sandbox/`, and return the JSON value of the response."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/_sandbox/{name}", data, method=method)
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.loads(response.read() or b"null")

    def requests(self) -> list[dict[str, Any]]:
        """Return the requests since the last `forget`; their `time` is that of the monotonic clock."""
        found: list[dict[str, Any]] = self.ask("requests")
        return found

    def forget(self) -> None:
        """Empty the log of requests."""
        self.ask("requests", "DELETE")

    def write_connection(self, folder: Path) -> None:
        """Write `SERVICE.yaml` for this sandbox."""
        file = folder / f"{self.service}.yaml"
        file.touch(mode=0o600)
        file.write_text(json.dumps({"service": self.service, **self.settings, "base_url": self.url}))


@contextmanager
def sandbox(service: str, *options: str) -> Iterator[Sandbox]:
    """Run a sandbox with these options of `ninjaone sandbox`. Raises UnmeasuredError."""
    program = Path(sys.executable).with_name("ninjaone")
    command = [str(program), "sandbox", "--port", "0", "--service", service, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            settings: dict[str, str] = {}
            wanted = {"base_url", "client_id", "client_secret"} | (
                {"tenant"} if service == "halopsa" else set()
            )
            for line in process.stdout:
                if found := re.match(r"\s+(base_url|client_id|client_secret|tenant): (\S+)", line):
                    settings[found[1]] = found[2]
                if settings.keys() >= wanted:
                    break
            else:
                raise UnmeasuredError(f"the sandbox of {service} did not start")
            yield Sandbox(service, settings.pop("base_url"), settings)
        finally:
            process.terminate()
