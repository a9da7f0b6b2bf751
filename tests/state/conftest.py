"""Workers of one run: each has a folder of its own, and they share a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connector.common.redaction import Redactor
from connector.files.file_output import OutputSettings
from connector.files.output_formats import OutputForm
from connector.files.work_folder import Start
from connector.state import run_table
from connector.state.databases import close_databases, open_database
from connector.state.run_output import DatabaseOutput
from connector.state.runs import DatabaseRunStore
from tests.files.outputs import RUN
from tests.state.outage import outage  # noqa: F401 (a fixture)

Open = Callable[..., DatabaseOutput]
WAITS_FOR_LOCK = "wait_event_type = 'Lock' AND datname = current_database()"
"""Finds the connections of this database that wait for a lock: other tests use the same server."""


@pytest.fixture
def worker(postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens the output of a run in the folder of a worker."""
    monkeypatch.setattr(run_table, "key_of", lambda path: path.name)
    opened: list[DatabaseOutput] = []

    def open_output(name: str, start: Start, fingerprint: dict[str, str] = RUN) -> DatabaseOutput:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        store = DatabaseRunStore(postgres)
        output = store.open(
            OutputSettings(folder / "out.jsonl", OutputForm(), fingerprint, start, Redactor())
        )
        assert isinstance(output, DatabaseOutput)
        opened.append(output)
        return output

    yield open_output
    for output in opened:
        output.close()


@contextmanager
def another_encoding(url: str, encoding: str) -> Iterator[str]:
    """Context of a database with another encoding, on the same server; its URL."""
    base, _, name = url.rpartition("/")
    open_database(url).run(
        f"CREATE DATABASE {name}_other ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
    )
    try:
        yield f"{base}/{name}_other"
    finally:
        close_databases()
        open_database(url).run(f"DROP DATABASE {name}_other WITH (FORCE)")


def expire(url: str) -> None:
    """Let all leases be over, as if their workers had stopped 16 s ago."""
    open_database(url).run("UPDATE connector_part SET seen = seen - interval '16 s'")
