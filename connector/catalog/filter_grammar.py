"""Filter expressions, checked before they are sent: the API ignores wrong ones or responds with 500."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from connector.common.times import parse_time, write_time
from connector.errors import shorten

MAX_LENGTH = 1 << 16
"""The maximum length of a filter in characters. It is part of a URL, whose length servers limit much more."""


class FilterGrammar(NamedTuple):
    """The syntax of a filter: a regular expression for each kind of clause, and how clauses are joined.

    `joined_by` is the word between clauses, in the only spelling that the API accepts; if it is empty, there
    is only one clause. `example` is a valid filter. Groups of a clause whose names begin with `time` match
    times.
    """

    name: str
    clauses: tuple[str, ...]
    joined_by: str
    example: str

    def read(self, text: str) -> str:
        """Return the filter to send.

        Times in a format that the API does not accept, for example epoch numbers, are replaced by ISO 8601 in
        UTC. Raises ValueError that quotes the invalid clause.
        """
        if len(text) > MAX_LENGTH:
            raise ValueError(f"a {self.name} can have at most {MAX_LENGTH:,} characters")
        read, position = "", 0
        for clause in self._split(text):
            written = clause.strip()
            found = next(
                (m for pattern in _compiled(self.clauses) if (m := pattern.fullmatch(written))), None
            )
            if found is None:
                raise ValueError(
                    f'"{shorten(written, 80)}" is not a valid {self.name}; an example: {self.example}'
                )
            start = text.index(written, position)
            read += text[position:start] + _with_times(found)
            position = start + len(written)
        return read + text[position:]

    def _split(self, text: str) -> list[str]:
        if not self.joined_by:
            return [text]
        # A match starts only at the first of several spaces, because trying each of many would be slow.
        word = re.compile(rf"(?<!\s)\s+({self.joined_by})\s+", re.IGNORECASE)
        for found in word.finditer(text):
            if found[1] != self.joined_by:
                raise ValueError(f'join clauses with {self.joined_by}, not "{found[1]}"')
        return re.split(rf"(?<!\s)\s+{self.joined_by}\s+", text)


@lru_cache(maxsize=64)
def _compiled(clauses: tuple[str, ...]) -> list[re.Pattern[str]]:
    return [re.compile(clause, re.ASCII) for clause in clauses]


_SENT_AS_IT_IS = r"\d{4}(-?)\d\d\1\d\d(T\d\d:\d\d:\d\d(\.\d{1,3})?Z)?"
"""A pattern of times that are sent unchanged: a date, or a time in UTC."""


def _with_times(clause: re.Match[str]) -> str:
    """Return a clause with its times in the API's format. Raises ValueError."""
    text = clause.string
    times = [name for name in clause.re.groupindex if name.startswith("time") and clause[name] is not None]
    for name in sorted(times, key=clause.start, reverse=True):
        time = parse_time(clause[name])
        if not re.fullmatch(_SENT_AS_IT_IS, clause[name], re.ASCII):
            text = f"{text[: clause.start(name)]}{write_time(time, 'iso')}{text[clause.end(name) :]}"
    return text
