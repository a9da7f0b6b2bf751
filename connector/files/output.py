"""Writes envelopes to an output file, which gets its name only when it is complete.

During a run, a folder beside the output (`OUT.run`) has the envelopes so far as JSON Lines, and the journal.
A run that ends early leaves the folder, and can be resumed from it.
"""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Literal, Protocol

from connector.common import json_text
from connector.common.durability import sync_file, sync_folder
from connector.common.file_modes import PRIVATE_FILE, create_file, make_private_folder
from connector.common.json_text import Json
from connector.common.kept_lock import KeptLock
from connector.common.redaction import Redactor
from connector.common.user_folders import write_whole
from connector.errors import RunError, RunStoppedError
from connector.files.append_only import AppendOnlyFile, cut_broken_end
from connector.files.envelope import Envelope, ListEnvelope
from connector.files.envelope_lines import LongLine, read_envelope, read_envelope_lines
from connector.files.journal import JOURNAL_NAME, Journal, read_head
from connector.files.output_formats import OutputForm
from connector.files.unfinished import SentRequests, restart_effect, sent_requests
from connector.http.messages import Request, Response

logger = logging.getLogger(__name__)

Start = Literal["new", "resume", "restart"]


class Output(Protocol):
    """The destination of a run's envelopes."""

    done_rows: int
    """The number of rows that have all their envelopes from an interrupted run."""

    def earlier(self) -> Iterator[Envelope]:
        """Yield the envelopes that an interrupted run has written; those of long lists have no result."""

    def write(self, lines: bytes) -> None:
        """Write the lines of one or more envelopes, all or none of them. Raises RunStoppedError."""

    def write_list(self, envelope: ListEnvelope | LongLine) -> None:
        """Write the envelope of a long list, all of it or nothing. Raises RunStoppedError."""

    def finish(self) -> None:
        """Complete the output. Raises RunStoppedError."""

    def close(self) -> None:
        """Close files; an output that is not finished can be resumed where possible."""


class RunJournal(Protocol):
    """The journal of a run's requests; see `invocation.exchange.Recorder`."""

    def has_sent(self, row: int) -> bool:
        """Return whether the interrupted run has sent a request of a row that must not be repeated."""

    def recorded(self, row: int, step: int, request: Request) -> Response | None:
        """Return the response that the interrupted run received. Raises RowError."""

    def sent(self, row: int, step: int, request: Request) -> None:
        """Record a request before it is sent. Raises RunStoppedError."""

    def require_held(self) -> None:
        """Raise RunStoppedError if another process has taken over the run."""

    def require_lease(self) -> None:
        """Raise RunStoppedError if another process may have taken over the run."""

    def answered(self, row: int, step: int, response: Response) -> None:
        """Record the response to a request."""

    def refused(self, row: int, step: int) -> None:
        """Record that a request had no effect."""

    def close(self) -> None:
        """Record nothing more."""


class FileOutput:
    """An output file, with its work folder and journal until it is complete.

    `partial` is the file of the envelopes so far. `parts` is a folder for a run that is merged from several
    runs; it is removed when a run starts and when it ends. `resumed` is true if an interrupted run continues.

    The work folder and its files are private: see `file_modes`. The complete output is private if `private`
    is set, and otherwise follows the umask, in every format. `errors` is a file for the envelopes of the
    failed rows, which is written before the output. `run_id` is the id of the run in the database that has
    its state, if any. With `is_part`, it has no lock, because it is in the work folder of an output that has
    one, or in a temporary folder.
    """

    run_id: int | None = None

    def __init__(
        self,
        path: Path,
        form: OutputForm,
        fingerprint: Mapping[str, str],
        start: Start,
        redactor: Redactor,
        *,
        fsync: bool = False,
        private: bool = False,
        errors: Path | None = None,
        is_part: bool = False,
    ) -> None:
        self._errors = errors
        self.path, self._form, self._fsync, self._private = path, form, fsync, private
        self.folder = _work_folder(path)
        self.partial = partial_output_of(path)
        self.parts = self.folder / "parts"
        self._journal = Journal(_journal(path), redactor)
        self.journal: RunJournal = self._journal
        self.done_rows = 0
        self.resumed = False
        self.is_open = True
        """Whether `close` has not been called yet."""
        self._look(start)
        try:
            make_private_folder(self.folder)
            self._lock = None if is_part else _locked(path)
        except OSError as error:
            raise RunError(f"{path}: cannot be written: {error.strerror}") from error
        try:
            if self._lock:
                self._look(start)  # checked again, because another run may have written it in the meantime
            self._open(fingerprint, start)
        except BaseException:
            self._release()
            raise

    def _look(self, start: Start) -> None:
        look(self.path, start)

    def _open(self, fingerprint: Mapping[str, str], start: Start) -> None:
        if start == "resume" and _has_head(self._journal.path):
            self._resume(fingerprint)
        else:
            self._begin(fingerprint)

    def _begin(self, fingerprint: Mapping[str, str]) -> None:
        try:
            for path in (self._journal.path, self.partial, *([self._errors] if self._errors else [])):
                path.unlink(missing_ok=True)
            if self.parts.exists():
                shutil.rmtree(self.parts)
            # In this order: a journal without partial output means that the output was completed.
            self._file = AppendOnlyFile(self.partial, fsync=self._fsync)
            self._sync_names()
            self._journal.begin(fingerprint, fsync=self._fsync)
            self._sync_names()
        except (OSError, RunStoppedError) as error:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise RunError(str(error)) from error

    def _resume(self, fingerprint: Mapping[str, str]) -> None:
        try:
            before = read_head(self._journal.path)
        except RunError as error:
            raise RunError(f"{error}. {_other_ways(self.path)}") from error
        check_same_run(self.path, before.run, fingerprint, lambda: _other_ways(self.path))
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
                f"{self.path}: the unfinished run cannot be read: {error}. {_other_ways(self.path)}"
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
        try:
            if self._errors:
                from connector.files.errors_file import write_errors_file  # imported only if it is used

                with self.partial.open("rb") as partial:
                    write_errors_file(partial, self._errors, private=self._private)
            ready = self.folder / "output"
            with create_file(ready, private=self._private) as file:
                if not self._form.is_partial:
                    from connector.files.conversion import convert  # imported only if it is used

                    with self.partial.open("rb") as partial:
                        convert(partial, self._form, file, may_rewrite=True)
                    file.flush()
                    sync_file(file.fileno())
            if self._form.is_partial:
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


