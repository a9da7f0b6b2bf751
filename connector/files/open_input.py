"""Opens an input: determines its format from its beginning, and reads its records.

If the format cannot be determined, this is an error of the run, before any row is run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from connector.errors import RunError
from connector.files import json_reader
from connector.files.read_options import WHOLE_OBJECT, Format, ReadOptions, checked
from connector.files.recognize import (
    check_encoding,
    check_nul,
    check_page,
    check_start,
    check_utf8,
    is_workbook,
)
from connector.files.record import Record
from connector.files.text_stream import SAMPLE, Ahead, Text, buffered, has_mark, open_text, unpacked

if TYPE_CHECKING:
    from connector.files.csv_dialect import Dialect

_JSON = re.compile(rb'\s*(?:\{\s*["}]|\[\s*[{\]])')


class InputForm(NamedTuple):
    """An input before it is opened: its name, and the format of its file extension.

    `given` is the format that the user gave, which overrides the extension. `is_live` is true for an input
    that may be written while it is read, of which as little as possible is read ahead.
    """

    name: str
    extension: Format | None
    given: Format | None
    options: ReadOptions
    is_live: bool = False

    @property
    def format(self) -> Format | None:
        """The format, or None if it must be determined from the content."""
        return self.given or self.extension


class OpenedInput(NamedTuple):
    """An opened input: its records, its stream, and the dialect of a CSV input.

    All records of a table (CSV, TSV, Excel) have the columns of its header, which `read_header` reads from
    the stream; use either that or `records`.
    """

    records: Iterator[Record]
    stream: BinaryIO
    dialect: Dialect | None = None
    read_header: Callable[[], list[str]] | None = None


def open_input(raw: BinaryIO, form: InputForm, longest: int, *, unread: bool = False) -> OpenedInput:
    """Open an input. With `unread`, its records have no fields, for callers that only count them.

    Raises RunError for an input that cannot be read without a further option, and names the option.
    """
    ahead = unpacked(raw)
    start = ahead.look(all=not form.is_live)
    is_excel = form.format == "xlsx" or (form.format is None and is_workbook(start))
    if form.given != "jsonl":
        check_start(start, form.name, is_excel=is_excel)
    if is_excel:
        checked(form.options, "xlsx")
        stream: Any = buffered(ahead)
        from connector.files import excel_reader  # slow to import

        arguments = stream, form.name, form.options.sheet
        return OpenedInput(
            excel_reader.read_workbook(*arguments),
            stream,
            read_header=lambda: excel_reader.read_workbook_header(*arguments),
        )
    if form.options.encoding and not has_mark(start):
        check_encoding(start, form.name, form.options.encoding)
    text = open_text(ahead, form.options.encoding, all=not form.is_live)
    start = _beginning(text.ahead, form)
    if form.given != "jsonl" and not text.is_certain:
        check_nul(start, form.name)
        check_page(start, form.name)
    format = form.format or _recognized(start, form.options)
    options = checked(form.options, format)
    if format in ("csv", "tsv"):
        return _open_csv(text, form, options, format, longest)
    if form.given == "jsonl":
        return _open_lines(text, form, longest, unread=unread)
    return _open_json(text, form, options, format, longest, unread=unread)


def _beginning(ahead: Ahead, form: InputForm) -> bytes:
    """Return the beginning of a text; if it is only white space, read more."""
    start = ahead.look(all=not form.is_live)
    while not start.strip() and not ahead.ended:
        if len(start) >= SAMPLE:
            ahead.skip(len(start))
        ahead.more()
        start = ahead.look(all=not form.is_live)
    return start


def _recognized(start: bytes, options: ReadOptions) -> Format:
    """Return the format of a text whose file extension is not known."""
    if options.delimiter is not None:
        return "csv"
    return "json" if options.records or not start.strip() or start.lstrip()[:1] in (b"{", b"[") else "csv"


def _open_csv(text: Text, form: InputForm, options: ReadOptions, format: Format, longest: int) -> OpenedInput:
    from connector.files.csv_dialect import find_dialect, has_header  # imported only if it is used
    from connector.files.csv_reader import read_csv, read_csv_header

    start = text.ahead.look(all=not form.is_live)
    while not has_header(start) and text.ahead.more():
        start = text.ahead.look(all=not form.is_live)
    if form.given is None and _JSON.match(start):
        raise RunError(f"{form.name}: JSON, not CSV; use --input-format json")
    if not text.is_certain:
        check_utf8(start, form.name, is_marked=text.is_marked)
    dialect = find_dialect(
        start,
        form.name,
        "\t" if format == "tsv" else options.delimiter,
        complete=_is_complete(text.ahead, start),
    )
    stream: Any = text.stream
    records = read_csv(stream, form.name, dialect, longest, text.encoding)
    return OpenedInput(records, stream, dialect, lambda: read_csv_header(stream, form.name, dialect, longest))


def _open_lines(text: Text, form: InputForm, longest: int, *, unread: bool) -> OpenedInput:
    stream: Any = text.stream
    if unread:
        return OpenedInput(json_reader.unread_lines(stream, longest), stream)
    return OpenedInput(json_reader.read_lines(stream, form.name, longest, text.encoding), stream)


def _open_json(
    text: Text, form: InputForm, options: ReadOptions, format: Format, longest: int, *, unread: bool
) -> OpenedInput:
    stream: Any = text.stream
    if options.records not in (None, WHOLE_OBJECT):
        return OpenedInput(json_reader.read_records(stream, form.name, str(options.records)), stream)
    start = text.ahead.look(all=not form.is_live)
    if form.is_live and start.lstrip()[:1] != b"[" and not _begins_with_row(start):
        start = text.ahead.look(all=True)
    if not text.is_certain:
        check_utf8(start, form.name, is_marked=text.is_marked, only_probable=True)
    complete = _is_complete(text.ahead, start)
    layout = json_reader.json_form(start, form.name, complete=complete)
    is_named_json = format == "json" and form.format is not None and not form.is_live
    if options.records is None and (layout == "values" or (layout == "lines" and is_named_json)):
        json_reader.check_records(start, form.name, complete=complete)
    if layout == "lines":
        return _open_lines(text, form, longest, unread=unread)
    read = json_reader.read_array if layout == "array" else json_reader.read_values
    return OpenedInput(read(stream, form.name), stream)


def _begins_with_row(start: bytes) -> bool:
    return json_reader.reads_alone(start.strip().partition(b"\n")[0].decode("utf-8", "replace"))


def _is_complete(ahead: Ahead, start: bytes) -> bool:
    return ahead.ended and len(start) < SAMPLE
