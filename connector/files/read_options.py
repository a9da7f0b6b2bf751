"""Options for reading an input: delimiter, encoding, sheet, and the path of the records."""

from __future__ import annotations

from typing import Literal, NamedTuple

from connector.common.json_text import Json
from connector.errors import RunError

Format = Literal["jsonl", "json", "csv", "tsv", "xlsx"]
FORMATS: tuple[Format, ...] = ("jsonl", "json", "csv", "tsv", "xlsx")

NAMES = ("delimiter", "encoding", "sheet", "records")
"""The names of the options, on the command line and in a job file."""
WHOLE_OBJECT = "."
"""The value of `records` for an object that is itself a row, although it has a list of records."""

_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "pipe": "|", "space": " "}


class ReadOptions(NamedTuple):
    """Options for reading an input. None means that the option is determined from the content.

    `delimiter` separates the columns of CSV; `encoding` is a name of Python's codecs, for text without a byte
    order mark; `sheet` is the name of a worksheet, or its number from 1; `records` is the path of the list of
    records in a JSON object, with dots.
    """

    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    records: str | None = None


def read_delimiter(text: str) -> str:
    """Return the delimiter for a text: one character, or a name such as `tab`. Raises RunError."""
    found = _DELIMITERS.get(text.lower(), text)
    if len(found) != 1 or found in '"\r\n\0' or found.isalnum():
        raise RunError(f'"{text}" is not a delimiter; use one character such as ";", or tab')
    return found


def read_encoding(name: str) -> str:
    """Return the name of an encoding. Raises RunError if Python does not have it."""
    from connector.files.text_stream import is_text_encoding  # imported only if it is used

    if not is_text_encoding(name):
        raise RunError(
            f'unknown encoding "{name}"; use a name such as cp1252, latin-1, cp850, shift_jis or utf-16'
        )
    return name


def checked(options: ReadOptions, format: str | None) -> ReadOptions:
    """Return the options with normalized values. Raises RunError for one that the format does not support."""
    for name, formats in (("delimiter", ("csv",)), ("sheet", ("xlsx",)), ("records", ("json",))):
        if getattr(options, name) is not None and format not in (None, *formats):
            raise RunError(
                f"--{name} is an option of {' and '.join(map(format_name, formats))} files, and the input is "
                f"{format_name(format)}; --input-format sets another format"
            )
    delimiter, encoding = options.delimiter, options.encoding
    return ReadOptions(
        None if delimiter is None else read_delimiter(delimiter),
        None if encoding is None else read_encoding(encoding),
        options.sheet,
        options.records,
    )


def format_name(format: Json) -> str:
    """Return a format's name for messages."""
    names = {"jsonl": "JSON Lines", "json": "JSON", "csv": "CSV", "tsv": "TSV", "xlsx": "Excel"}
    return names.get(str(format), str(format))
