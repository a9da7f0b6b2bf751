"""The output of a run, or of a part of it, whose envelopes and journal are in a database.

The work folder beside the output has a copy of the envelopes, which is made again when a worker takes over.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from connector.common.file_modes import create_file
from connector.common.json_text import Json
from connector.common.redaction import Redactor
from connector.errors import RunError, RunStoppedError
from connector.files.append_only import AppendOnlyFile
from connector.files.envelope_lines import LongLine
from connector.files.file_output import FileOutput, OutputSettings, cut_unfinished_row
from connector.files.list_envelope import ListEnvelope
from connector.files.output_formats import OutputForm
from connector.state.database import Transaction
from connector.state.databases import nothing_sent
from connector.state.envelope_blocks import blocks
from connector.state.journal import DatabaseJournal
from connector.state.parts import begun_parts, take_part
from connector.state.removed_runs import remove
from connector.state.run_table import Claim, RunTable
from connector.state.worker_file import worker_of

_BLOCK_BYTES = 1 << 18
_INSERT = "INSERT INTO connector_envelopes (run, part, lines)"

logger = logging.getLogger(__name__)


class DatabaseOutput(FileOutput):
    """An output file whose envelopes and journal are in the database for at least 7 days after its end.

    If it `is_merged`, the envelopes are those of the run's parts, and are not stored again.
    """

    def __init__(self, store: RunTable, settings: OutputSettings) -> None:
        self.store, self._seen = store, settings.seen
        super().__init__(settings)

    def _check(self) -> None:
        found = self.store.look(self.path, self._settings.start)
        self._seen = found if self._seen is None else self._seen

    def _claim(self, worker: str) -> Claim:
        return self.store.claim(
            self.path, self._settings.fingerprint, self._settings.start, worker, self._seen or 0
        )

    def _open(self) -> None:
        with nothing_sent():
            self.part, self.resumed = self._claim(worker_of(self.path, make=True))
            self.run_id = self.part.run
            try:
                self._prepare()
            except BaseException as error:  # also Ctrl-C: others would have to wait for the end of the lease
                self._forget()
                self.part.release()
                if isinstance(error, OSError):
                    raise RunError(f"{self.path}: cannot be written: {error.strerror}") from error
                if isinstance(error, (ValueError, KeyError, TypeError)):
                    place = self.store.database.shown
                    raise RunError(
                        f"{self.path}: the unfinished run in {place} cannot be read: {error}"
                    ) from error
                raise

    def _prepare(self) -> None:
        """Make the copy of the envelopes, and read the journal."""
        self.partial.unlink(missing_ok=True)
        if not self.resumed:
            self._journal.path.unlink(missing_ok=True)  # of a run whose state was in files
            if self.parts.exists():
                shutil.rmtree(self.parts)
            if errors := self._settings.errors:
                errors.unlink(missing_ok=True)
        self._copy()
        self._file = AppendOnlyFile(self.partial)
        journal = DatabaseJournal(self.part, self._settings.redactor)
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
        if lines and not self._settings.is_merged:
            self.part.commit("envelopes", (lines,), size=len(lines))
        super().write(lines)

    def write_list(self, envelope: ListEnvelope | LongLine) -> None:
        """Write the envelope of a long list, as `write` does."""
        if not self._settings.is_merged:
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
        self.part.flush()
        super().finish()

    def begun_parts(self) -> set[int]:
        """Return the numbers of the parts that have begun."""
        return {number - 1 for number in begun_parts(self.store.database, self.part.run) if number}

    def open_part(self, number: int, path: Path, redactor: Redactor) -> DatabasePartOutput:
        """Return the output of a part of the run, with its files at `path`. Raises RunError."""
        return DatabasePartOutput(self.store, self.part.run, number + 1, path, redactor)

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
        if self.is_open:
            self.part.release()
        super().close()


class DatabasePartOutput(DatabaseOutput):
    """The output of a part of a run, such as the rows of a tenant. Its files are kept when it is complete."""

    def __init__(self, store: RunTable, run: int, number: int, path: Path, redactor: Redactor) -> None:
        self._run, self._number = run, number
        super().__init__(store, OutputSettings(path, OutputForm(), {}, "resume", redactor))

    def _check(self) -> None:
        """Do nothing: the output of the run was checked."""

    def _claim(self, worker: str) -> Claim:
        return Claim(*take_part(self.store.database, self._run, self._number, str(self.path), worker))

    def _forget(self) -> None:
        """Do nothing: the run has other parts."""

    def finish(self) -> None:
        """Keep the envelopes: they are merged when all parts are complete."""
