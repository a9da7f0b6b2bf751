"""Workers of one run as processes: each has a folder of its own, as on a machine of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from connector.sandbox.ninjaone.server import Sandbox
from connector.state.databases import open_database
from tests.fakes import wait_until, write_lines
from tests.torture.kinds import Entry, Kind

LEASE_S = 0.6
ROOT = Path(__file__).resolve().parent.parent.parent
_PATIENCE_S = 120
BUSY = "another worker is running it"


class Workers:
    """The workers of one run, and what can be observed of it from outside."""

    def __init__(
        self,
        folder: Path,
        sandbox: Sandbox,
        kind: Kind,
        rows: int,
        url: str,
        *,
        response_s: float = 0,
        **settings: Any,
    ) -> None:
        """`response_s` limits the database's responses in seconds, instead of the default."""
        self.folder, self.sandbox, self.kind, self.rows, self.url = folder, sandbox, kind, rows, url
        self._settings = settings
        self._limits = {"WORKER_RESPONSE_S": f"{response_s}"} if response_s else {}

    def folder_of(self, name: str) -> Path:
        """The folder of a worker, with the job, its input and the connection."""
        folder = self.folder / name
        if not folder.exists():
            folder.mkdir(parents=True)
            write_lines(folder / "rows.jsonl", [{"n": n} for n in range(1, self.rows + 1)])
            (folder / "connection.yaml").write_text(json.dumps(self.sandbox.connection))
            job = {
                "action": self.kind.action,
                "connection": "connection.yaml",
                "input": "rows.jsonl",
                "output": "out.jsonl",
                "delay_ms": 0,
                "templates": self.kind.templates,
                **self._settings,
            }
            (folder / "job.yaml").write_text(json.dumps(job))
        return folder

    def start(self, name: str, *more: str, point: str = "", url: str = "") -> subprocess.Popen[str]:
        """Start a worker."""
        folder = self.folder_of(name)
        homes = ("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
        environment = {
            **os.environ,
            **{home: str(folder / "home") for home in homes},
            "PYTHONPATH": str(ROOT),
            "NINJAONE_STATE": url or self.url,
            "WORKER_LEASE_S": str(LEASE_S),
            **self._limits,
            "WORKER_POINT": point,
        }
        return subprocess.Popen(
            [sys.executable, "-m", "tests.state.worker_process", "run", "job.yaml", "--yes", *more],
            cwd=folder,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self, name: str, *, url: str = "") -> list[dict[str, Any]]:
        """Let a worker resume the run, as soon as it may, until it is finished; return the envelopes."""
        end = time.monotonic() + _PATIENCE_S
        while True:
            worker = self.start(name, *self.again(), url=url)
            _, said = worker.communicate(timeout=_PATIENCE_S)
            if worker.returncode in (0, 1):
                break
            assert BUSY in said, said
            assert time.monotonic() < end, said
        lines = (self.folder_of(name) / "out.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def again(self) -> Sequence[str]:
        """The option for resuming, if the run has begun."""
        begun = open_database(self.url).run(
            "SELECT 1 FROM connector_run JOIN connector_part ON run = id WHERE number = 0"
        )
        return ("--resume",) if begun else ()

    def in_doubt(self) -> set[int]:
        """The rows of which a request was recorded, but no response, and no envelope yet.

        What a process sent to the database before it was killed or paused is waited for.
        """
        database = open_database(self.url)
        others = "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()"
        wait_until(lambda: not database.run(f"{others} AND datname = current_database()"))
        noted = database.run("SELECT row_number FROM connector_journal WHERE answer IS NULL AND NOT refused")
        lines = b"".join(block for (block,) in database.run("SELECT lines FROM connector_envelopes"))
        written = {json.loads(line)["row"] for line in lines.splitlines()}
        return {row for (row,) in noted} - written

    def requests(self) -> list[Entry]:
        """The requests of rows that must not be repeated, as the server received them."""
        return [entry for entry in self.sandbox.log.requests() if entry["method"] in self.kind.once]

    def check(self, envelopes: Sequence[dict[str, Any]], in_doubt: set[int]) -> None:
        """Check that each row has one envelope and no request was repeated.

        Only rows of `in_doubt` may be reported with an unknown outcome, and all others were sent.
        """
        assert [envelope["row"] for envelope in envelopes] == list(range(1, self.rows + 1))
        sent = [self.kind.row_of(entry) for entry in self.requests()]
        assert len(sent) == len(set(sent)), sorted(sent, key=str)
        unknown = {envelope["row"] for envelope in envelopes if envelope["meta"]["code"] == "outcome_unknown"}
        assert unknown <= in_doubt
        for envelope in envelopes:
            if envelope["row"] not in unknown:
                assert envelope["meta"]["code"] is None, envelope
                assert envelope["row"] in sent
                assert self.kind.fits(envelope["result"], envelope["row"])
