"""Bodies of requests: one row as a JSON object, or rows as JSON Lines."""

from __future__ import annotations

import hashlib
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO

from werkzeug.exceptions import ClientDisconnected
from werkzeug.wrappers import Request

from connector.callers.problems import ProblemError
from connector.common import json_text
from connector.common.json_text import kind
from connector.errors import RunError, count_of
from connector.files.json_reader import read_lines, unread_lines
from connector.files.readers import InputRow

JSON, JSON_LINES = "application/json", "application/x-ndjson"
_LINES_TYPES = (JSON_LINES, "application/jsonl", "application/x-jsonlines")
_IN_MEMORY = 1 << 20
"""The size in bytes from which a body is in a temporary file."""
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Limits:
    """The maximum size of a body in bytes, and the maximum number of its rows."""

    body: int = 64 << 20
    rows: int = 100_000

    @classmethod
    def of(cls, body_mb: float, rows: int) -> Limits:
        """Return the limits for a size in MiB. Raises RunError for one that is not positive, or infinite."""
        body = body_mb * (1 << 20)
        if not (1 <= body < float("inf") and rows > 0):
            raise RunError("the maximum size and rows of a body must be finite and greater than 0")
        return cls(round(body), rows)


class Body:
    """A complete body, in a temporary file if it is large. `is_lines` is true for JSON Lines."""

    def __init__(self, file: IO[bytes], digest: str, is_lines: bool, longest: int) -> None:
        self._file, self.digest, self.is_lines, self._longest = file, digest, is_lines, longest

    def count(self) -> int:
        """Return the number of rows."""
        if not self.is_lines:
            return 1
        self._rewind()
        return sum(1 for _ in unread_lines(self._file, self._longest))  # type: ignore[arg-type,misc]

    def rows(self) -> Iterator[InputRow]:
        """Yield the rows; one that is not a JSON object has an error. Raises ProblemError for a JSON body."""
        self._rewind()
        if not self.is_lines:
            yield _one_row(self._file.read())
            return
        loads = json_text.loads_unique
        records = read_lines(self._file, "the body", self._longest, loads=loads)  # type: ignore[arg-type]
        for number, record in enumerate(records, start=1):
            yield InputRow(number, record.data, record.error)

    def _rewind(self) -> None:
        """Go to the beginning, after a byte order mark, which some programs write."""
        self._file.seek(0)
        if self._file.read(len(BOM_UTF8)) != BOM_UTF8:
            self._file.seek(0)

    def __enter__(self) -> Body:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()


def read_body(request: Request, limits: Limits) -> Body:
    """Return the body of a request. Raises ProblemError (400, 413, 415, 500)."""
    is_lines = request.mimetype in _LINES_TYPES
    if not is_lines and request.mimetype != JSON:
        raise ProblemError(
            415,
            f'the media type of the body is "{request.mimetype}": use {JSON} for one row, or {JSON_LINES} '
            "for a row per line",
        )
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise ProblemError(415, f'the charset of the body is "{charset}": use UTF-8')
    if "Content-Encoding" in request.headers:
        raise ProblemError(415, "the body is compressed: send it without Content-Encoding")
    file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - the body closes it
    try:
        body = Body(file, _copied(request, file, limits), is_lines, limits.body)
        count = body.count()
        if count > limits.rows:
            raise ProblemError(413, f"the body has {count_of(count, 'row')}; the limit is {limits.rows}")
        return body
    except BaseException:
        file.close()
        raise


def _copied(request: Request, file: IO[bytes], limits: Limits) -> str:
    """Copy the body of a request to a file; return its SHA-256. Raises ProblemError (400, 413, 500)."""
    too_large = ProblemError(413, f"the body is larger than {limits.body} bytes")
    if (request.content_length or 0) > limits.body:
        raise too_large
    digest, size = hashlib.sha256(), 0
    try:
        while chunk := request.stream.read(_CHUNK):
            size += len(chunk)
            if size > limits.body:
                raise too_large
            digest.update(chunk)
            _write(file, chunk)
    except ClientDisconnected:
        raise ProblemError(400, "the body is incomplete: the client disconnected") from None
    return digest.hexdigest()


def _write(file: IO[bytes], chunk: bytes) -> None:
    """Write a part of a body. Raises ProblemError (500) if the temporary folder has no space left."""
    try:
        file.write(chunk)
    except OSError as error:
        said = f"the body cannot be stored: {error.strerror or error}; nothing was sent"
        raise ProblemError(500, said) from error


def _one_row(text: bytes) -> InputRow:
    try:
        value = json_text.loads_unique(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ProblemError(400, f"the body is not JSON: {error or 'it is nested too deeply'}") from None
    if not isinstance(value, dict):
        raise ProblemError(
            422, f"the body must be a JSON object with the inputs of the action, not {kind(value)}"
        )
    return InputRow(1, value)
