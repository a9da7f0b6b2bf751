"""Runs whose state is in a database, so that any worker can continue them.

A run is known by its output, as the job names it: workers can have it in folders of their own. The database
has the journal and the envelopes; the work folder beside the output has a copy of the envelopes, which is
made again when a worker takes over.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from connector.common.file_modes import create_file
from connector.common.json_text import Json
from connector.common.redaction import Redactor
from connector.common.user_folders import write_whole
from connector.errors import RunError, RunStoppedError, file_errors
from connector.files import output as files
from connector.files.append_only import AppendOnlyFile
from connector.files.envelope import ListEnvelope
from connector.files.envelope_lines import LongLine
from connector.files.output import FileOutput, Start, check_same_run, cut_unfinished_row
from connector.files.output_formats import OutputForm
from connector.files.unfinished import SentRequests, effect_of_restart
from connector.state.database import Database, Transaction
from connector.state.databases import nothing_sent, open_database
from connector.state.journal import DatabaseJournal
from connector.state.parts import Part, require_free, take_part
from connector.state.removed_runs import delete_removed, remove

KEEP_DAYS = 7
"""The days for which a finished run is kept, so that a worker that tries it again does not run it again."""
_BLOCKS = 32
_READ_BYTES = 8 << 20
_BLOCK_BYTES = 1 << 18
_OTHER_WAYS_OF_FINISHED = "The finished one is kept; use --restart to overwrite it"
_INSERT = "INSERT INTO connector_envelopes (run, part, lines)"

logger = logging.getLogger(__name__)


class Claim(NamedTuple):
    """A part that this process has taken; `resumed` is true if it has begun before."""

    part: Part
    resumed: bool


class DatabaseRunStore:
    """The runs in a database, as a `RunStore`."""

    def __init__(self, url: str) -> None:
        self.database = open_database(url)

    def check(self, path: Path, start: Start) -> None:
        """Raise RunError if an output cannot be written, or not with this `start`."""
        self.look(path, start)

    def look(self, path: Path, start: Start) -> int:
        """Return the id of the run with this output, 0 if there is none; otherwise like `check`."""
        with file_errors(path):
            files.require_file_name(path)
            exists = path.exists()
        found = self._find(path)
        if start == "new" and found and not found.finished:
            effect = effect_of_restart(self.sent_by_unfinished_run(path))
            raise RunError(
                f"{path}: an unfinished run is in {self.database.shown}: use --resume to continue it; "
                f"{effect}"
            )
        if start == "new" and files.is_interrupted(path):
            raise RunError(
                f"{path}: an unfinished run is in {files.partial_output_of(path).parent}, and not in "
                f"{self.database.shown}: resume it without --state; "
                f"{effect_of_restart(files.sent_by_unfinished_run(path))}"
            )
        if start == "new" and exists:
            raise RunError(
                f"{path}: already exists; use --restart to overwrite it, which runs all rows again"
            )
        if start == "resume" and not found:
            raise self._nothing_to_resume(path)
        return found.run if found else 0

    def _nothing_to_resume(self, path: Path) -> RunError:
        return RunError(f"{path}: there is no unfinished run to resume in {self.database.shown}")

    def run_id(self, path: Path) -> int:
        """Return the id of the run with this output, 0 if there is none."""
        found = self._find(path)
        return found.run if found else 0

    def is_interrupted(self, path: Path) -> bool:
        """Return whether there is an unfinished run with this output."""
        found = self._find(path)
        return found is not None and not found.finished

    def is_finished(self, path: Path) -> bool:
        """Return whether there is a finished run with this output, also if the file is not here."""
        found = self._find(path)
        return found is not None and found.finished

    def sent_by_unfinished_run(self, path: Path) -> SentRequests:
        """Return the requests of an unfinished run that must not be repeated."""
        with nothing_sent():
            rows = self.database.run(
                "SELECT row_number, count(*) FROM connector_journal JOIN connector_run ON id = run"
                " WHERE output = %s AND finished IS NULL AND NOT refused AND request NOT LIKE 'DELETE %%'"
                " GROUP BY row_number",
                [key_of(path)],
            )
        return SentRequests(dict(rows))

    def check_not_running(self, path: Path) -> None:
        """Raise RunError while another worker is running a run with this output."""
        files.look_for_another_run(path)
        with nothing_sent(), self.database.transaction() as transaction:
            if found := _find(transaction, path):
                require_free(transaction, str(path), _worker_of(path), found.run)

    def discard(self, path: Path) -> None:
        """Remove an output, and its run."""
        files.look_for_another_run(path)
        with nothing_sent(), self.database.transaction() as transaction:
            if found := _find(transaction, path, lock=True):
                require_free(transaction, str(path), _worker_of(path), found.run)
                remove(transaction, [found.run])
        files.discard(path)

    @contextmanager
    def partial_files(self, path: Path) -> Iterator[list[Path]]:
        """Yield files with the envelopes of an unfinished run: one for each of its parts."""
        with tempfile.TemporaryDirectory(prefix="run-", ignore_cleanup_errors=True) as folder:
            found = self._find(path)
            parts = begun_parts(self.database, found.run) if found else set()
            written = [Path(folder) / str(part) for part in sorted(parts)]
            for part, file in zip(sorted(parts), written, strict=True):
                with create_file(file, private=True) as copy, nothing_sent():
                    copy.writelines(
                        lines for _, lines in blocks(self.database, found.run if found else 0, part)
                    )
            yield written

    def open(
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
        is_merged: bool = False,
        seen: int | None = None,
    ) -> FileOutput:
        """Return the output of a run that begins or is resumed."""
        return SharedOutput(
            self,
            path,
            form,
            fingerprint,
            start,
            redactor,
            fsync=fsync,
            private=private,
            errors=errors,
            is_merged=is_merged,
            seen=seen,
        )

    def claim(
        self, path: Path, fingerprint: Mapping[str, str], start: Start, worker: str, seen: int
    ) -> Claim:
        """Begin a run, or take over an unfinished or finished one. Raises RunError and RunStoppedError.

        `seen` is what `run_id` or `look` has returned. What another worker has begun since then is not
        replaced by a new run, and what another one has removed is not begun again by resuming it.
        """
        output = str(path)
        with self.database.transaction() as transaction:
            found = _find(transaction, path, lock=True)
            if start == "new" and found and found.run != seen:
                raise _just_begun(path)
            if start == "resume" and not found:
                raise self._nothing_to_resume(path)
            if found and start == "resume":
                is_finished = found.finished
                check_same_run(
                    path,
                    found.fingerprint,
                    fingerprint,
                    lambda: _OTHER_WAYS_OF_FINISHED if is_finished else self._other_ways(path),
                    is_finished=is_finished,
                )
                run = found.run
            else:
                if found:
                    require_free(transaction, output, worker, found.run)
                    remove(transaction, [found.run])
                _remove_old(transaction)
                run = _insert(transaction, path, fingerprint)
        if start != "resume":
            delete_removed(self.database)
        part, resumed = take_part(self.database, run, 0, output, worker)
        return Claim(part, resumed)

    def _other_ways(self, path: Path) -> str:
        effect = effect_of_restart(self.sent_by_unfinished_run(path))
        return f"`rerun {shlex.quote(str(path))} --export FILE` saves its results; {effect}"

    def _find(self, path: Path) -> _Found | None:
        with nothing_sent():
            return _find(self.database, path)


class _Found(NamedTuple):
    run: int
    fingerprint: Mapping[str, str]
    finished: bool


def key_of(path: Path) -> str:
    """Return the name by which workers know a run: its output, as the job names it, with slashes.

    While its work folder exists, the run is also found by another name of the output, such as its absolute
    path.
    """
    kept = _read_worker(path)
    return kept["run"] if kept else Path(os.path.normpath(path)).as_posix()


def _find(database: Transaction | Database, path: Path, *, lock: bool = False) -> _Found | None:
    rows = database.run(
        "SELECT id, fingerprint, finished IS NOT NULL FROM connector_run WHERE output = %s"
        + (" FOR UPDATE" if lock else ""),
        [key_of(path)],
    )
    return _Found(*rows[0]) if rows else None


def _insert(transaction: Transaction, path: Path, fingerprint: Mapping[str, str]) -> int:
    rows = transaction.run(
        "INSERT INTO connector_run (output, fingerprint) VALUES (%s, %s::jsonb)"
        " ON CONFLICT DO NOTHING RETURNING id",
        [key_of(path), json.dumps(dict(fingerprint))],
    )
    if not rows:
        raise _just_begun(path)
    run: int = rows[0][0]
    return run


def _just_begun(path: Path) -> RunError:
    error = RunError(f"{path}: another worker has begun this run in the meantime")
    error.transient = True
    return error


def blocks(database: Database | Transaction, run: int, part: int) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the lines of each block of a part's envelopes, in order.

    A block can be as large as a response: at most 8 MiB are read at once, or one block that is larger.
    """
    after = 0
    while rows := database.run(
        "SELECT number, lines FROM (SELECT number, lines, octet_length(lines) AS size,"
        " sum(octet_length(lines)) OVER (ORDER BY number) AS total FROM connector_envelopes"
        f" WHERE run = %s AND part = %s AND number > %s ORDER BY number LIMIT {_BLOCKS}) AS following"
        " WHERE total <= %s OR total = size ORDER BY number",
        [run, part, after, _READ_BYTES],
        binary=True,
    ):
        for after, lines in rows:
            yield after, lines


