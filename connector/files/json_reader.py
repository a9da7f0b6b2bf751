"""Reads rows from JSON: lines, an array, objects over several lines, or a list of records in an object."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import BinaryIO, Literal

from connector.common import json_text
from connector.common.json_text import Json, kind
from connector.errors import RunError, cited, shorten
from connector.files.envelope_lines import long_list_without_items
from connector.files.json_stream import JsonStream
from connector.files.read_options import WHOLE_OBJECT
from connector.files.record import Record
from connector.files.text_stream import has_bad_byte

Form = Literal["lines", "array", "values"]

RECORD_LISTS = (
    "value", "values", "results", "result", "data", "devices", "items", "records", "rows", "entries", "list",
)  # fmt: skip
"""Names that a member with the list of records often has, in APIs and in PowerShell's ConvertTo-Json."""
UNREAD = Record({})
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]')
_REST = "the rest cannot be read"
_TORN = 16
"""The maximum length of a JSON token other than a string; at the end of the text it can be incomplete."""


def json_form(start: bytes, name: str, *, complete: bool) -> Form:
    """Return the form of a JSON text, from its beginning. Raises RunError if it is not JSON.

    `values` means objects of any layout, one after the other; each can have several lines.
    """
    text = start.decode("utf-8", "replace").strip()
    lines = text.splitlines()
    if text.startswith("["):
        return "array"
    if not lines or reads_alone(lines[0]) or (len(lines) == 1 and not complete):
        return "lines"
    try:
        _, end = json_text.decoder.raw_decode(text)
        return "values" if text.startswith("{") and end > len(lines[0]) else "lines"
    except json.JSONDecodeError as error:
        is_cut_off = error.pos >= len(text) - _TORN or error.msg.startswith("Unterminated string")
        if text.startswith("{") and is_cut_off and not complete:
            return "values"
        if any(map(reads_alone, lines)):
            return "lines"  # lines that are not JSON are reported as errors of their rows
        raise RunError(
            f"{name}, line {error.lineno}: not JSON ({error.msg} at character {error.colno})"
            f"{cited(lines[min(error.lineno, len(lines)) - 1].strip(), 80)}"
        ) from None
    except (ValueError, RecursionError):
        return "lines"


def reads_alone(line: str) -> bool:
    """Return whether a line is a JSON object by itself."""
    try:
        return isinstance(json_text.loads(line.strip()), dict)
    except (ValueError, RecursionError):
        return False


def check_records(start: bytes, name: str, *, complete: bool) -> None:
    """Raise RunError if a text is one object with a list of records, so that the object is not a row."""
    text = start.decode("utf-8", "replace").strip()
    try:
        value, end = json_text.decoder.raw_decode(text)
    except (ValueError, RecursionError):
        found = [] if complete else list(_lists_of_objects(text))
    else:
        if text[end:] or not isinstance(value, dict):
            return
        found = [n for n, items in value.items() if isinstance(items, list) and items and _are_objects(items)]
    known = [member for member in found if member.lower() in RECORD_LISTS]
    if not known:
        return
    what = f'one object with the records in "{known[0]}"; use --records {known[0]} to read them as rows'
    if len(known) > 1:
        what = f"one object with the lists {', '.join(known)}; use --records NAME to read one of them as rows"
    raise RunError(f"{name}: {what}, or --records {WHOLE_OBJECT} if the object itself is the row")


def _are_objects(items: list[Json]) -> bool:
    return all(isinstance(item, dict) for item in items)


def _lists_of_objects(text: str) -> Iterator[str]:
    """Yield the names of an object's members that are lists of objects; `text` is the object's beginning."""
    depth, last, key, before = 0, "", "", ""
    for match in _TOKEN.finditer(text):
        mark = match[0]
        if mark[0] == '"':
            last = mark[1:-1]
        elif mark == ":" and depth == 1:
            key = last
        elif mark in "{[":
            if mark == "{" and before == "[" and depth == 2:
                yield key
            depth += 1
        elif mark in "}]":
            depth -= 1
        before = mark


def read_lines(
    stream: BinaryIO,
    name: str,
    longest: int,
    encoding: str = "UTF-8",
    loads: Callable[[str], Json] = json_text.loads,
) -> Iterator[Record]:
    """Yield the records of JSON Lines; the record of an invalid line has an `error`."""
    for number, line in enumerate(_lines(stream, longest), start=1):
        if text := line.strip():
            try:
                record = loads(text.decode()) if len(line) <= longest else None
            except ValueError:
                record = None
            if type(record) is dict:
                yield Record(record)
            else:
                yield _unusual_line(line, f"{name}, line {number}", longest, encoding, loads)


def unread_lines(stream: BinaryIO, longest: int) -> Iterator[Record]:
    """Yield an empty record for each line that is not empty."""
    return (UNREAD for line in _lines(stream, longest) if line.strip())


def _lines(stream: BinaryIO, longest: int) -> Iterator[bytes]:
    """Yield the lines of a stream. Of a longer line, only the first `longest` + 1 bytes are yielded."""
    for line in iter(partial(stream.readline, longest + 1), b""):
        yield line
        if len(line) > longest:
            rest = line
            while rest and not rest.endswith(b"\n"):
                rest = stream.readline(longest)


