"""The work folder of an output (`OUT.run`): its files, its lock, and the checks before a run uses it."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

from connector.common.kept_lock import KeptLock
from connector.errors import RunError
from connector.files.journal import JOURNAL_NAME
from connector.files.unfinished import SentRequests, restart_effect, sent_requests

Start = Literal["new", "resume", "restart"]
"""How a run starts: `restart` replaces an earlier run with the same output."""


def work_folder_of(path: Path) -> Path:
    """Return the work folder of an output."""
    return path.with_name(path.name + ".run")


def partial_output_of(path: Path) -> Path:
    """Return the file with the envelopes of an unfinished run, one per line; it is removed at the end."""
    return work_folder_of(path) / "envelopes.jsonl"


def worker_file_of(path: Path) -> Path:
    """Return the file in the work folder of a run whose state is in a database; see `state.worker_file`."""
    return work_folder_of(path) / "worker.json"


def _began_in_database(path: Path) -> bool:
    """Return whether a run with this output was started here, with its state in a database."""
    return worker_file_of(path).exists() and partial_output_of(path).exists() and not is_interrupted(path)


def journal_of(path: Path) -> Path:
    """Return the journal of an unfinished run; see `files.journal`."""
    return work_folder_of(path) / JOURNAL_NAME


def check_output(path: Path, start: Start) -> None:
    """Raise RunError if an output cannot be written, or not with this `start`, such as `new` or `resume`."""
    try:
        require_file_name(path)
        exists = path.exists()
        interrupted, has_journal = is_interrupted(path), journal_of(path).exists()
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {error.strerror}") from error
    if start == "new" and interrupted:
        raise RunError(
            f"{path}: an unfinished run is in {work_folder_of(path)}: use --resume to continue it; "
            f"{restart_effect(work_folder_of(path))}"
        )
    if start == "new" and exists:
        raise RunError(f"{path}: already exists; use --restart to overwrite it, which runs all rows again")
    if start == "new" and _began_in_database(path):
        raise RunError(
            f"{path}: {work_folder_of(path)} belongs to a run whose state is in a database: use --state and "
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


def other_ways_of(path: Path) -> str:
    """Return advice on an unfinished run that cannot be resumed."""
    return (
        f"`rerun {shlex.quote(str(path))} --export FILE` saves its results; "
        f"{restart_effect(work_folder_of(path))}"
    )


def is_interrupted(path: Path) -> bool:
    """Return whether an unfinished run with this output can be resumed."""
    return _has_head(journal_of(path))


def sent_by_unfinished_run(path: Path) -> SentRequests:
    """Return the requests of an unfinished run with this output that must not be repeated."""
    return sent_requests(work_folder_of(path)) if is_interrupted(path) else SentRequests()


def check_not_running(path: Path) -> None:
    """Raise RunError while another run is writing this output."""
    if work_folder_of(path).is_dir():
        try:
            take_lock(path).close()
        except OSError as error:
            raise RunError(f"{path}: cannot be written: {error.strerror}") from error


def take_lock(path: Path) -> KeptLock:
    """Return the lock of an output, taken. Raises RunError while another run has it, and OSError."""
    lock = KeptLock(work_folder_of(path) / "lock")
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
        if work_folder_of(path).is_dir():
            # The journal is removed first: a folder without a journal is not an unfinished run.
            journal_of(path).unlink(missing_ok=True)
            shutil.rmtree(work_folder_of(path))
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
