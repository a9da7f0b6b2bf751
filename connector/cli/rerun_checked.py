"""The option `--checked` of `rerun`: rows to check first that the user has checked, to send them again."""

from __future__ import annotations

import argparse
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from connector.errors import RunError

ALL = "all"
"""The value of `--checked` for all rows to check first in the file of `--input`."""
_NUMBERS = re.compile(r"([1-9]\d{0,11})(?:-([1-9]\d{0,11}))?", re.ASCII)
_SHOWN = 5


def add_checked(parser: argparse.ArgumentParser) -> None:
    """Declare `--checked`."""
    parser.add_argument(
        "--checked",
        metavar="ROWS",
        help="also run these rows to check first: you have checked that they had no effect, and sending "
        "them again is safe. Row numbers such as 7,9-12, with --key values of its column, or all: those in "
        "the file of --input",
    )


def find_checked(
    options: argparse.Namespace, in_doubt: Mapping[int, str], keys: Mapping[str, int]
) -> set[int]:
    """Return the numbers of the rows of `--checked`, which must be among those that are `in_doubt`.

    `keys` has row numbers by value of the column of `--key`. Raises RunError.
    """
    given = options.checked
    if given is None:
        return set()
    if given.strip().lower() == ALL:
        if not options.corrected:
            raise RunError("--checked all requires --input FILE, with the rows that you have checked")
        return set(in_doubt)
    found: set[int] = set()
    for part in filter(None, map(str.strip, given.split(","))):
        numbers = _by_key(part, keys, options.key) if options.key else _range(part, max(in_doubt, default=0))
        for number in numbers:
            if number not in in_doubt:
                those = _listed(options.of, in_doubt)
                raise RunError(f"--checked: row {number} is not a row to check first; {those}")
            found.add(number)
    if not found:
        raise RunError("--checked: no row is named; use row numbers such as 7,9-12")
    return found


def _by_key(value: str, keys: Mapping[str, int], column: str) -> Iterator[int]:
    if value not in keys:
        raise RunError(f'--checked: no failed row has "{value}" in the column {column}')
    yield keys[value]


def _range(part: str, last: int) -> Collection[int]:
    """Return row numbers; those after the `last` row to check first are cut off, except the first of them."""
    match = _NUMBERS.fullmatch(part)
    first, end = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
    if first > end:
        raise RunError(f'--checked: "{part}" is not a row number; use numbers such as 7,9-12')
    return range(first, min(end, max(first, last + 1)) + 1)


def _listed(of: Path, in_doubt: Mapping[int, str]) -> str:
    if not in_doubt:
        return f"{of} has no such rows"
    shown = [str(number) for number in sorted(in_doubt)[:_SHOWN]]
    more = ", ..." if len(in_doubt) > _SHOWN else ""
    return f"the rows to check first are {', '.join(shown)}{more}"
