"""Detects from the first bytes of an input that it is another kind of file, or has another encoding."""

from __future__ import annotations

import codecs
import re

from connector.errors import RunError

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_COMPRESSED = (
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (b"Rar!\x1a\x07", "RAR"),
)
_PAGE = re.compile(rb"<(?:!doctype|html|head|body|table|\?xml|workbook)\b", re.IGNORECASE)
_LETTERS = re.compile(rb"[A-Za-z][\xc0-\xfe]|[\xc0-\xfe][A-Za-z]")
_MIXED = 4
"""The minimum number of valid UTF-8 characters per invalid byte in a text that is considered UTF-8."""


def is_workbook(start: bytes) -> bool:
    """Return whether a file begins like an .xlsx workbook."""
    return start.startswith(_ZIP) and (
        b"[Content_Types].xml" in start or b"xl/" in start or b"_rels/" in start
    )


def check_start(start: bytes, name: str, *, is_excel: bool = False) -> None:
    """Raise RunError for a file whose first bytes are those of another kind of file.

    With `is_excel`, a workbook is expected.
    """
    if start.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in start:
            raise RunError(f"{name}: the Excel workbook is protected by a password; save it without one")
        raise RunError(
            f"{name}: an old Excel workbook (.xls), or one with a password; save it as .xlsx or CSV"
        )
    if start.startswith(_ZIP):
        _check_zip(start, name, is_excel=is_excel)
    elif is_excel:
        raise RunError(f"{name}: not an Excel workbook (.xlsx){_seen(start)}")
    for mark, compression in _COMPRESSED:
        if start.startswith(mark):
            raise RunError(f"{name}: compressed with {compression}; unpack it, or compress it with gzip")
    if start.startswith(b"%PDF"):
        raise RunError(f"{name}: a PDF file; export the rows as CSV or JSON")


def _check_zip(start: bytes, name: str, *, is_excel: bool) -> None:
    if b"opendocument" in start[:120]:
        raise RunError(f"{name}: an OpenDocument file; save it as .xlsx or CSV")
    if b"xl/workbook.bin" in start:
        raise RunError(f"{name}: a binary Excel workbook (.xlsb); save it as .xlsx or CSV")
    if is_excel:
        return
    if is_workbook(start):
        raise RunError(
            f"{name}: an Excel workbook; read it with --input-format xlsx (or give it the extension .xlsx), "
            "or save it as CSV"
        )
    raise RunError(f"{name}: a ZIP archive; unpack it")


def _seen(start: bytes) -> str:
    if _PAGE.match(start.lstrip()):
        return "; it is HTML or XML: open it in Excel and save it as .xlsx or CSV"
    return "; if it is CSV, use --input-format csv"


def check_encoding(start: bytes, name: str, encoding: str) -> None:
    """Raise RunError for text without a byte order mark that is UTF-8, and not in the given encoding.

    In UTF-16 and UTF-32, line ends and delimiters have NUL bytes. In encodings with one byte for each
    character, letters with accents never happen to be valid UTF-8.
    """
    codec = codecs.lookup(encoding).name
    if codec.startswith(("utf-16", "utf-32")):
        is_wrong = bool(start) and 0 not in start
    else:
        is_wrong = not start.isascii() and _has_one_byte_for_each(codec) and _is_utf8(start)
    if is_wrong:
        seen = ", but UTF-8; remove --encoding" if _is_utf8(start) else "; remove or correct --encoding"
        raise RunError(f"{name}: not {encoding}{seen} (`encoding` in a job)")


def _has_one_byte_for_each(codec: str) -> bool:
    return not codec.startswith("utf") and len(bytes(range(256)).decode(codec, "replace")) == 256


def _is_utf8(start: bytes) -> bool:
    """Return whether a text is UTF-8. It may end within a character."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return False
    return True


def check_page(start: bytes, name: str) -> None:
    """Raise RunError if a text is HTML or XML, as some programs export tables for Excel."""
    if _PAGE.match(start.lstrip()):
        raise RunError(
            f"{name}: HTML or XML, not rows; if Excel opens it, save it there as .xlsx or CSV. It may "
            "also be the sign-in page of a failed download"
        )


def check_nul(start: bytes, name: str) -> None:
    """Raise RunError for text with NUL bytes: UTF-16 or UTF-32 without a byte order mark, or binary data."""
    if b"\0" not in start:
        return
    pairs = len(start) // 2
    for encoding, first in (("utf-16-le", 1), ("utf-16-be", 0)):
        # Most characters of a header are Latin letters, which have one NUL byte in UTF-16.
        if (
            pairs > 1
            and start[first::2].count(0) > 0.6 * pairs
            and start[1 - first :: 2].count(0) < 0.2 * pairs
        ):
            raise RunError(
                f"{name}: probably UTF-16 without a byte order mark; use --encoding {encoding}, "
                "or save it as UTF-8"
            )
    if start.count(0) > 0.6 * len(start):
        encoding = "utf-32-le" if start[:1] != b"\0" else "utf-32-be"
        raise RunError(f"{name}: probably UTF-32 without a byte order mark; use --encoding {encoding}")


def check_utf8(start: bytes, name: str, *, is_marked: bool = False, only_probable: bool = False) -> None:
    """Raise RunError for text that is not UTF-8, with the encoding that it probably has.

    `start` may end within a character. With `only_probable`, only if it has letters of another encoding and
    none of UTF-8: otherwise, single rows are broken.
    """
    if start.isascii():
        return
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)
        return
    except UnicodeDecodeError as error:
        position = error.start
    line = start.count(b"\n", 0, position) + 1 if b"\n" in start else start.count(b"\r", 0, position) + 1
    what = f"{name}, line {line}: byte 0x{start[position]:02X} is not UTF-8"
    text = start.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    good = sum(not c.isascii() for c in text) - bad
    if only_probable and (good or not _LETTERS.search(start)):
        return
    if is_marked or good >= _MIXED * bad:
        raise RunError(
            f"{what}, but other lines are: correct it, or use --encoding utf-8 to fail only such rows"
        )
    raise RunError(f"{what}; {_probable(start)}")


def _probable(start: bytes) -> str:
    """Return advice on the encoding of a text that is not UTF-8."""
    high = [byte for byte in start if byte >= 0x80]
    letters = sum(chr(byte).isalpha() for byte in start if byte < 0x80)
    if len(high) > letters / 2:
        return (
            "use --encoding NAME with its encoding, such as cp1251 (Cyrillic), shift_jis (Japanese) or "
            "gb18030 (Chinese), or save it as UTF-8"
        )
    dos = sum(
        0x80 <= byte <= 0xA5 and byte not in (0x91, 0x92, 0x93, 0x94, 0x96, 0x97, 0xA0) for byte in high
    )
    if dos > len(high) / 2:
        return (
            "it is probably cp850, as a Windows console writes it: use --encoding cp850, or save it as UTF-8"
        )
    return (
        'it is probably Windows-1252, as Excel writes "CSV": use --encoding cp1252, or save it '
        'as "CSV UTF-8" in Excel'
    )