def _remove_old(transaction: Transaction) -> None:
    """Remove the runs that were finished more than `KEEP_DAYS` ago."""
    old = transaction.run(
        "SELECT id FROM connector_run WHERE finished < now() - make_interval(days => %s)"
        " FOR UPDATE SKIP LOCKED",
        [KEEP_DAYS],
    )
    remove(transaction, [run for (run,) in old])


class SharedOutput(FileOutput):
    """An output file whose envelopes and journal are in the database until 7 days after its end.

    With `is_merged`, the envelopes are those of the run's parts, and are not stored again. For `seen`, see
    `RunStore.open`.
    """

    def __init__(
        self,
        store: DatabaseRunStore,
        path: Path,
        form: OutputForm,
        fingerprint: Mapping[str, str],
        start: Start,
        redactor: Redactor,
        *,
        fsync: bool = False,
        private: bool = False,
        errors: Path | None = None,
        is_merged: bool = False,
        seen: int | None = None,
    ) -> None:
        self.store, self._redactor, self._is_merged, self._seen = store, redactor, is_merged, seen
        super().__init__(
            path, form, fingerprint, start, redactor, fsync=fsync, private=private, errors=errors
        )

    def _look(self, start: Start) -> None:
        found = self.store.look(self.path, start)
        self._seen = found if self._seen is None else self._seen

    def _claim(self, fingerprint: Mapping[str, str], start: Start, worker: str) -> Claim:
        return self.store.claim(self.path, fingerprint, start, worker, self._seen or 0)

    def _open(self, fingerprint: Mapping[str, str], start: Start) -> None:
        with nothing_sent():
            self.part, self.resumed = self._claim(fingerprint, start, _worker_of(self.path, make=True))
            try:
                self._prepare()
            except (OSError, RunStoppedError, RunError) as error:
                self._forget()
                self.part.release()
                if isinstance(error, OSError):
                    raise RunError(f"{self.path}: cannot be written: {error.strerror}") from error
                raise

    def _prepare(self) -> None:
        """Make the copy of the envelopes, and read the journal."""
        self.partial.unlink(missing_ok=True)
        if not self.resumed:
            self._journal.path.unlink(missing_ok=True)  # of a run whose state was in files
            if self.parts.exists():
                shutil.rmtree(self.parts)
            if self._errors:
                self._errors.unlink(missing_ok=True)
        self._copy()
        self._file = AppendOnlyFile(self.partial)
        journal = DatabaseJournal(self.part, self._redactor)
        if self.resumed:
            journal.read(self.done_rows)
            logger.info("%s: resuming; rows done: up to %d", self.path, self.done_rows)
        self.journal = journal

    def _copy(self) -> None:
        """Copy the envelopes; remove those of a last row that was not finished."""
        database = self.part.database
        with create_file(self.partial, private=True) as file:
            for _, lines in blocks(database, *self._place) if self.resumed else ():
                file.write(lines)
            size = file.tell()
        self.done_rows = cut_unfinished_row(self.partial, cut=False)
        if self.partial.stat().st_size < size:
            with database.transaction() as transaction:
                self.part.require_held(transaction)
                self._cut(transaction, self.partial.stat().st_size)

    def _cut(self, transaction: Transaction, keep: int) -> None:
        """Remove the envelopes after this number of bytes."""
        of_part = "WHERE run = %s AND part = %s"
        for number, size in transaction.run(
            f"SELECT number, octet_length(lines) FROM connector_envelopes {of_part} ORDER BY number",
            self._place,
        ):
            if keep <= 0:
                transaction.run(
                    f"DELETE FROM connector_envelopes {of_part} AND number >= %s", [*self._place, number]
                )
                return
            if keep < size:
                transaction.run(
                    "UPDATE connector_envelopes SET lines = substring(lines FROM 1 FOR %s)"
                    f" {of_part} AND number = %s",
                    [keep, *self._place, number],
                )
            keep -= size

    @property
    def _place(self) -> tuple[int, int]:
        return self.part.run, self.part.number

    def write(self, lines: bytes) -> None:
        """Write lines of envelopes. When this returns, the database has them. Raises RunStoppedError."""
        if lines and not self._is_merged:
            self.part.write(f"{_INSERT} SELECT %s, %s, %s FROM held RETURNING 1", [*self._place, lines])
        super().write(lines)

    def write_list(self, envelope: ListEnvelope | LongLine) -> None:
        """Write the envelope of a long list, as `write` does."""
        if not self._is_merged:
            with self.part.database.transaction() as transaction:
                self.part.require_held(transaction)
                for block in envelope.blocks():
                    transaction.run(f"{_INSERT} VALUES (%s, %s, %s)", [*self._place, block])
        super().write_list(envelope)

    def revise(self, lines: Iterable[bytes]) -> None:
        """Replace the envelopes so far, all or none of them. Raises RunStoppedError."""
        super().revise(lines)
        with self.part.database.transaction() as transaction, self.partial.open("rb") as file:
            self.part.require_held(transaction)
            transaction.run("DELETE FROM connector_envelopes WHERE run = %s AND part = %s", self._place)
            while some := file.readlines(_BLOCK_BYTES):
                transaction.run(f"{_INSERT} VALUES (%s, %s, %s)", [*self._place, b"".join(some)])

    def keep(self, name: str, make: Callable[[], Json]) -> Json:
        """Return a value that is made when the run begins, and kept under this name until it is finished."""
        name = f"{self.part.number} {name}"
        (kept,) = self.part.database.run("SELECT kept FROM connector_run WHERE id = %s", [self.part.run])[0]
        if name in kept:
            return kept[name]
        value = make()
        self.part.write(
            "UPDATE connector_run SET kept = kept || %s::jsonb FROM held WHERE id = %s RETURNING 1",
            [json.dumps({name: value}), self.part.run],
        )
        return value

    def finish(self) -> None:
        """Write the output, and mark the run as finished. Raises RunStoppedError."""
        self.part.write("SELECT 1 FROM held", [])
        super().finish()

    def begun_parts(self) -> set[int]:
        """Return the numbers of the parts that have begun."""
        return {number - 1 for number in begun_parts(self.store.database, self.part.run) if number}

    def open_part(self, number: int, path: Path, redactor: Redactor) -> PartOutput:
        """Return the output of a part of the run, with its files at `path`. Raises RunError."""
        return PartOutput(self.store, self.part.run, number + 1, path, redactor)

    def _complete(self) -> None:
        self.part.write(
            "UPDATE connector_run SET finished = coalesce(finished, now()) FROM held WHERE id = %s"
            " RETURNING 1",
            [self.part.run],
        )

    def abandon(self) -> None:
        """Remove a run that has sent nothing, unless it was resumed."""
        if not self.resumed:
            self._forget()
        super().abandon()

    def _forget(self) -> None:
        """Remove the run from the database, unless it was resumed."""
        if not self.resumed:
            with suppress(RunStoppedError), self.part.database.transaction() as transaction:
                self.part.require_held(transaction)
                remove(transaction, [self.part.run])

    def close(self) -> None:
        """Close the files, and let another worker take over. Raises RunStoppedError."""
        if self._lock.is_open:
            self.part.release()
        super().close()


