"""With `fsync`, the disk holds what it must before the next thing happens.

Power cannot be cut in a test: the order of syncs, requests and renames is watched, and files are damaged as a
loss of power damages them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from connector.client.client import Client
from connector.common.redaction import Redactor
from connector.errors import RunError
from connector.files import append_only, file_output
from connector.files.file_output import FileOutput, OutputSettings
from connector.files.journal import JOURNAL_NAME, read_head
from connector.files.output_formats import OutputForm
from connector.http.messages import Request, Response
from connector.runs.batch import run_batch
from tests.declared import declare, invoker
from tests.fakes import FakeClock, FakeTransport, reply
from tests.runs.batches import rows

RUN = {"action": "a"}
POST = Request("POST", "/v2/probe", effect="write", idempotent=False)


class Watch:
    """Writes down what is synced, by its name and its lines until then, and what is renamed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.events: list[str] = []
        self.held: dict[str, bytes] = {}
        self._folder, self._replace = folder, os.replace
        for module in (append_only, file_output):
            monkeypatch.setattr(module, "sync_file", self.file)
        monkeypatch.setattr(
            file_output, "sync_folder", lambda path: self.events.append(f"names in {path.name}")
        )
        monkeypatch.setattr(os, "replace", self.replace)

    def file(self, descriptor: int) -> None:
        inode = os.fstat(descriptor).st_ino
        (path,) = (p for p in self._folder.rglob("*") if p.stat().st_ino == inode)
        self.held[path.name] = path.read_bytes()
        lines = self.held[path.name].count(b"\n")
        self.events.append(f"{path.name} {lines}")

    def replace(self, source: Path, target: Path) -> None:
        self.events.append(f"rename {source.name}")
        self._replace(source, target)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    folder.mkdir()
    return folder


def run(
    client: Client,
    transport: FakeTransport,
    tmp_path: Path,
    folder: Path,
    watch: Watch,
    *,
    fsync: bool,
    concurrency: int = 1,
    format: Any = "jsonl",
    count: int = 2,
) -> None:
    def respond(method: str, target: str, body: Any) -> Response:
        number = int(target.rpartition("=")[2])
        watch.events.append(f"send {number}")
        if fsync:
            assert b'"row":%d,"step":0,"sent"' % number in watch.held["journal.jsonl"]
        return reply({"n": number})

    transport.answers = [respond] * count
    inputs = {"n": "query.n"}
    action = declare(
        tmp_path, request="POST /v2/probe", effect="write", idempotent=False, inputs=inputs, required=["n"]
    )
    out = FileOutput(
        OutputSettings(folder / f"out.{format}", OutputForm(format), RUN, "new", Redactor(), fsync=fsync)
    )
    run_batch(
        rows(count), invoker(action, client, recorder=out.journal), out, FakeClock(), concurrency=concurrency
    )


