"""Finds the outputs of the reruns of a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from connector.common.file_lock import FileLock, Timeout
from connector.common.user_folders import records_folder
from connector.errors import RunError
from connector.runs.output_names import absolute, family_name, id_of, is_rerun_name
from connector.runs.records import list_records
from connector.runs.run_stores import store_of

JOB_RERUN = "rerun.json"
"""The file that marks a folder with the outputs of a rerun of a job with steps; see `job_rerun`."""


@contextmanager
def only_rerun(path: Path) -> Iterator[None]:
    """Context in which no other process of this user can rerun a run, by its output, or a job, by its folder.

    Otherwise, two reruns that choose their rows at the same time could send the same rows. Raises RunError.
    """
    lock = FileLock(records_folder() / f"{id_of(absolute(path))}.rerun.lock", mode=0o600)
    with suppress(OSError):  # Without a state folder, the outputs of reruns have locks.
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise RunError(f"{path}: another rerun of these rows is running; wait until it ends") from None
    try:
        yield
    finally:
        lock.release()


def check_complete(of: Path, state: str) -> None:
    """Raise RunError if an output does not exist, its run is unfinished, or it is of a job's rerun.

    `state` is the setting of the run.
    """
    store = store_of(state)
    if not of.is_dir() and store.is_interrupted(of):
        raise RunError(f"{of}: the run is unfinished; wait until it ends, or continue it with --resume")
    if not of.exists() and store.is_finished(of):
        raise RunError(
            f"{of}: the output is on another machine, or was deleted; execute the command of the run "
            "with --resume to write it again without sending anything"
        )
    if not of.is_file():
        raise RunError(f"{of}: no such output file")
    if (of.parent / JOB_RERUN).is_file():
        job = absolute(of).parent.parent
        raise RunError(f"{of} is the output of a rerun of a job; use the folder of the job: {job}")


def find_relatives(of: Path) -> set[Path]:
    """Return the outputs of all reruns of a run, found by file name and in the recorded runs."""
    family = {absolute(of)}
    for path in absolute(of).parent.iterdir():
        path = path.with_name(path.name.removesuffix(".run"))
        if is_rerun_name(path) and family_name(path) == family_name(of):
            family.add(path)
    for head in absolute(of).parent.glob(f"*/{JOB_RERUN}"):
        family.add(head.with_name(f"{family_name(of).name}.jsonl"))
    links = [{r.output, r.rerun_of} for r in list_records() if r.rerun_of]
    while touching := [link for link in links if link & family and not link <= family]:
        family = family.union(*touching)
    return family - {absolute(of)}


def later_reruns(of: Path, relatives: set[Path], state: str) -> Iterator[Path]:
    """Yield the outputs of finished reruns that are newer than `of`, the oldest first.

    Older ones are of a replaced output. `state` is the setting of the run.
    """
    store = store_of(state)
    finished = (path for path in relatives if path.is_file() and not store.is_interrupted(path))
    times = {path: path.stat().st_mtime_ns for path in finished}
    since = of.stat().st_mtime_ns
    yield from sorted((path for path in times if times[path] >= since), key=lambda path: (times[path], path))
