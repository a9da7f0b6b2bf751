"""Workers of one run: each has a folder of its own, and they share a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from connector.common.redaction import Redactor
from connector.files.output import Start
from connector.files.output_formats import OutputForm
from connector.state import run_table
from connector.state.run_output import SharedOutput
from connector.state.runs import DatabaseRunStore
from tests.files.outputs import RUN
from tests.state.outage import outage  # noqa: F401 (a fixture)

Open = Callable[..., SharedOutput]


@pytest.fixture
def worker(postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens the output of a run in the folder of a worker."""
    monkeypatch.setattr(run_table, "key_of", lambda path: path.name)
    opened: list[SharedOutput] = []

    def open_output(name: str, start: Start, fingerprint: dict[str, str] = RUN) -> SharedOutput:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        store = DatabaseRunStore(postgres)
        output = store.open(folder / "out.jsonl", OutputForm(), fingerprint, start, Redactor())
        assert isinstance(output, SharedOutput)
        opened.append(output)
        return output

    yield open_output
    for output in opened:
        output.close()
