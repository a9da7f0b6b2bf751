"""The stores of unfinished runs: files beside their outputs, or a database that workers share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from connector.files import work_folder
from connector.files.file_output import FileOutput, OutputSettings
from connector.files.unfinished import SentRequests
from connector.files.work_folder import Start


class RunStore(Protocol):
    """The runs by their outputs. Its methods raise RunError."""

    def check(self, path: Path, start: Start) -> None:
        """Raise RunError if an output cannot be written, or not with this `start`."""

    def is_interrupted(self, path: Path) -> bool:
        """Return whether there is an unfinished run with this output."""

    def is_finished(self, path: Path) -> bool:
        """Return whether the store has a finished run with this output, also if the file is not here.

        If such a run is resumed, it sends nothing, and the output is written again.
        """

    def run_id(self, path: Path) -> int | None:
        """Return the id of the run with this output, 0 if there is none; None if runs are in files."""

    def sent_by_unfinished_run(self, path: Path) -> SentRequests:
        """Return the requests of an unfinished run that must not be repeated."""

    def check_not_running(self, path: Path, run_id: int | None = None, *, resumes: bool = False) -> None:
        """Raise RunError while another process is running a run with this output.

        `run_id` is the id of the run in a database, if it is known; its output can be on another machine.
        With `resumes`, workers that run its parts do not count.
        """

    def check_own(self, path: Path, fingerprint: Mapping[str, str] | None = None) -> None:
        """Raise RunError if the unfinished run of this name is that of another file.

        It is that of this file if it was started there, or has this fingerprint.
        """

    def partial_files(self, path: Path) -> AbstractContextManager[list[Path]]:
        """Return a context with the files of an unfinished run's envelopes: one, or one per tenant."""

    def discard(self, path: Path) -> None:
        """Remove an output, and its unfinished run."""

    def open(self, settings: OutputSettings) -> FileOutput:
        """Return the output of a run that begins or is resumed."""


def can_resume(store: RunStore, path: Path) -> bool:
    """Return whether a run with this output can be resumed."""
    return store.is_interrupted(path) or (not path.exists() and store.is_finished(path))


class FileRunStore:
    """The runs in work folders beside their outputs."""

    check = staticmethod(work_folder.check_output)
    is_interrupted = staticmethod(work_folder.is_interrupted)
    sent_by_unfinished_run = staticmethod(work_folder.sent_by_unfinished_run)
    discard = staticmethod(work_folder.discard)

    def check_not_running(self, path: Path, run_id: int | None = None, *, resumes: bool = False) -> None:
        """Raise RunError while another process is running a run with this output."""
        work_folder.check_not_running(path)

    def check_own(self, path: Path, fingerprint: Mapping[str, str] | None = None) -> None:
        """Do nothing: runs are beside their outputs."""

    @contextmanager
    def partial_files(self, path: Path) -> Iterator[list[Path]]:
        """Yield the files with the envelopes of an unfinished run: one file, or one per tenant."""
        partial = work_folder.partial_output_of(path)
        found = sorted(partial.parent.rglob(partial.name))
        # If the run was killed while it renamed its partial output, `path` has the envelopes.
        yield found if partial in found else [path, *found]

    def is_finished(self, path: Path) -> bool:
        """Return False: only the output of a finished run is kept."""
        return False

    def run_id(self, path: Path) -> None:
        """Return None: there are no ids."""

    def open(self, settings: OutputSettings) -> FileOutput:
        """Return the output of a run that begins or is resumed."""
        return FileOutput(settings)
