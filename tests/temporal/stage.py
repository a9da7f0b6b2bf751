"""A run on a real Temporal server and a real database, with workers as processes in folders of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml

from connector.sandbox.ninjaone.server import Sandbox
from tests.fakes import wait_until, write_lines

PATIENCE_S = 120
SECRET = "a-secret-of-the-rows-4711"
"""A value of the rows, which no history of a workflow may have."""


class Process:
    """A command in a folder with its own home, state and saved connections."""

    def __init__(self, folder: Path, state: str, *arguments: str) -> None:
        self.arguments = arguments
        folder.mkdir(parents=True, exist_ok=True)
        self.errors = folder / f"errors-{len(list(folder.glob('errors-*')))}"
        homes = ("CACHE", "STATE", "CONFIG", "DATA")
        variables = {f"XDG_{name}_HOME": str(folder / name.lower()) for name in homes}
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "connector", *arguments],
                cwd=folder,
                env={**os.environ, **variables, **({"NINJAONE_STATE": state} if state else {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
            )

    def said(self) -> str:
        return self.errors.read_text()

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        try:
            return self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.process.args} does not end: {self.said()}") from None

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: BaseException | TracebackType | None) -> None:
        with suppress(ProcessLookupError):
            self.send(signal.SIGCONT)
        self.kill()


class Stage:
    """Rows that create organizations of several tenants, a job over them, and workers."""

    def __init__(self, folder: Path, sandboxes: Sequence[Sandbox], state: str, on: str, rows: int) -> None:
        self.folder, self.sandboxes, self.state, self.on = folder, sandboxes, state, on
        self.rows = rows
        self.starter = folder / "starter"
        self.starter.mkdir(parents=True)
        self.names = [f"tenant-{number}.yaml" for number in range(len(sandboxes))]
        for name, sandbox in zip(self.names, sandboxes, strict=True):
            self.connect(self.starter / name, sandbox)
        names = self.names
        self.write_rows([{"n": n, "tenant": names[n % len(names)]} for n in range(1, rows + 1)])

    def write_rows(self, rows: list[dict[str, Any]]) -> None:
        write_lines(self.starter / "rows.jsonl", [{**row, "secret": SECRET} for row in rows])

    def connect(self, path: Path, sandbox: Sandbox) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(sandbox.connection))

    def write_job(self, **settings: Any) -> None:
        job = {
            "action": "create_organization",
            "connection": "{{ tenant }}",
            "allow_connections": self.names,
            "templates": {"name": "Client {{ n }}", "description": "{{ secret }}"},
            "input": "rows.jsonl",
            "output": "out.jsonl",
            "delay_ms": 50,
        }
        its = {name: value for name, value in {**job, **settings}.items() if value is not None}
        (self.starter / "job.yaml").write_text(yaml.safe_dump(its))

    def run(self, *options: str) -> Process:
        return Process(self.starter, self.state, "run", "job.yaml", "--on", self.on, *options)

    def run_here(self, *options: str) -> Process:
        """Run the job on this machine alone, with its state in files."""
        return Process(self.starter, "", "run", "job.yaml", *options)

    def worker(
        self, name: str, *options: str, connections: Sequence[str] | None = None, state: str = ""
    ) -> Process:
        """Start a worker with files of these connections (default: all), and a URL of the state."""
        folder = self.folder / name
        for file in self.names if connections is None else connections:
            self.connect(folder / "connections" / file, self.sandboxes[self.names.index(file)])
        (folder / "connections").mkdir(parents=True, exist_ok=True)
        host, _, rest = self.on.removeprefix("temporal://").partition("/")
        queue = rest.partition("task_queue=")[2]
        address = ["--address", host, "--task-queue", queue, "--connections", "connections"]
        worker = Process(folder, "", "worker", "--state", state or self.state, *address, *options)
        wait_until(lambda: "takes tasks" in worker.said() or worker.process.poll() is not None)
        assert worker.process.poll() is None, worker.said()
        return worker

    def sent(self) -> Counter[int]:
        """How many times each row was sent."""
        posts = [r for sandbox in self.sandboxes for r in sandbox.log.requests() if r["method"] == "POST"]
        names = [r["body"]["name"] for r in posts if r["path"] == "/v2/organizations"]
        return Counter(int(name.split()[1]) for name in names)

    def envelopes(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.starter / "out.jsonl").read_text().splitlines()]

    def check_complete(self, most_unknown: int = 0) -> None:
        """Check that each row has an envelope, in order, and that no row was sent twice."""
        found = self.envelopes()
        assert [envelope["row"] for envelope in found] == list(range(1, self.rows + 1))
        sent = self.sent()
        assert [row for row, count in sent.items() if count > 1] == []
        codes = Counter(envelope["meta"]["code"] for envelope in found)
        assert codes["outcome_unknown"] <= most_unknown
        assert codes.keys() <= {None, "outcome_unknown"}, codes
        assert all(sent[e["row"]] == 1 for e in found if not e["has_error"])
        assert not (self.starter / "out.jsonl.run").exists()

    def history(self) -> str:
        """Return the histories of all workflows of the queue, as JSON."""
        from connector.temporal.address import read_address
        from connector.temporal.engine import Engine

        engine = Engine(read_address(self.on, ""))
        queue = engine.address.task_queue

        async def histories() -> str:
            found = engine._client.list_workflows(f"TaskQueue = '{queue}'")
            return "\n".join([one.to_json() async for one in found.map_histories()])

        try:
            return engine._wait(histories())
        finally:
            engine.close()
