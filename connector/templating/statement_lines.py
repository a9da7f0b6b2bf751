"""Removes the lines of a template that contain only statements and comments, including their line breaks.

Jinja's `trim_blocks` also removes the line break after `A{% endif %}`, which belongs to the text. Here a line
is removed only if it contains nothing else. The signs of Jinja (`{%-`, `{%+`) work as usual.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from jinja2.lexer import Lexer

Token = tuple[int, str, str]
"""A token of Jinja's lexer: its line number, its kind and its text."""

_OPENING = {"block_begin": "block_end", "comment_begin": "comment_end", "variable_begin": "variable_end"}
_WHOLE = frozenset(("raw_begin", "raw_end"))
"""The kinds of tokens that are a complete statement."""


class StatementLexer(Lexer):
    """Jinja's lexer, which also removes lines that contain only statements and comments."""

    def tokeniter(self, *args: Any, **kwargs: Any) -> Iterator[Token]:
        """Yield the tokens of a template."""
        tokens = list(super().tokeniter(*args, **kwargs))
        return iter(tokens) if all(kind == "data" for _, kind, _ in tokens) else _without_lines(tokens)


def ends_with_statement(tokens: Iterable[Token]) -> bool:
    """Return whether the last line of a template contains only statements.

    The tokens are from `tokeniter`.
    """
    parts = [part for part in _parts(list(tokens)) if not (_is_text(part) and part[0][2] == "")]
    if not parts or _is_text(parts[-1]):
        return False
    before = len(parts) - 1
    while before >= 0 and _is_removable(parts[before]):
        before -= 1
    return before < 0 or (_is_text(parts[before]) and parts[before][0][2].endswith("\n"))


def _without_lines(tokens: list[Token]) -> Iterator[Token]:
    parts = _parts(tokens)
    at = 0
    while at < len(parts):
        end = _end_of_statements(parts, at)
        if end > at and _starts_line(parts, at) and _ends_line(parts, end):
            _cut(parts, at, end)
        at = max(end, at + 1)
    for part in parts:
        yield from part


def _parts(tokens: list[Token]) -> list[list[Token]]:
    """Return the parts of a template (texts, statements, comments and expressions), each as its tokens."""
    parts: list[list[Token]] = []
    closing = ""
    for token in tokens:
        kind = token[1]
        if closing:
            parts[-1].append(token)
            closing = "" if kind == closing else closing
        else:
            parts.append([token])
            closing = _OPENING.get(kind, "")
    return parts


def _is_text(part: list[Token]) -> bool:
    return part[0][1] == "data"


def _is_removable(part: list[Token]) -> bool:
    """Return whether a part is a statement or a comment without the sign `+`."""
    kind = part[0][1]
    is_statement = kind in _WHOLE or kind in ("block_begin", "comment_begin")
    return is_statement and not part[0][2].endswith("+") and not part[-1][2].startswith("+")


def _end_of_statements(parts: list[list[Token]], at: int) -> int:
    """Return the index after the statements that start at an index, with only spaces between them."""
    end = at
    while end < len(parts) and _is_removable(parts[end]):
        end += 1
        after = end + 1
        if after < len(parts) and _is_blank(parts[end]) and _is_removable(parts[after]):
            end = after
    return end


def _is_blank(part: list[Token]) -> bool:
    return _is_text(part) and not part[0][2].strip(" \t")


def _starts_line(parts: list[list[Token]], at: int) -> bool:
    if at == 0:
        return True
    start, _, rest = parts[at - 1][0][2].rpartition("\n")
    is_first = at == 1 and not start
    return _is_text(parts[at - 1]) and not rest.strip(" \t") and (is_first or "\n" in parts[at - 1][0][2])


def _ends_line(parts: list[list[Token]], end: int) -> bool:
    if end == len(parts):
        return True
    line, newline, _ = parts[end][0][2].partition("\n")
    is_last = end == len(parts) - 1
    return _is_text(parts[end]) and not line.strip(" \t") and (bool(newline) or is_last)


def _cut(parts: list[list[Token]], at: int, end: int) -> None:
    """Remove the spaces around the statements of a line, and its line break."""
    if at > 0:
        line, kind, text = parts[at - 1][0]
        parts[at - 1] = [(line, kind, text[: text.rfind("\n") + 1])]
    for between in range(at, end):
        if _is_text(parts[between]):
            line, kind, _ = parts[between][0]
            parts[between] = [(line, kind, "")]
    if end < len(parts):
        line, kind, text = parts[end][0]
        parts[end] = [(line, kind, text.partition("\n")[2])]
