"""Filter expressions of an API, checked before they are sent: a wrong one is often ignored, or a 500."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from connector.errors import shorten

LONGEST = 1 << 16
"""Characters of a filter. It is a part of a URL, and servers take much less."""


@dataclass(frozen=True)
class FilterGrammar:
    """What a filter may say: clauses (regular expressions, each for a whole clause), and how they are joined.

    `joined_by` is the word between clauses, in the only writing that the API takes; an empty one means
    that there is one clause. `example` shows what is understood.
    """

    name: str
    clauses: tuple[str, ...]
    joined_by: str
    example: str

    def check(self, text: str) -> None:
        """Raise ValueError that shows the clause which cannot be understood."""
        if len(text) > LONGEST:
            raise ValueError(f"a {self.name} has {LONGEST:,} characters at most, as no URL is longer")
        for clause in self._split(text):
            if not any(pattern.fullmatch(clause.strip()) for pattern in self._patterns):
                raise ValueError(
                    f'"{shorten(clause.strip(), 80)}" is no {self.name}; write it like {self.example}'
                )

    def _split(self, text: str) -> list[str]:
        if not self.joined_by:
            return [text]
        # Spaces are looked at from their first one on alone. Of many, each would be a start, and take long.
        word = re.compile(rf"(?<!\s)\s+({self.joined_by})\s+", re.IGNORECASE)
        for found in word.finditer(text):
            if found[1] != self.joined_by:
                raise ValueError(f'clauses are joined by {self.joined_by}, and not by "{found[1]}"')
        return re.split(rf"(?<!\s)\s+{self.joined_by}\s+", text)

    @cached_property
    def _patterns(self) -> list[re.Pattern[str]]:
        return [re.compile(clause, re.ASCII) for clause in self.clauses]
