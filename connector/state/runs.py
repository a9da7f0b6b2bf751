"""Runs whose state is in a database, so that any worker can continue them.

A run is identified by its output, as the job names it, because the folders of workers differ. The database
has the journal and the envelopes; the work folder beside the output has a copy of the envelopes, which is
made again when a worker takes over.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from connector.common.file_modes import create_file
from connector.files import work_folder
from connector.files.file_output import OutputSettings
from connector.files.work_folder import Start
from connector.state.databases import nothing_sent
from connector.state.envelope_blocks import blocks
from connector.state.parts import begun_parts, require_free
from connector.state.removed_runs import delete_removed, remove
from connector.state.run_output import DatabaseOutput
from connector.state.run_table import RunTable, find_run
from connector.state.worker_file import worker_of


class DatabaseRunStore(RunTable):
    """The runs in a database, as a `RunStore`."""

    def check(self, path: Path, start: Start) -> None:
        """Raise RunError if an output cannot be written, or not with this `start`."""
        self.look(path, start)

    def run_id(self, path: Path) -> int:
        """Return the id of the run with this output, 0 if there is none."""
        found = self.find(path)
        return found.run if found else 0

    def is_interrupted(self, path: Path) -> bool:
        """Return whether there is an unfinished run with this output."""
        found = self.find(path)
        return found is not None and not found.finished

    def is_finished(self, path: Path) -> bool:
        """Return whether there is a finished run with this output, also if the file is not here."""
        found = self.find(path)
        return found is not None and found.finished

    def check_not_running(self, path: Path, run_id: int | None = None, *, resumes: bool = False) -> None:
        """Raise RunError while another worker is running a run with this output, or with this id.

        With `resumes`, the parts of the run do not count: workers run them also while nobody follows it.
        """
        work_folder.check_not_running(path)
        with nothing_sent(), self.database.transaction() as transaction:
            found = find_run(transaction, path) if run_id is None else None
            run = found.run if found else run_id
            if run is not None:
                require_free(transaction, str(path), worker_of(path), run, 0 if resumes else None)

    def discard(self, path: Path) -> None:
        """Remove an output, and its run."""
        work_folder.check_not_running(path)
        with nothing_sent(), self.database.transaction() as transaction:
            if found := find_run(transaction, path, lock=True):
                require_free(transaction, str(path), worker_of(path), found.run)
                self.require_own(path, found)
                remove(transaction, [found.run])
        delete_removed(self.database)
        work_folder.discard(path)

    def check_own(self, path: Path, fingerprint: Mapping[str, str] | None = None) -> None:
        """Raise RunError if the unfinished run of this name is that of another file."""
        if found := self.find(path):
            self.require_own(path, found, fingerprint)

    @contextmanager
    def partial_files(self, path: Path) -> Iterator[list[Path]]:
        """Yield files with the envelopes of an unfinished run: one for each of its parts."""
        with tempfile.TemporaryDirectory(prefix="run-", ignore_cleanup_errors=True) as folder:
            found = self.find(path)
            parts = begun_parts(self.database, found.run) if found else set()
            written = [Path(folder) / str(part) for part in sorted(parts)]
            for part, file in zip(sorted(parts), written, strict=True):
                with create_file(file, private=True) as copy, nothing_sent():
                    copy.writelines(
                        lines for _, lines in blocks(self.database, found.run if found else 0, part)
                    )
            yield written

    def open(self, settings: OutputSettings) -> DatabaseOutput:
        """Return the output of a run that begins or is resumed."""
        return DatabaseOutput(self, settings)