class PartOutput(SharedOutput):
    """The output of a part of a run, such as the rows of a tenant. Its files are kept when it is complete."""

    def __init__(
        self, store: DatabaseRunStore, run: int, number: int, path: Path, redactor: Redactor
    ) -> None:
        self._run, self._number = run, number
        super().__init__(store, path, OutputForm(), {}, "resume", redactor)

    def _look(self, start: Start) -> None:
        pass

    def _claim(self, fingerprint: Mapping[str, str], start: Start, worker: str) -> Claim:
        return Claim(*take_part(self.store.database, self._run, self._number, str(self.path), worker))

    def _forget(self) -> None:
        """Do nothing: the run has other parts."""

    def finish(self) -> None:
        """Keep the envelopes: they are merged when all parts are complete."""


def begun_parts(database: Database, run: int) -> set[int]:
    """Return the numbers of a run's parts that have begun."""
    return {number for (number,) in database.run("SELECT number FROM connector_part WHERE run = %s", [run])}


def _worker_of(path: Path, *, make: bool = False) -> str:
    """Return the name of the process that holds the lock of an output's work folder.

    It is kept in the folder, so that a process on the same disk knows that an earlier one has ended: it has
    the lock now. Without `make`, return an empty text if there is none.
    """
    if kept := _read_worker(path):
        return kept["worker"]
    if not make:
        return ""
    made = {"worker": secrets.token_hex(16), "run": key_of(path)}
    write_whole(files.worker_file_of(path), json.dumps(made).encode())
    return made["worker"]


def _read_worker(path: Path) -> dict[str, str] | None:
    try:
        kept: dict[str, str] = json.loads(files.worker_file_of(path).read_text(encoding="utf-8"))
        return kept
    except (OSError, ValueError):
        return None