def test_every_note_is_held_before_what_it_is_about(
    client: Client, transport: FakeTransport, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Watch(monkeypatch, tmp_path)
    run(client, transport, tmp_path, folder, watch, fsync=True)
    assert watch.events == [
        "names in out.jsonl.run",
        "names in results",
        "journal.jsonl 1",
        "names in out.jsonl.run",
        "names in results",
        "journal.jsonl 2",
        "send 1",
        "journal.jsonl 3",
        "envelopes.jsonl 1",
        "journal.jsonl 4",
        "send 2",
        "journal.jsonl 5",
        "envelopes.jsonl 2",
        "rename envelopes.jsonl",
        "names in out.jsonl.run",
        "names in results",
    ]


@pytest.mark.parametrize("format", ["json", "csv"])
def test_what_is_renamed_is_held_as_a_whole(
    client: Client,
    transport: FakeTransport,
    tmp_path: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    format: str,
) -> None:
    watch = Watch(monkeypatch, tmp_path)
    run(client, transport, tmp_path, folder, watch, fsync=True, format=format)
    lines = {"json": 4, "csv": 3}[format]
    assert watch.events[-4:-2] == [f"output {lines}", "rename output"]
    assert watch.held["output"] == (folder / f"out.{format}").read_bytes()


def test_it_holds_for_any_number_of_threads(
    client: Client, transport: FakeTransport, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Watch(monkeypatch, tmp_path)
    run(client, transport, tmp_path, folder, watch, fsync=True, concurrency=8, count=100)
    assert sum(event.startswith("send") for event in watch.events) == 100
    assert watch.held["envelopes.jsonl"] == (folder / "out.jsonl").read_bytes()
    assert b'"has_error":true' not in watch.held["envelopes.jsonl"]  # each was held when it was sent


def test_without_it_the_disk_is_waited_for_at_the_end_alone(
    client: Client, transport: FakeTransport, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Watch(monkeypatch, tmp_path)
    run(client, transport, tmp_path, folder, watch, fsync=False)
    assert watch.events == ["send 1", "send 2", "envelopes.jsonl 2", "rename envelopes.jsonl"]


# --- after the power's end ---------------------------------------------------------------------------------

LINE = b'{"has_error":false,"error":null,"result":null,"row":%d,"meta":{}}\n'
DAMAGE = b"\0" * 30 + b'"x":1}\n' + b"\0" * 7
"""What a disk may hold behind the last line that it was asked to hold."""


@pytest.fixture
def interrupted(folder: Path, request: pytest.FixtureRequest) -> FileOutput:
    """A run of which the disk holds one envelope and the notes of two requests."""
    out = FileOutput(
        OutputSettings(folder / "out.jsonl", OutputForm(), RUN, "new", Redactor(), fsync=request.param)
    )
    for row in (1, 2):
        out.journal.sent(row, 0, POST)
        out.journal.answered(row, 0, Response(200, body=b"[%d]" % row))
    out.write(LINE % 1)
    out.close()
    return out


def damage(out: FileOutput, name: str) -> None:
    with (out.folder / name).open("ab") as file:
        file.write(DAMAGE + LINE % 9)


@pytest.mark.parametrize("interrupted", [True], indirect=True)
def test_what_the_disk_did_not_hold_is_cut_off(interrupted: FileOutput) -> None:
    damage(interrupted, "envelopes.jsonl")
    damage(interrupted, "journal.jsonl")
    resumed = FileOutput(OutputSettings(interrupted.path, OutputForm(), RUN, "resume", Redactor()))
    assert resumed.done_rows == 1
    response = resumed.journal.recorded(2, 0, POST)
    assert response is not None
    assert response.json() == [2]
    resumed.write(LINE % 2)
    resumed.finish()
    assert interrupted.path.read_bytes() == LINE % 1 + LINE % 2


@pytest.mark.parametrize("interrupted", [False], indirect=True)
@pytest.mark.parametrize("name", ["envelopes.jsonl", "journal.jsonl"])
def test_without_it_damage_is_a_fault_since_nobody_knows_what_was_sent_behind_it(
    interrupted: FileOutput, name: str
) -> None:
    damage(interrupted, name)
    with pytest.raises(RunError, match="the unfinished run cannot be read"):
        FileOutput(OutputSettings(interrupted.path, OutputForm(), RUN, "resume", Redactor(), fsync=True))


@pytest.mark.parametrize(
    ("interrupted", "expected"), [(True, False), (False, True)], indirect=["interrupted"]
)
def test_a_resumed_run_is_held_by_the_disk_if_it_was_or_is_to_be(
    interrupted: FileOutput, expected: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert read_head(interrupted.folder / JOURNAL_NAME).fsync is not expected
    watch = Watch(monkeypatch, tmp_path)
    resumed = FileOutput(
        OutputSettings(interrupted.path, OutputForm(), RUN, "resume", Redactor(), fsync=expected)
    )
    resumed.journal.sent(2, 1, POST)
    resumed.write(LINE % 2)
    assert watch.events == ["journal.jsonl 6", "envelopes.jsonl 2"]
    resumed.close()
