"""Outputs that are not files: standard output, and no output."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from connector.errors import RunStoppedError
from connector.files.columns import result_lines
from connector.files.conversion import convert
from connector.files.envelope import Envelope
from connector.files.envelope_lines import LongLine
from connector.files.errors_file import write_errors_file
from connector.files.list_envelope import ListEnvelope
from connector.files.output_formats import OutputForm


class StreamOutput:
    """Standard output: JSON Lines are written immediately, other formats at the end. Cannot be resumed."""

    def __init__(
        self,
        form: OutputForm,
        stream: BinaryIO | None = None,
        *,
        errors: Path | None = None,
        private: bool = False,
    ) -> None:
        self.done_rows = 0
        self._form = form
        self._stream = stream or sys.stdout.buffer
        self._errors, self._private = errors, private
        self._is_live = form.format == "jsonl"
        is_kept = errors or not self._is_live
        self._partial = tempfile.TemporaryFile() if is_kept else None  # noqa: SIM115

    def earlier(self) -> Iterator[Envelope]:
        """Return no envelopes, because the run cannot be resumed."""
        return iter(())

    def write(self, lines: bytes) -> None:
        """Write envelopes. Raises RunStoppedError if standard output is closed."""
        with _writing():
            if self._partial:
                self._partial.write(lines)
            if self._is_live:
                results = map(result_lines, lines.splitlines()) if self._form.results else (lines,)
                self._stream.writelines(results)
                self._stream.flush()

    def write_list(self, envelope: ListEnvelope | LongLine) -> None:
        """Write the envelope of a long list. Raises RunStoppedError if standard output is closed."""
        with _writing():
            if self._partial:
                self._partial.writelines(envelope.blocks())
            if self._is_live:
                self._stream.writelines(envelope.result_lines() if self._form.results else envelope.blocks())
                self._stream.flush()

    def finish(self) -> None:
        """Write the envelopes, if their format could not be written earlier."""
        with _writing():
            if self._partial and not self._is_live:
                convert(self._partial, self._form, self._stream)
            self._stream.flush()

    def close(self) -> None:
        """Write the file of failed rows, and remove the temporary file. Raises RunStoppedError."""
        if self._partial:
            with self._partial as partial:
                if self._errors:
                    write_errors_file(partial, self._errors, private=self._private)


class NoOutput:
    """No output, for a run whose envelopes go only to its listeners. Cannot be resumed."""

    done_rows = 0

    def earlier(self) -> Iterator[Envelope]:
        """Return no envelopes, because the run cannot be resumed."""
        return iter(())

    def write(self, lines: bytes) -> None:
        """Write nothing."""

    def write_list(self, envelope: ListEnvelope | LongLine) -> None:
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
