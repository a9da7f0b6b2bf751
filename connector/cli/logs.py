"""Log output of the command line: `-v` and `-vv` show it on standard error, `--log-file` writes it to a file.

Every record of the `connector` loggers is one line without secrets.
"""

from __future__ import annotations

import argparse
import logging
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import connector
from connector.cli.file_arguments import file_path
from connector.common.existing_files import require_kind
from connector.errors import RunError

_ROOT = logging.getLogger("connector")
logger = logging.getLogger(__name__)
_MARK = rb"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [A-Z]+ "
"""The beginning of a record in a log file."""
_SHOWN = (logging.ERROR, logging.INFO, logging.DEBUG)
"""The minimum log level on standard error, indexed by the number of `-v` options."""


def add_log_options(parser: argparse.ArgumentParser) -> None:
    """Declare `-v` and `--log-file` for a command and its subcommands."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    for action in below:
        for command in action.choices.values():
            add_log_options(command)
    if below:
        return
    parser.set_defaults(verbose=0, log_file=None)
    group = parser.add_argument_group("log")
    group.add_argument(
        "-v",
        "--verbose",
        action="count",
        help="log sign-ins, retries and waits on standard error; -vv: also every request and page",
    )
    group.add_argument(
        "--log-file",
        metavar="FILE",
        type=file_path,
        help="append the log to FILE, always as detailed as -vv, without secrets",
    )


@contextmanager
def log_output(options: argparse.Namespace, command: str) -> Iterator[None]:
    """Write the log while a command runs. Raises RunError if the log file cannot be written."""
    shown = _TerminalHandler(_SHOWN[min(options.verbose, len(_SHOWN) - 1)])
    handlers: list[logging.Handler] = [shown]
    if options.log_file:
        handlers.append(_FileHandler(options.log_file))
    before = _ROOT.level
    _ROOT.setLevel(min(handler.level for handler in handlers))
    for handler in handlers:
        handler.setFormatter(_Formatter())
        _ROOT.addHandler(handler)
    try:
        logger.debug("ninjaone %s: %s started", connector.__version__, command)
        yield
    except BaseException as error:
        # The error is printed on the terminal anyway; this line is for the log file.
        logger.debug("%s ended: %s: %s", command, type(error).__name__, error)
        raise
    else:
        logger.debug("%s ended", command)
    finally:
        _ROOT.setLevel(before)
        for handler in handlers:
            _ROOT.removeHandler(handler)
            handler.close()


@contextmanager
def show_log_by(say: Callable[[str], None]) -> Iterator[None]:
    """Write log lines for standard error through `say`, so that they do not overwrite the progress bar."""
    shown = [handler for handler in _ROOT.handlers if isinstance(handler, _TerminalHandler)]
    for handler in shown:
        handler.say = say
    try:
        yield
    finally:
        for handler in shown:
            handler.say = _say


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class _Formatter(logging.Formatter):
    """Formats records as UTC time, level, module and message; further lines of a message are indented."""

    converter = staticmethod(time.gmtime)
    default_msec_format = "%s.%03dZ"
    default_time_format = "%Y-%m-%dT%H:%M:%S"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text, without secrets and terminal control characters."""
        from connector.common import (
            redaction,
        )  # imported here, because commands that log nothing do not need it

        lines = redaction.OF_PROCESS.text(super().format(record)).split("\n")
        return "\n    ".join(map(_printable, lines))


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class _TerminalHandler(logging.Handler):
    """Writes records to standard error through `say`."""

    def __init__(self, level: int) -> None:
        super().__init__(min(level, logging.WARNING))
        self.addFilter(lambda record: record.levelno >= level or getattr(record, "notice", False))
        self.say: Callable[[str], None] = _say

    def emit(self, record: logging.LogRecord) -> None:
        """Write a log record; ignore the error if the terminal is closed."""
        try:
            self.say(self.format(record))
        except OSError:
            pass
        except Exception:
            self.handleError(record)


class _FileHandler(logging.Handler):
    """Appends log records to a file that only the current user can read, each with one system call.

    Several processes can therefore share the file. On a full disk, records are dropped.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(logging.DEBUG)
        require_kind(path, "a log", re.compile(_MARK, re.MULTILINE))
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        try:
            self._descriptor = os.open(path, flags, 0o600)
        except OSError as error:
            raise RunError(f"{path}: the log file cannot be written: {error.strerror}") from error

    def emit(self, record: logging.LogRecord) -> None:
        """Append a log record to the file."""
        try:
            line = self.format(record) + "\n"
            os.write(self._descriptor, line.encode(errors="backslashreplace"))
        except OSError:
            pass
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Close the log file."""
        with suppress(OSError):
            os.close(self._descriptor)
        super().close()
