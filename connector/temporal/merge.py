"""Copies the envelopes of a run's parts from the database to files, one for each connection."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from connector.common.file_modes import create_file
from connector.errors import RunStoppedError
from connector.files.envelope import Envelope
from connector.files.envelope_lines import read_envelope, read_envelope_lines
from connector.runs.summary import Listener
from connector.state.chunks import SharedRuns
from connector.state.envelope_blocks import blocks


def copy_envelopes(runs: SharedRuns, run: int, folder: Path) -> list[Path]:
    """Copy the envelopes of each tenant of a run to a file, in the order of its rows, and return the files.

    Raises RunStoppedError.
    """
    copied = []
    try:
        folder.mkdir(exist_ok=True)
        for number, parts in enumerate(runs.parts_by_tenant(run)):
            copied.append(folder / f"{number}.jsonl")
            with create_file(copied[-1], private=True) as file:
                for part in parts:
                    file.writelines(lines for _, lines in blocks(runs.database, run, part))
    except OSError as error:
        raise RunStoppedError(f"{error.filename or folder}: cannot be written: {error.strerror}") from error
    return copied


def notify_of_envelopes(paths: Iterable[Path], listeners: Iterable[Listener]) -> None:
    """Notify listeners of the envelopes in files. Raises RunStoppedError."""
    listeners = tuple(listeners)
    for path in paths:
        try:
            with path.open("rb") as file:
                for line in read_envelope_lines(file):
                    envelope = Envelope.from_json(read_envelope(line))
                    for listener in listeners:
                        listener(envelope)
        except OSError as error:
            raise RunStoppedError(f"{path}: cannot be read: {error.strerror}") from error
