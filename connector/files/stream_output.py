"""Outputs without a file: standard output, and none."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from connector.errors import RunStoppedError
from connector.files.conversion import convert
from connector.files.envelope import Envelope
from connector.files.output_formats import OutputForm


class StreamOutput:
    """Standard output: JSON Lines are written at once, other formats at the end. Cannot be resumed."""

    def __init__(self, form: OutputForm, stream: BinaryIO | None = None) -> None:
        self.done_rows = 0
        self._form = form
        self._stream = stream or sys.stdout.buffer
        self._partial = None if form.is_partial else tempfile.TemporaryFile()  # noqa: SIM115

    def earlier(self) -> Iterator[Envelope]:
        """Return no envelopes: it cannot be resumed."""
        return iter(())

    def write(self, lines: bytes) -> None:
        """Write envelopes. Raises RunStoppedError if standard output is closed."""
        with _writing():
            (self._partial or self._stream).write(lines)
            if not self._partial:
                self._stream.flush()

    def finish(self) -> None:
        """Write the formats that could not be written earlier."""
        with _writing():
            if self._partial:
                convert(self._partial, self._form, self._stream)
            self._stream.flush()

    def close(self) -> None:
        """Remove the temporary file."""
        if self._partial:
            self._partial.close()


class NoOutput:
    """No output, for a run whose envelopes go only to its listeners. Cannot be resumed."""

    done_rows = 0

    def earlier(self) -> Iterator[Envelope]:
        """Return no envelopes: it cannot be resumed."""
        return iter(())

    def write(self, lines: bytes) -> None:
        """Write nothing."""

    def finish(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RunStoppedError(f"standard output cannot be written: {error.strerror}") from error
