"""The file of failed rows, wherever a run is killed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from connector.common.redaction import Redactor
from connector.errors import RunStoppedError
from connector.files.file_output import FileOutput, OutputSettings
from connector.files.output_formats import Format, OutputForm
from connector.files.work_folder import Start, is_interrupted
from tests.files.outputs import RUN, envelope, rows


def open_output(folder: Path, format: Format, how: Start = "new") -> FileOutput:
    form = OutputForm(format, results=True)
    return FileOutput(
        OutputSettings(
            folder / "out", form, RUN, how, Redactor(), errors=folder / "errors.jsonl", private=True
        )
    )


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("format", ["jsonl", "json", "csv", "xlsx", "table"])
@pytest.mark.parametrize("renamed", [0, 1, 2])
def test_it_is_complete_after_a_kill_at_any_step_of_the_end(
    tmp_path: Path, format: Format, renamed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    for folder in (tmp_path / "undisturbed", tmp_path / "killed"):
        folder.mkdir()
        output = open_output(folder, format)
        for line in (envelope(1, {"a": 1}), envelope(2, None, "no"), envelope(3, {"b": "=x"})):
            output.write(line.line())
        if folder.name == "killed":
            die_after(monkeypatch, renamed)
            with pytest.raises(KilledError):
                output.finish()
            monkeypatch.undo()
            output.close()
            assert is_interrupted(folder / "out")
            output = open_output(folder, format, "resume")
            assert [e.row for e in output.earlier()] == [1, 2, 3]
        output.finish()
        assert rows(folder / "errors.jsonl") == [2]
        assert sorted(path.name for path in folder.iterdir()) == ["errors.jsonl", "out"]
        assert (folder / "errors.jsonl").stat().st_mode & 0o777 == 0o600
        written.append((folder / "out").read_bytes())
    assert format == "xlsx" or written[0] == written[1]


def die_after(monkeypatch: pytest.MonkeyPatch, renamed: int) -> None:
    """End the process instead of the next renaming, or behind the second one."""
    replace, done = os.replace, []

    def dying(*names: Any) -> None:
        if len(done) == renamed:
            raise KilledError
        replace(*names)
        done.append(names)
        if len(done) == 2:
            raise KilledError

    monkeypatch.setattr(os, "replace", dying)


def test_a_folder_that_is_full_stops_the_run_and_keeps_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = open_output(tmp_path, "csv")
    output.write(envelope(1, None, "no").line())

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as context:
        context.setattr(os, "replace", full)
        with pytest.raises(RunStoppedError, match=r"errors\.jsonl: cannot be written: No space left"):
            output.finish()
    output.close()
    output = open_output(tmp_path, "csv", "resume")
    output.finish()
    assert rows(tmp_path / "errors.jsonl") == [1]
