"""Writes envelopes to an output file, which gets its name only when it is complete.

During a run, a folder beside the output (`OUT.run`) has the envelopes so far as JSON Lines, and the journal.
A run that ends early leaves the folder, and can be resumed from it.
"""

from __future__ import annotations

import logging
import os
import shutil
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from connector.common import json_text
from connector.common.durability import sync_file, sync_folder
from connector.common.file_modes import PRIVATE_FILE, create_file, make_private_folder
from connector.common.json_text import Json
from connector.common.redaction import Redactor
from connector.common.user_folders import write_whole
from connector.errors import RunError, RunStoppedError
from connector.files.append_only import AppendOnlyFile, cut_broken_end
from connector.files.envelope import Envelope
from connector.files.envelope_lines import LongLine, read_envelope, read_envelope_lines
from connector.files.journal import Journal, read_head
from connector.files.list_envelope import ListEnvelope
from connector.files.output import RunJournal
from connector.files.output_formats import OutputForm
from connector.files.work_folder import (
    Start,
    check_output,
    check_same_run,
    is_interrupted,
    journal_of,
    other_ways_of,
    partial_output_of,
    take_lock,
    work_folder_of,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class OutputSettings:
    """How the output of a run is opened.

    `fingerprint` identifies the run: it is resumed only with the same one. `redactor` hides secrets in the
    journal. With `fsync`, each write is on the disk before the next one. The complete output is private if
    `private` is set, and otherwise follows the umask, in every format. `errors` is a file for the envelopes
    of the failed rows, which is written before the output.

    For runs whose state is in a database: with `is_merged`, the envelopes are merged from those of parts,
    which are kept until it is finished. `seen` is what `RunStore.run_id` has returned when the run was
    checked, if that was earlier: a new run does not replace another run than that.
    """

    path: Path
    form: OutputForm
    fingerprint: Mapping[str, str]
    start: Start
    redactor: Redactor
    fsync: bool = False
    private: bool = False
    errors: Path | None = None
    is_merged: bool = False
    seen: int | None = None


class FileOutput:
    """An output file, with its work folder and journal until it is complete.

    `partial` is the file of the envelopes so far. `parts` is a folder for a run that is merged from several
    runs; it is removed when a run starts and when it ends. `resumed` is true if an interrupted run continues.
    `run_id` is the id of the run in the database that has its state, if any. The work folder and its files
    are private: see `file_modes`.

    With `is_part`, the output has no lock, because it is in the work folder of an output that has one, or in
    a temporary folder.
    """

    run_id: int | None = None

    def __init__(self, settings: OutputSettings, *, is_part: bool = False) -> None:
        self._settings = settings
        self.path = path = settings.path
        self._fsync = settings.fsync
        self.folder = work_folder_of(path)
        self.partial = partial_output_of(path)
        self.parts = self.folder / "parts"
        self._journal = Journal(journal_of(path), settings.redactor)
        self.journal: RunJournal = self._journal
        self.done_rows = 0
        self.resumed = False
        self.is_open = True
        """Whether `close` has not been called yet."""
        self._check()
        try:
            make_private_folder(self.folder)
            self._lock = None if is_part else take_lock(path)
        except OSError as error:
            raise RunError(f"{path}: cannot be written: {error.strerror}") from error
        try:
            if self._lock:
                self._check()  # again, because another run may have written the output in the meantime
            self._open()
        except BaseException:
            self._release()
            raise

    def _check(self) -> None:
        check_output(self.path, self._settings.start)

    def _open(self) -> None:
        if self._settings.start == "resume" and is_interrupted(self.path):
            self._resume()
        else:
            self._begin()

    def _begin(self) -> None:
        errors = self._settings.errors
        try:
            for path in (self._journal.path, self.partial, *([errors] if errors else [])):
                path.unlink(missing_ok=True)
            if self.parts.exists():
                shutil.rmtree(self.parts)
            # In this order: a journal without partial output means that the output was completed.
            self._file = AppendOnlyFile(self.partial, fsync=self._fsync)
            self._sync_names()
            self._journal.begin(self._settings.fingerprint, fsync=self._fsync)
            self._sync_names()
        except (OSError, RunStoppedError) as error:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise RunError(str(error)) from error

    def _resume(self) -> None:
        try:
            before = read_head(self._journal.path)
        except RunError as error:
            raise RunError(f"{error}. {other_ways_of(self.path)}") from error
        check_same_run(self.path, before.run, self._settings.fingerprint, lambda: other_ways_of(self.path))
        try:
            if not self.partial.exists() and self.path.exists():
                os.replace(self.path, self.partial)
            self.partial.touch(PRIVATE_FILE)
            with suppress(OSError):  # The file may already have its final name and permissions.
                self.partial.chmod(PRIVATE_FILE)
            cut_broken_end(self.partial)
            # With fsync, each line is on the disk before the next one is written. So a broken line was cut
            # off by a power failure, and no request recorded after it was sent.
            self.done_rows = cut_unfinished_row(self.partial, cut=before.fsync)
            self._fsync = self._fsync or before.fsync
            self._file = AppendOnlyFile(self.partial, fsync=self._fsync)
            self._journal.resume(self.done_rows, fsync=self._fsync, cut=before.fsync)
            self.resumed = True
            counts = (self.path, self.done_rows, self._journal.earlier_rows)
            logger.info("%s: resuming; rows done: up to %d, rows in progress with sent requests: %d", *counts)
        except (OSError, RunStoppedError, ValueError, KeyError, TypeError) as error:
            raise RunError(
                f"{self.path}: the unfinished run cannot be read: {error}. {other_ways_of(self.path)}"
            ) from error

    def _sync_names(self) -> None:
        """Flush the directory entries of the files to the disk, if `fsync` is set."""
        if self._fsync:
            sync_folder(self.folder)
            sync_folder(self.path.parent)

    def earlier(self) -> Iterator[Envelope]:
        """Yield the envelopes that the interrupted run had written; those of long lists have no result."""
        with self.partial.open("rb") as file:
            for line in read_envelope_lines(file):
                yield Envelope.from_json(read_envelope(line))

    def write(self, lines: bytes) -> None:
        """Write lines of envelopes.

        When this returns, the operating system has them. Raises RunStoppedError.
        """
        self._file.append(lines)

    def write_list(self, envelope: ListEnvelope | LongLine) -> None:
        """Write the envelope of a long list, as `write` does."""
        self._file.append_blocks(envelope.blocks())

    def revise(self, lines: Iterable[bytes]) -> None:
        """Replace the envelopes so far, all or none of them. Raises RunStoppedError."""
        self._file.require_name()
        revised = self.folder / "revised"
        try:
            with create_file(revised, private=True) as file:
                file.writelines(lines)
                file.flush()
                sync_file(file.fileno())
            self._file.close()
            os.replace(revised, self.partial)
            self._file = AppendOnlyFile(self.partial, fsync=self._fsync)
            self._sync_names()
        except OSError as error:
            raise RunStoppedError(f"{self.path}: cannot be written: {error.strerror}") from error

    def keep(self, name: str, make: Callable[[], Json]) -> Json:
        """Return a value that is made when the run begins, and kept under this name until it is finished."""
        path = self.folder / f"{name}.json"
        with suppress(FileNotFoundError):
            return json_text.loads(path.read_text(encoding="utf-8"))
        value = make()
        write_whole(path, json_text.dump_bytes(value))
        return value

    def finish(self) -> None:
        """Write the output in its format, give it its name, and remove the work folder."""
        self._file.require_name()
        self._file.sync()
        self._file.close()  # Windows cannot rename an open file
        form, errors, private = self._settings.form, self._settings.errors, self._settings.private
        try:
            if errors:
                from connector.files.errors_file import write_errors_file  # imported only if it is used

                with self.partial.open("rb") as partial:
                    write_errors_file(partial, errors, private=private)
            ready = self.folder / "output"
            with create_file(ready, private=private) as file:
                if not form.is_partial:
                    from connector.files.conversion import convert  # imported only if it is used

                    with self.partial.open("rb") as partial:
                        convert(partial, form, file, may_rewrite=True)
                    file.flush()
                    sync_file(file.fileno())
            if form.is_partial:
                with suppress(OSError):
                    self.partial.chmod(stat.S_IMODE(ready.stat().st_mode))
                ready = self.partial
            os.replace(ready, self.path)
            self._sync_names()
        except OSError as error:
            raise RunStoppedError(f"{self.path}: cannot be written: {error.strerror}") from error
        self._complete()
        self.close()
        with suppress(OSError):  # The journal is removed first: a folder without it is not an unfinished run.
            self._journal.path.unlink()
        shutil.rmtree(self.folder, ignore_errors=True)

    def begun_parts(self) -> set[int] | None:
        """Return the numbers of the parts that a shared store has; None if the parts are in files."""
        return None

    def open_part(self, number: int, path: Path, redactor: Redactor) -> FileOutput | None:
        """Return the output of a part in a shared store, with its files at `path`; None if there is none.

        Raises RunError.
        """
        return None

    def _complete(self) -> None:
        """Record that the output has its name."""

    def abandon(self) -> None:
        """Remove the work folder of a run that has sent nothing, unless it was resumed."""
        if not self.resumed:
            self.close()
            shutil.rmtree(self.folder, ignore_errors=True)

    def close(self) -> None:
        """Close the files; unfinished work can be resumed. Raises RunStoppedError: see AppendOnlyFile."""
        if self.is_open:
            with ExitStack() as all_of_them:
                all_of_them.callback(self._release)
                all_of_them.callback(self.journal.close)
                all_of_them.callback(self._file.close)

    def _release(self) -> None:
        self.is_open = False
        if self._lock:
            self._lock.close()


def cut_unfinished_row(partial: Path, *, cut: bool) -> int:
    """Remove the envelopes of an incomplete last row; return the number of the last complete row.

    Raises ValueError for invalid JSON; with `cut`, that line and those after it are removed, too.
    """
    done = keep = position = 0
    with partial.open("rb") as file:
        for line in read_envelope_lines(file):
            position += len(line)
            try:
                envelope = read_envelope(line)
                if cut and isinstance(line, LongLine):
                    deque(line.items(), maxlen=0)  # The disk can lack any part of it.
            except ValueError:
                if not cut:
                    raise
                break
            if envelope["meta"].get("last", True):
                done, keep = envelope["row"], position
    os.truncate(partial, keep)
    return done
