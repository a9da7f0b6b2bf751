"""A run of the real command line in a separate folder, and what can be observed of it from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connector.sandbox.ninjaone.server import Sandbox
from tests.fakes import write_lines
from tests.torture.kinds import Entry, Kind

PATIENCE_S = 120
"""The maximum time of a run that is not stopped, in seconds."""

FINISHED = (0, 1)
NOTHING_RUN, STOPPED = 2, 3

_LIMITED = """
import resource, sys
from connector.cli.main import main
size = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
sys.exit(main())
"""
"""The command line in a process with a maximum file size, beyond which writing fails."""


@dataclass(frozen=True)
class State:
    """The state of a run on disk.

    `stands` is whether there is a journal for resuming; `written` is the number of rows with an envelope; of
    the rows without one, `noted` are those with a request but no response in the journal, and `answered`
    those with both.
    """

    stands: bool
    written: int
    noted: frozenset[int]
    answered: frozenset[int]


class Run:
    """One run of a kind of work: its job file, its input, its output."""

    def __init__(
        self,
        folder: Path,
        sandbox: Sandbox,
        kind: Kind,
        rows: int,
        *,
        concurrency: int = 1,
        output: str = "out.jsonl",
        **settings: Any,
    ) -> None:
        self.folder, self.sandbox, self.kind, self.rows = folder, sandbox, kind, rows
        self.concurrency = concurrency
        self.output = folder / output
        folder.mkdir(parents=True, exist_ok=True)
        write_lines(folder / "rows.jsonl", [_row(kind, n) for n in range(1, rows + 1)])
        (folder / "connection.yaml").write_text(_yaml({**sandbox.connection, "timeout_s": 30} | settings))
        job: dict[str, Any] = {
            "action": kind.action,
            "connection": "connection.yaml",
            "input": "rows.jsonl",
            "output": output,
            "delay_ms": 0,
            "templates": kind.templates,
        }
        if concurrency > 1:
            job["concurrency"] = concurrency
        (folder / "job.yaml").write_text(_yaml(job))

    def command(self, *more: str) -> list[str]:
        """Return the command line that starts it."""
        return [sys.executable, "-m", "connector", "run", str(self.folder / "job.yaml"), "--yes", *more]

    def start(self, *more: str) -> subprocess.Popen[bytes]:
        """Start or resume it without waiting."""
        return subprocess.Popen(self.command(*more), stderr=subprocess.DEVNULL, env=os.environ)

    def finish(self, *more: str, largest_file: int | None = None) -> subprocess.CompletedProcess[str]:
        """Start or resume it and wait for its end, with a maximum file size if given."""
        command = self.command(*more)
        if largest_file is not None:
            command = [sys.executable, "-c", _LIMITED, str(largest_file), *command[3:]]
        return subprocess.run(command, capture_output=True, text=True, env=os.environ, timeout=PATIENCE_S)

    def resume_to_the_end(self) -> None:
        """Resume it until it is finished."""
        if not self.is_complete():
            done = self.finish(*self.again())
            assert done.returncode in FINISHED, done.stderr
            assert not self.work.exists()

    def is_complete(self) -> bool:
        """Whether it is finished; a kill may have left a work folder without a journal."""
        return self.output.exists() and not self.state().stands

    def again(self) -> tuple[str, ...]:
        """Return the option for resuming; a run that ended before it had a journal starts again."""
        return ("--resume",) if self.state().stands else ()

    @property
    def work(self) -> Path:
        """Return its work folder."""
        return self.output.with_name(self.output.name + ".run")

    @property
    def partial(self) -> Path:
        """Return the file of its envelopes until it is finished."""
        return self.work / "envelopes.jsonl"

    @property
    def journal(self) -> Path:
        """Return its journal until it is finished."""
        return self.work / "journal.jsonl"

    def state(self) -> State:
        """Return its state on disk. Incomplete lines do not count."""
        journal = _lines(self.journal)
        partial = _lines(self.partial)
        written = max((envelope["row"] for envelope in partial), default=0)
        last: dict[tuple[int, int], Entry] = {}
        for line in journal[1:]:
            if line["row"] > written:
                last[line["row"], line["step"]] = line
        noted = frozenset(row for (row, _), line in last.items() if "sent" in line)
        answered = frozenset(row for (row, _), line in last.items() if "answer" in line)
        return State(bool(journal), written, noted, answered - noted)

    def lines(self) -> int:
        """Return the number of envelopes in the partial output."""
        return self.partial.read_bytes().count(b"\n") if self.partial.exists() else 0

    def envelopes(self) -> list[dict[str, Any]]:
        """Return the envelopes of the finished output, JSON or JSON Lines."""
        text = self.output.read_text(encoding="utf-8")
        if self.output.suffix == ".json":
            return list(json.loads(text))
        return [json.loads(line) for line in text.splitlines()]

    def wait_for(self, count: int, process: subprocess.Popen[Any], since: int = 0) -> bool:
        """Wait until so many requests were received. Return False if the process ended before."""
        while len(self.requests(since)) < count:
            if process.poll() is not None:
                return False
            time.sleep(0.0005)
        return True

    def requests(self, since: int = 0) -> list[Entry]:
        """Return the requests that the sandbox received."""
        return self.sandbox.log.requests(since)


def codes(envelopes: list[dict[str, Any]]) -> Counter[str | None]:
    """Return the number of envelopes by code, None for success."""
    return Counter(envelope["meta"]["code"] for envelope in envelopes)


def _row(kind: Kind, number: int) -> dict[str, int]:
    return {"no_n": number} if kind.code(number) == "template_error" else {"n": number}


def _yaml(settings: dict[str, Any]) -> str:
    """Return settings as JSON, which is also YAML."""
    return json.dumps(settings)


def _lines(path: Path) -> list[dict[str, Any]]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in data[: data.rfind(b"\n") + 1].splitlines()]
