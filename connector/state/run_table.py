"""The table of runs in a database: finds a run by its output, begins it, or takes it over."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from connector.errors import RunError, file_errors
from connector.files import work_folder
from connector.files.unfinished import SentRequests, effect_of_restart
from connector.files.work_folder import Start, check_same_run
from connector.state.database import Database, Transaction
from connector.state.databases import nothing_sent, open_database
from connector.state.parts import Part, require_free, take_part
from connector.state.removed_runs import delete_removed, remove
from connector.state.run_place import RunPlace, place_of
from connector.state.setting import VARIABLE, without_passwords
from connector.state.worker_file import key_of, worker_of

KEEP_DAYS = 7
"""The days for which a finished run is kept, so that a retry on another machine does not repeat it."""
_OTHER_WAYS_OF_FINISHED = "The finished one is kept; use --restart to overwrite it"


class Claim(NamedTuple):
    """A part that this process has taken; `resumed` is true if it was started before."""

    part: Part
    resumed: bool


class FoundRun(NamedTuple):
    """A run in the database.

    `worker` names the process that held it last, in the work folder of its output; see `worker_of`.
    """

    run: int
    fingerprint: Mapping[str, str]
    finished: bool
    machine: str | None
    path: str | None
    worker: str | None

    @property
    def place(self) -> RunPlace:
        """Where it was started or resumed last."""
        return RunPlace(self.machine, self.path)

    def is_at(self, path: Path) -> bool:
        """Return whether it is the run of this file, and not that of another one with the same name.

        Runs of earlier versions count as those of any file, because their places are not known.
        """
        is_same_disk = self.worker is not None and self.worker == worker_of(path)
        return self.path is None or self.place == place_of(path) or is_same_disk

    def is_like(self, fingerprint: Mapping[str, str]) -> bool:
        """Return whether it has this fingerprint, by whatever engine."""
        return {**self.fingerprint, "engine": ""} == {**fingerprint, "engine": ""}


class RunTable:
    """The runs in a database, by their outputs."""

    def __init__(self, url: str) -> None:
        self.database, self._url = open_database(url), url

    def find(self, path: Path) -> FoundRun | None:
        """Return the run with this output, if there is one. Raises RunError."""
        with nothing_sent():
            return find_run(self.database, path)

    def look(self, path: Path, start: Start) -> int:
        """Return the id of the run with this output, 0 if there is none; otherwise like `RunStore.check`."""
        found = self.find(path)
        if start == "new" and found and not found.finished:
            effect = effect_of_restart(self.sent_by_unfinished_run(path))
            whose, other = "", ""
            if not found.is_at(path):
                whose = f" (started for {found.place})"
                other = ", or another output name if this is another job"
            raise RunError(
                f"{path}: an unfinished run is in {self.database.shown}{whose}: use --resume to continue "
                f"it{other}; {effect}"
            )
        with file_errors(path):
            work_folder.require_file_name(path)
            exists = path.exists()
        if start == "new" and work_folder.is_interrupted(path):
            raise RunError(
                f"{path}: an unfinished run is in {work_folder.partial_output_of(path).parent}, and not in "
                f"{self.database.shown}: resume it without --state; "
                f"{effect_of_restart(work_folder.sent_by_unfinished_run(path))}"
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

    def sent_by_unfinished_run(self, path: Path) -> SentRequests:
        """Return the requests of an unfinished run that must not be repeated."""
        with nothing_sent():
            found = find_run(self.database, path)
            return sent_requests(self.database, found.run) if found and not found.finished else SentRequests()

    def claim(
        self, path: Path, fingerprint: Mapping[str, str], start: Start, worker: str, seen: int
    ) -> Claim:
        """Begin a run, or take over an unfinished or finished one. Raises RunError and RunStoppedError.

        `seen` is what `run_id` or `look` has returned. What another worker has begun since then is not
        replaced by a new run, and what another one has removed is not begun again by resuming it.
        """
        output = str(path)
        with self.database.transaction() as transaction:
            found = find_run(transaction, path, lock=True)
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
                    lambda: _OTHER_WAYS_OF_FINISHED if is_finished else self._other_ways(path, found),
                    is_finished=is_finished,
                )
                run = found.run
                transaction.run(
                    "UPDATE connector_run SET machine = %s, path = %s WHERE id = %s", [*place_of(path), run]
                )
            else:
                if found:
                    require_free(transaction, output, worker, found.run)
                    self.require_own(path, found, fingerprint)
                    remove(transaction, [found.run])
                _remove_old(transaction)
                run = _insert(transaction, path, fingerprint)
        if start != "resume":
            delete_removed(self.database)
        part, resumed = take_part(self.database, run, 0, output, worker)
        return Claim(part, resumed)

    def require_own(self, path: Path, found: FoundRun, fingerprint: Mapping[str, str] | None = None) -> None:
        """Raise RunError if an unfinished run is that of another file with the same name.

        A run with the given `fingerprint` does the same, wherever it was started.
        """
        is_own = found.is_at(path) or (fingerprint is not None and found.is_like(fingerprint))
        if not (found.finished or is_own):
            raise RunError(
                f"{path}: the unfinished run with this name in {self.database.shown} is {self._owner(found)}"
            )

    def _other_ways(self, path: Path, found: FoundRun) -> str:
        if not found.is_at(path):
            return f"It is {self._owner(found)}"
        effect = effect_of_restart(self.sent_by_unfinished_run(path))
        return f"{self._rerun(str(path), '--export FILE')} saves its results; {effect}"

    def _owner(self, found: FoundRun) -> str:
        """Return whose run was found, and what can be done."""
        return (
            f"that of {found.place}, perhaps of another job: use another output name, or finish that "
            f"run; {self._rerun(found.place.file, '--discard')} removes it"
        )

    def _rerun(self, output: str, option: str) -> str:
        """Return a command for a run, with its database unless the environment has it."""
        is_known = os.environ.get(VARIABLE) == self._url
        state = "" if is_known else f" --state {shlex.quote(without_passwords(self._url))}"
        return f"`rerun {shlex.quote(output)} {option}{state}`"


def find_run(database: Transaction | Database, path: Path, *, lock: bool = False) -> FoundRun | None:
    """Return the run with this output, if there is one; with `lock`, lock it until the transaction ends."""
    rows = database.run(
        "SELECT id, fingerprint, finished IS NOT NULL, machine, path,"
        " (SELECT worker FROM connector_part WHERE run = id AND number = 0)"
        " FROM connector_run WHERE output = %s" + (" FOR UPDATE" if lock else ""),
        [key_of(path)],
    )
    return FoundRun(*rows[0]) if rows else None


def sent_requests(database: Transaction | Database, run: int) -> SentRequests:
    """Return the requests of a run that must not be repeated."""
    rows = database.run(
        "SELECT row_number, count(*) FROM connector_journal"
        " WHERE run = %s AND NOT refused AND request NOT LIKE 'DELETE %%' GROUP BY row_number",
        [run],
    )
    return SentRequests(dict(rows))


def _insert(transaction: Transaction, path: Path, fingerprint: Mapping[str, str]) -> int:
    rows = transaction.run(
        "INSERT INTO connector_run (output, fingerprint, machine, path) VALUES (%s, %s::jsonb, %s, %s)"
        " ON CONFLICT DO NOTHING RETURNING id",
        [key_of(path), json.dumps(dict(fingerprint)), *place_of(path)],
    )
    if not rows:
        raise _just_begun(path)
    run: int = rows[0][0]
    return run


def _just_begun(path: Path) -> RunError:
    error = RunError(f"{path}: another worker has started this run in the meantime")
    error.transient = True
    return error


def _remove_old(transaction: Transaction) -> None:
    """Remove the runs that were finished more than `KEEP_DAYS` ago."""
    old = transaction.run(
        "SELECT id FROM connector_run WHERE finished < now() - make_interval(days => %s)"
        " FOR UPDATE SKIP LOCKED",
        [KEEP_DAYS],
    )
    remove(transaction, [run for (run,) in old])
