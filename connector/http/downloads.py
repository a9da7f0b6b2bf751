"""Saves downloaded files in a folder, and describes them for the row's result."""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import suppress
from pathlib import Path

from connector.common.file_modes import create_file
from connector.common.json_text import Json
from connector.errors import RunStoppedError
from connector.http.messages import Response

_MAX_NAME_LENGTH = 100
"""The maximum length of the part of a file name that is taken from a response, in bytes. File systems allow
255 for the whole name."""


def save(response: Response, folder: Path, stem: str, *, private: bool = False) -> dict[str, Json]:
    """Save a response's body as `STEM-NAME`, completely or not at all, and return a description.

    NAME is the file name in the response, without characters that could lead out of the folder. The
    description has `path`, `size` (bytes), `media_type` and `sha256`. For `private` see
    `file_modes.create_file`. Raises RunStoppedError if the file cannot be written.
    """
    path = folder / f"{stem}-{file_name(response)}"
    unfinished = path.with_name(path.name + ".part")
    try:
        with create_file(unfinished, private=private) as file:
            file.write(response.body)
        os.replace(unfinished, path)
    except OSError as error:
        raise RunStoppedError(f"{path}: cannot be written: {error.strerror}") from error
    media_type = response.headers.get("content-type", "application/octet-stream")
    return {
        "path": str(path),
        "size": len(response.body),
        "media_type": media_type.partition(";")[0].strip(),
        "sha256": hashlib.sha256(response.body).hexdigest(),
    }


def file_name(response: Response) -> str:
    """Return the file name in Content-Disposition, with unsafe characters replaced; else `content`."""
    from email.message import Message  # imported here, because it is slow to import and rarely needed

    header = Message()
    disposition = response.headers.get("content-disposition", "")
    with suppress(UnicodeError):  # headers are read as Latin-1; many servers write names in UTF-8
        disposition = disposition.encode("latin-1").decode()
    header["content-disposition"] = disposition
    try:
        given = header.get_filename() or ""
    except (ValueError, LookupError, TypeError):  # a malformed header raises these, such as `filename*999…=`
        given = ""
    given = response.hide(given)
    harmless = re.sub(r"[^\w. -]", "_", re.split(r"[/\\]", given)[-1]).strip(". ")
    # Cut off the beginning of a long name, because the end has the extension.
    return harmless.encode()[-_MAX_NAME_LENGTH:].decode(errors="ignore").strip(". ") or "content"
