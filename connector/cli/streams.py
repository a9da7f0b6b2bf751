"""Wrap the standard streams, so that encodings, closed streams and broken pipes cause no traceback."""

from __future__ import annotations

import os
import select
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import Any, TextIO

from connector.errors import RunStoppedError

_PATIENCE_MS = 2000
"""How long standard input is waited for without a message, in milliseconds."""


@contextmanager
def usable_streams() -> Iterator[None]:
    """Make the standard streams usable while a command runs.

    Characters that an encoding lacks are written as escapes (`\\u3042`). A closed stream is replaced by the
    null device. No secret is written to standard error.
    """
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115  until the process ends
    output, errors = _opened(sys.stdout), _opened(sys.stderr)
    _escape_unknown_characters(output)
    _escape_unknown_characters(errors)
    proxies: tuple[Any, Any] = (_Output(output), _Errors(errors))
    with redirect_stdout(proxies[0]), redirect_stderr(proxies[1]):
        try:
            yield
        finally:
            _drop_unwritten(output)
            _drop_unwritten(errors)


def stdin_has_data(say: Callable[[str], None] | None = None) -> bool:
    """Return whether standard input has data. Waits until a pipe has data or is closed, and for no terminal.

    `say` reports a longer wait; it prints to standard error by default. On systems that cannot tell, a pipe
    has data.
    """
    try:
        about = os.fstat(sys.stdin.fileno())
    except (OSError, ValueError):  # it is closed, or not a file
        return False
    if stat.S_ISREG(about.st_mode):
        return about.st_size > os.lseek(sys.stdin.fileno(), 0, os.SEEK_CUR)
    if stat.S_ISCHR(about.st_mode):  # a terminal or the null device
        return False
    if sys.platform == "win32":
        return True
    else:
        from fcntl import ioctl
        from termios import FIONREAD

        waiting = select.poll()
        waiting.register(sys.stdin.fileno(), select.POLLIN)
        if not waiting.poll(_PATIENCE_MS):
            text = "waiting for rows on standard input; use --input FILE, or </dev/null if there are none"
            (say or _to_stderr)(text)
            waiting.poll()
        size = ioctl(sys.stdin.fileno(), FIONREAD, bytes(4))
        return int.from_bytes(size, sys.byteorder) > 0


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _opened(stream: TextIO | None) -> TextIO:
    return stream or open(os.devnull, "w", encoding="utf-8")


def _escape_unknown_characters(stream: TextIO) -> None:
    if reconfigure := getattr(
        stream, "reconfigure", None
    ):  # not every replacement of a stream has this method
        reconfigure(errors="backslashreplace")


def _drop_unwritten(stream: TextIO) -> None:
    """Redirect unwritten text to the null device, because Python would try again, and exit with code 120."""
    try:
        stream.flush()
    except OSError:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except ValueError:
        pass  # The stream was already closed after a failed write.


class _Stream:
    """Base class of the stream wrappers, which delegates all other attributes to the stream."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Output(_Stream):
    """Standard output. Raises BrokenPipeError for a closed pipe, and RunStoppedError for other errors."""

    def write(self, text: str) -> int:
        with _reported():
            return self._stream.write(text)

    def flush(self) -> None:
        with _reported():
            self._stream.flush()


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise RunStoppedError(f"standard output cannot be written: {error.strerror}") from error


class _Errors(_Stream):
    """Standard error, with secrets redacted, also in tracebacks. Write errors are ignored."""

    def write(self, text: str) -> int:
        # If the redaction module is not loaded, no secret was read.
        redact: Any = sys.modules.get("connector.common.redaction")
        with suppress(OSError):
            self._stream.write(redact.OF_PROCESS.text(text) if redact else text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()
