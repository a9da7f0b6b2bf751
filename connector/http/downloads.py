"""Answers that are files: saved below one folder, and described in the row's result."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from connector.common.file_modes import create_file
from connector.common.json_text import Json
from connector.errors import RunStoppedError
from connector.http.messages import Response

_LONGEST_NAME = 100
"""Bytes of the name that an answer gives. File systems take 255 in all."""


def save(response: Response, folder: Path, stem: str, *, private: bool = False) -> dict[str, Json]:
    """Save an answer's content as `STEM-NAME`, whole or not at all, and describe it.

    NAME is the one that the answer gives, without anything that could lead out of the folder. Gives
    `path`, `size` (bytes), `media_type` and `sha256`. Raises RunStoppedError where it cannot be written.
    For `private` see `file_modes.create_file`.
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
    """Give the name in an answer's Content-Disposition, made harmless; `content` where none can be read."""
    from email.message import Message  # not at the top: rarely needed, slow to import

    header = Message()
    header["content-disposition"] = response.headers.get("content-disposition", "")
    try:
        given = header.get_filename() or ""
    except (ValueError, LookupError, TypeError):  # of a header that is none, such as one of `filename*999…=`
        given = ""
    harmless = re.sub(r"[^\w. -]", "_", re.split(r"[/\\]", given)[-1]).strip(". ")
    # The end of it, as that says of which kind the file is.
    return harmless.encode()[-_LONGEST_NAME:].decode(errors="ignore").strip(". ") or "content"
