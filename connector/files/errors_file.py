"""Writes the file with the failed rows of a run (`--errors`), whose output has only results."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import IO

from connector.common.durability import sync_file
from connector.common.file_modes import create_file
from connector.errors import RunError, RunStoppedError, file_errors
from connector.files.conversion import convert
from connector.files.envelope_lines import read_envelope_lines
from connector.files.output_formats import OutputForm, format_of

_FAILED = b'{"has_error":true,'


def check_errors_file(path: Path, output: Path) -> None:
    """Raise RunError if the file of failed rows cannot be created."""
    with file_errors(path):
        if path.absolute() == output.absolute():
            raise RunError(f"{path}: is the output, too; use another file for the failed rows")
        if path.exists():
            raise RunError(
                f"{path}: already exists; use --restart to overwrite it, which runs all rows again"
            )
        if not path.parent.is_dir():
            raise RunError(f"{path}: the folder {path.parent} does not exist")


def write_errors_file(partial: IO[bytes], path: Path, *, private: bool) -> None:
    """Write the envelopes with an error, in the format of the file extension; an existing file is replaced.

    Raises RunStoppedError.
    """
    form = OutputForm(format_of(str(path), None))
    part = path.with_name(f"{path.name}.part")
    try:
        with tempfile.TemporaryFile() as failed, create_file(part, private=private) as file:
            target = file if form.is_partial else failed
            partial.seek(0)
            # The envelope of a long list has no error.
            lines = (line for line in read_envelope_lines(partial) if isinstance(line, bytes))
            target.writelines(line for line in lines if line.startswith(_FAILED))
            if not form.is_partial:
                convert(failed, form, file, may_rewrite=True)
            file.flush()
            sync_file(file.fileno())
        os.replace(part, path)
    except OSError as error:
        raise RunStoppedError(f"{path}: cannot be written: {error.strerror}") from error
