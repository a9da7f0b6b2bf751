"""The lock on a file that stays open, between real processes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock, Timeout

from connector.common.kept_lock import KeptLock

HOLD = """
import sys
from pathlib import Path
from connector.common.kept_lock import KeptLock
with KeptLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_it_excludes_other_processes_until_they_end(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(Timeout):
            FileLock(path, mode=0o600).acquire(timeout=0)
        other.kill()
        with KeptLock(path), pytest.raises(Timeout):
            FileLock(path, mode=0o600).acquire(timeout=0)
    FileLock(path, mode=0o600).acquire(timeout=0).lock.release()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_it_excludes_a_forked_process(tmp_path: Path) -> None:
    program = """if True:
        import os, signal, sys
        from pathlib import Path
        from connector.common.kept_lock import KeptLock
        lock = KeptLock(Path(sys.argv[1]))
        with lock:
            if not (child := os.fork()):
                signal.setitimer(signal.ITIMER_REAL, 0.3)  # ends the process while it waits for the lock
                with lock:
                    os._exit(0)
            sys.exit(os.WIFEXITED(os.waitpid(child, 0)[1]))
        """
    assert subprocess.run([sys.executable, "-c", program, tmp_path / "lock"]).returncode == 0


def test_it_is_taken_until_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lock, other = KeptLock(path), KeptLock(path)
    assert lock.take()
    assert not other.take()
    assert not other.take(wait_s=0.01)
    with pytest.raises(Timeout):
        FileLock(path, mode=0o600).acquire(timeout=0)
    lock.close()
    lock.close()
    assert other.take()
    assert (lock.is_open, other.is_open) == (False, True)


def test_the_lock_of_a_removed_file_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    lock = KeptLock(tmp_path / "run" / "lock")
    shutil.rmtree(tmp_path / "run")
    assert not lock.take()
    (tmp_path / "run").mkdir()
    assert KeptLock(tmp_path / "run" / "lock").take()
    assert not lock.take()


def test_its_file_is_for_its_user_alone(tmp_path: Path) -> None:
    with KeptLock(tmp_path / "lock"):
        assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_is_missing_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        KeptLock(tmp_path / "missing" / "lock")
