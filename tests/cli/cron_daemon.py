"""A real cron daemon with one crontab, which reads no crontab of this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.loopback import PATIENCE_S

_MOUNTS = """
mount --bind "$1/crontabs" /var/spool/cron/crontabs && mount --bind "$1/cron.d" /etc/cron.d &&
mount --bind "$1/crontab" /etc/crontab && mount -t tmpfs tmpfs /run && exec cron -f
"""


def why_no_cron() -> str:
    """Return why no cron daemon can run here; an empty text if one can."""
    if shutil.which("cron") is None:
        return "cron is not installed"
    if os.geteuid() != 0:
        return "cron requires root"
    done = subprocess.run(["unshare", "--mount", "true"], capture_output=True)
    return "" if done.returncode == 0 else "cron requires a mount namespace, which cannot be created here"


@contextmanager
def running_cron(crontab: str, folder: Path) -> Iterator[None]:
    """Run cron in the foreground with a crontab of root, in a mount namespace; `folder` has its files."""
    for name in ("crontabs", "cron.d"):
        (folder / name).mkdir(parents=True)
    (folder / "crontab").touch()
    own = folder / "crontabs/root"
    own.write_text(crontab)
    own.chmod(0o600)
    process = subprocess.Popen(["unshare", "--mount", "sh", "-c", _MOUNTS, "sh", str(folder)])
    try:
        yield
        assert process.poll() is None, "cron has ended"
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_S)
