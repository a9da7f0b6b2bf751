"""SIGKILL at every write point of a rerun of corrected rows: nothing is lost, nothing is sent twice.

A real process runs the command against the sandbox and is killed. It is resumed, and failed rows are rerun,
until none is left.
"""

from __future__ import annotations

import csv
import json
import multiprocessing
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from connector.sandbox.ninjaone.server import Sandbox
from tests.cli.test_rerun import REFUSED
from tests.torture.command_process import work

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there"),
]

Record = Callable[[str, Any], None]
FOLDERS = ("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
NAMES = ("Acme", "Globex", "Initech", "Hooli")
SITES = [f"{name} Leeds" for name in NAMES]


class Life:
    """A folder with a job, its sandbox, and the processes that run commands; `kills` counts all of them."""

    def __init__(self, folder: Path, sandbox: Sandbox, context: Any) -> None:
        self.folder, self.sandbox, self._context = folder, sandbox, context
        self.kills = 0
        state = folder.with_name(f"{folder.name}-state")
        self._environment = {name: str(state / name) for name in FOLDERS}
        self._state = state

    def begin(self, job: dict[str, Any], rows: str) -> None:
        """Remove everything, and write a job and its rows."""
        for path in (self.folder, self._state):
            shutil.rmtree(path, ignore_errors=True)
        self.folder.mkdir()
        self.sandbox.reset()
        self.sandbox.log.clear("requests")
        connection = {**self.sandbox.connection}
        (self.folder / "connection.yaml").write_text(json.dumps(connection))
        (self.folder / "job.yaml").write_text(json.dumps({"connection": "connection.yaml", **job}))
        (self.folder / "rows.csv").write_text(rows)

    def run(self, *arguments: str, kill_at: int = 0) -> tuple[int, int] | None:
        """Run a command; return its exit code and its number of write points, or None if it was killed."""
        ours, theirs = self._context.Pipe(duplex=False)
        values = (arguments, str(self.folder), self._environment, kill_at, theirs)
        process = self._context.Process(target=work, args=values)
        process.start()
        theirs.close()
        process.join(120)
        with ours:
            if process.exitcode == 0:
                code, points = ours.recv()
                return int(code), int(points)
        assert process.exitcode == -signal.SIGKILL, self.messages
        self.kills += 1
        return None

    @property
    def messages(self) -> str:
        """The messages of the last command."""
        return (self.folder / "messages").read_text()

    def finish(self, *command: str, resumed_by: Sequence[str] = ()) -> None:
        """Resume a killed command; if there is nothing to resume, start it again, or it was finished."""
        done = self.run(*(resumed_by or command), "--resume")
        if done and done[0] == 2:
            done = self.run(*command)
        assert done, self.messages
        assert done[0] in (0, 1) or "already exists" in self.messages, self.messages

    def made(self) -> Counter[str]:
        """How often the sandbox was asked to make each name, and did it."""
        return Counter(r["body"]["name"] for r in self._posts() if r["executed"])

    def asked(self) -> Counter[str]:
        """How often each name was sent, without those that were refused."""
        return Counter(r["body"]["name"] for r in self._posts() if r["status"] != 409)

    def _posts(self) -> list[dict[str, Any]]:
        return [r for r in self.sandbox.log.requests() if r["method"] == "POST"]


@pytest.fixture(scope="module")
def context() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.torture.command_process"])
    return context


@pytest.fixture
def life(tmp_path: Path, context: Any) -> Iterator[Life]:
    with Sandbox(devices=0) as sandbox:
        yield Life(tmp_path / "work", sandbox, context)


def job(*, steps: bool, if_missing: bool) -> dict[str, Any]:
    organization = {"name": "{{ name }}", "if_missing": if_missing}
    site = {"organization_id": "{{ organization.id }}", "name": "{{ name }} Leeds", "if_missing": if_missing}
    settings = {"input": "rows.csv", "delay_ms": 0}
    if not steps:
        return {
            **settings,
            "action": "create_organization",
            "output": "out.jsonl",
            "templates": organization,
        }
    both = [
        {"name": "organization", "action": "create_organization", "templates": organization},
        {
            "name": "site",
            "action": "create_location",
            "input": {"step": "organization"},
            "templates": site,
        },
    ]
    return {**settings, "output": "out", "steps": both}


def fail_and_correct(life: Life, *, steps: bool, if_missing: bool) -> tuple[str, ...]:
    """Run a job whose rows 2 and 4 have wrong names, and one of whose sites is refused; correct all.

    Return the command that reruns the corrected rows.
    """
    life.begin(job(steps=steps, if_missing=if_missing), 'name\nAcme\n""\nInitech\n" "\n')
    reads = [None] * (1 if if_missing else 0)
    life.sandbox.set_faults(queue=[*reads, None, None, *reads, REFUSED] if steps else [])
    assert (life.run("run", "job.yaml") or ())[0] == 1, life.messages
    life.sandbox.set_faults(queue=[])
    of = "out" if steps else "out.jsonl"
    assert (life.run("failed", of, "-o", "fix.csv") or ())[0] == 0, life.messages
    with (life.folder / "fix.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == (3 if steps else 2)
    for row in rows:
        row["name"] = NAMES[int(row["row"]) - 1]
    with (life.folder / "fix.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return ("rerun", of, "--input", "fix.csv")


@pytest.mark.parametrize("if_missing", [True, False])
@pytest.mark.parametrize("steps", [True, False])
def test_a_repair_survives_a_kill_at_every_write_point(
    life: Life, steps: bool, if_missing: bool, record_property: Record
) -> None:
    """With `if_missing`, every row succeeds exactly once; without it, a row in doubt is never sent again."""
    command = fail_and_correct(life, steps=steps, if_missing=if_missing)
    done = life.run(*command)
    assert done is not None
    assert done[0] == 0, life.messages
    wanted = [*NAMES, *SITES] if steps else list(NAMES)
    assert life.made() == life.asked() == Counter(wanted)
    points = done[1]
    assert points > 30
    for point in range(1, points + 1):
        fail_and_correct(life, steps=steps, if_missing=if_missing)
        life.run(*command, kill_at=point)
        of_rerun = command[:2] if steps else command
        life.finish(*command, resumed_by=of_rerun)
        for _ in range(3):
            again = life.run(*of_rerun)
            assert again, life.messages
            if "no rows to rerun" in life.messages:
                break
        assert "no rows to rerun" in life.messages, point
        assert set(life.asked().values()) == {1}, point
        if if_missing:
            assert life.made() == Counter(wanted), point
    record_property("write points", points)
    record_property("kills", life.kills)