def _work_folder(path: Path) -> Path:
    return path.with_name(path.name + ".run")


def partial_output_of(path: Path) -> Path:
    """Return the file with the envelopes of an unfinished run, one per line; it is removed at the end."""
    return _work_folder(path) / "envelopes.jsonl"


def worker_file_of(path: Path) -> Path:
    """Return the file in the work folder of a run whose state is in a database; see `state.worker_file`."""
    return _work_folder(path) / "worker.json"


def _began_in_database(path: Path) -> bool:
    """Return whether a run with this output was started here, with its state in a database."""
    return worker_file_of(path).exists() and partial_output_of(path).exists() and not is_interrupted(path)


def _journal(path: Path) -> Path:
    return _work_folder(path) / JOURNAL_NAME


def look(path: Path, start: Start) -> None:
    """Raise RunError if an output cannot be written, or not with this `start`, such as `new` or `resume`."""
    try:
        require_file_name(path)
        exists = path.exists()
        interrupted, has_journal = is_interrupted(path), _journal(path).exists()
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {error.strerror}") from error
    if start == "new" and interrupted:
        raise RunError(
            f"{path}: an unfinished run is in {_work_folder(path)}: use --resume to continue it; "
            f"{restart_effect(_work_folder(path))}"
        )
    if start == "new" and exists:
        raise RunError(f"{path}: already exists; use --restart to overwrite it, which runs all rows again")
    if start == "new" and _began_in_database(path):
        raise RunError(
            f"{path}: {_work_folder(path)} belongs to a run whose state is in a database: use --state and "
            "--resume to continue it, or --restart to run all rows again"
        )
    if start == "resume" and not has_journal:
        raise RunError(f"{path}: there is no unfinished run to resume")


def check_same_run(
    path: Path,
    before: Mapping[str, str],
    now: Mapping[str, str],
    other_ways: Callable[[], str],
    *,
    is_finished: bool = False,
) -> None:
    """Raise RunError if a run that would be resumed differs from the unfinished, or finished, one.

    `other_ways` returns advice; it can take long, because it counts all requests.
    """
    changed = [name for name in dict.fromkeys((*now, *before)) if before.get(name) != now.get(name)]
    if changed:
        state = "finished" if is_finished else "unfinished"
        raise RunError(
            f"{path}: this run differs from the {state} one in its {', '.join(changed)}: resume "
            f"it with the same settings. {other_ways()}"
        )


def require_file_name(path: Path) -> None:
    """Raise RunError if a path cannot be that of an output file. Raises OSError if it cannot be accessed."""
    if path.is_dir():
        raise RunError(f"{path}: is a folder; use a file for the output")
    if path.exists() and not path.is_file():
        raise RunError(f"{path}: is not a regular file; use a file for the output, or - for standard output")
    if not path.parent.is_dir():
        raise RunError(f"{path}: the folder {path.parent} does not exist")


def _other_ways(path: Path) -> str:
    """Return advice on an unfinished run that cannot be resumed."""
    return (
        f"`rerun {shlex.quote(str(path))} --export FILE` saves its results; "
        f"{restart_effect(_work_folder(path))}"
    )


def is_interrupted(path: Path) -> bool:
    """Return whether an unfinished run with this output can be resumed."""
    return _has_head(_journal(path))


def sent_by_unfinished_run(path: Path) -> SentRequests:
    """Return the requests of an unfinished run with this output that must not be repeated."""
    return sent_requests(_work_folder(path)) if is_interrupted(path) else SentRequests()


def look_for_another_run(path: Path) -> None:
    """Raise RunError while another run is writing this output."""
    if _work_folder(path).is_dir():
        try:
            _locked(path).close()
        except OSError as error:
            raise RunError(f"{path}: cannot be written: {error.strerror}") from error


def _locked(path: Path) -> KeptLock:
    """Return the lock of an output, taken. Raises RunError while another run has it, and OSError."""
    lock = KeptLock(_work_folder(path) / "lock")
    if not lock.take():
        lock.close()
        error = RunError(f"{path}: another run is writing this file")
        error.transient = True
        raise error
    return lock


def discard(path: Path, *, keep_output: bool = False) -> None:
    """Remove an output, and the work folder of its unfinished run; with `keep_output`, only the folder.

    Raises RunError.
    """
    try:
        if _work_folder(path).is_dir():
            # The journal is removed first: a folder without a journal is not an unfinished run.
            _journal(path).unlink(missing_ok=True)
            shutil.rmtree(_work_folder(path))
        if not keep_output:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise RunError(f"{path}: cannot be removed: {error.strerror}") from error


def _has_head(journal: Path) -> bool:
    """Return whether a journal's first line is complete; otherwise its run has sent nothing.

    Raises RunError if it cannot be read.
    """
    try:
        with journal.open("rb") as file:
            return file.readline().endswith(b"\n")
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise RunError(f"{journal}: cannot be read: {error.strerror}") from error


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
