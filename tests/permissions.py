"""Permissions that hold for root, too: a process, or a thread of one, that may not override them."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PR_CAPBSET_DROP = 24
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2
_VERSION_3 = 0x20080522


def _is_root() -> bool:
    return sys.platform == "linux" and os.geteuid() == 0


def obey_permissions() -> None:
    """Take the right to override permissions from the program that this process runs next (`preexec_fn`)."""
    if _is_root():
        libc = ctypes.CDLL(None)
        for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
            libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)


@contextmanager
def obeying_permissions() -> Iterator[None]:
    """A context without the right to override permissions, for this thread and those that it starts."""
    if not _is_root():
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_VERSION_3, 0)  # of this thread
    # The effective, permitted and inheritable capabilities up to 31, and the others.
    found = (ctypes.c_uint32 * 6)()
    if libc.capget(header, found):
        raise OSError(ctypes.get_errno(), "capget")
    obeying = (ctypes.c_uint32 * 6)(*found)
    obeying[0] &= ~(1 << _CAP_DAC_OVERRIDE | 1 << _CAP_DAC_READ_SEARCH)
    if libc.capset(header, obeying):
        raise OSError(ctypes.get_errno(), "capset")
    try:
        yield
    finally:
        if libc.capset(header, found):
            raise OSError(ctypes.get_errno(), "capset")


def can_obey(folder: Path) -> bool:
    """Return whether permissions hold in such a context; where not, a test cannot show anything."""
    closed = folder / "closed"
    closed.mkdir(mode=0)
    try:
        with obeying_permissions():
            os.listdir(closed)
    except PermissionError:
        return True
    finally:
        closed.rmdir()
    return False