def _unusual_line(
    line: bytes, place: str, longest: int, encoding: str, loads: Callable[[str], Json]
) -> Record:
    """Return the record of a line that is not simply a JSON object, perhaps with the reason why not."""
    if len(line) > longest:
        # A rerun needs the other members of a long list's envelope.
        return Record(long_list_without_items(line), f"{place}: the line has more than {longest:,} bytes")
    try:
        value = loads(line.decode("utf-8").strip())
    except UnicodeDecodeError as error:
        return Record(
            {}, f"{place}: a byte that is not {encoding}, at position {error.start + 1} of the line"
        )
    except ValueError as error:
        return Record({}, f"{place}: not JSON ({error}){cited(line.decode('utf-8', 'replace').strip(), 80)}")
    return _row_or_error(value, place)


def _row_or_error(value: Json, place: str) -> Record:
    if isinstance(value, dict):
        return Record(value)
    return Record({}, f"{place}: a row must be a JSON object, not {kind(value)}")


def read_array(stream: BinaryIO, name: str) -> Iterator[Record]:
    """Yield an array's items one by one, with only one of them in memory."""
    text = JsonStream(stream)
    yield from _items(text, name)
    yield from _after(text, name, "the array")


def _items(text: JsonStream, name: str) -> Iterator[Record]:
    """Yield the items of the next array. If the array is not valid, the last record has an `error`."""
    done = 0
    try:
        text.skip("[")
        while not text.skip("]"):
            if done and not text.skip(","):
                raise ValueError("a comma or the end of the array is missing")
            value, written = text.value()
            done += 1
            yield _item_record(value, written, f"{name}, item {done}")
    except ValueError as error:
        if text.fault is None:
            text.fault = _Broken(
                f"the array is invalid after item {done} and the rest cannot be read: {error}"
            )


class _Broken(ValueError):
    """The text is not valid, and the rest of it cannot be read."""


def _after(text: JsonStream, name: str, what: str) -> Iterator[Record]:
    """Yield an invalid record if the JSON could not be read, or if other text follows it."""
    rest = "" if isinstance(text.fault, _Broken) else text.rest()
    if isinstance(text.fault, _Broken):
        yield Record({}, f"{name}: {text.fault}")
    elif text.fault is not None:
        raise text.fault
    elif rest:
        yield Record({}, f"{name}: unexpected text after the end of {what}{cited(rest, 40)}")


def _item_record(value: Json, written: str, place: str) -> Record:
    if has_bad_byte(written):
        return Record({}, f"{place}: a byte that is not UTF-8")
    if isinstance(value, ValueError):
        return Record({}, f"{place}: not JSON ({value}){cited(written, 80)}")
    return _row_or_error(value, place)


def read_values(stream: BinaryIO, name: str) -> Iterator[Record]:
    """Yield objects that follow each other; each can have any number of lines."""
    text = JsonStream(stream)
    done = 0
    try:
        while text.rest():
            value, written = text.value()
            done += 1
            yield _item_record(value, written, f"{name}, object {done}")
    except ValueError as error:
        if text.fault is None:
            yield Record({}, f"{name}: not JSON after object {done} and {_REST}: {error}")
            return
    if text.fault is not None:
        raise text.fault


def read_records(stream: BinaryIO, name: str, path: str) -> Iterator[Record]:
    """Yield the records in an object: the items of the list at a path, or the object at this path.

    Raises RunError if there is none.
    """
    text = JsonStream(stream)
    passed: list[str] = []
    for member in path.split("."):
        _enter(text, name, path, member, passed)
        passed.append(member)
    if text.next_is("["):
        yield from _items(text, f"{name}, {path}")
    elif text.next_is("{"):
        value, written = text.value()
        yield _item_record(value, written, f"{name}, {path}")
    else:
        raise RunError(f'{name}: "{path}" is not a list of records')
    if text.fault is None:
        try:
            _leave(text, len(passed))
        except ValueError as error:
            text.fault = _Broken(f"not JSON after {path}: {error}")
    yield from _after(text, name, "the object")


def _enter(text: JsonStream, name: str, path: str, member: str, passed: list[str]) -> None:
    """Read an object up to the value of a member. Raises RunError if it has no such member."""
    place = f'"{".".join(passed)}"' if passed else "the text"
    seen: list[str] = []
    try:
        if not text.skip("{"):
            raise RunError(f"{name}: {place} is not a JSON object, so --records {path} cannot be read")
        while not text.skip("}"):
            if seen and not text.skip(","):
                raise ValueError("a comma or the end of the object is missing")
            key = _key(text)
            if key == member:
                return
            seen.append(key)
            text.value()
    except ValueError as error:
        raise RunError(f"{name}: not JSON: {error}") from None
    raise RunError(
        f'{name}: no member "{member}" for --records {path}; {place} has {shorten(", ".join(seen)) or "none"}'
    )


def _leave(text: JsonStream, depth: int) -> None:
    """Read the rest of the enclosing objects. Raises ValueError if the text is incomplete."""
    for _ in range(depth):
        while not text.skip("}"):
            if not text.skip(","):
                raise ValueError("a comma or the end of the object is missing")
            _key(text)
            text.value()


def _key(text: JsonStream) -> str:
    key, _ = text.value()
    if not isinstance(key, str) or not text.skip(":"):
        raise ValueError("a member's name is missing")
    return key
