"""Filters and tests with regular expressions (see `regex`); their names are those of Ansible."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from connector.templating.limits import MAX_ITEMS, fits, fits_items
from connector.templating.values import text

if TYPE_CHECKING:
    from connector.templating.regex import Groups, Regex

_REFERENCE = re.compile(r"\\(?:g<([^<>]*)>|([0-9]{1,2})|(.))", re.DOTALL)
_CONTROLS = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_SPECIAL = re.compile(r"[^\w]", re.ASCII)


def regex_search(
    value: Any, pattern: str, *groups: str, ignorecase: bool = False, multiline: bool = False
) -> Any:
    """Return the first match, or null; with groups such as `\\\\1`, the list of their texts."""
    regex = _compiled(pattern, ignorecase=ignorecase, multiline=multiline)
    source = text(value)
    found = regex.search(source)
    if found is None:
        return None
    if not groups:
        return _group(found, 0, source)
    return [_group(found, _numbered(regex, group), source) for group in groups]


def regex_findall(value: Any, pattern: str, multiline: bool = False, ignorecase: bool = False) -> list[Any]:
    """Return a list of all matches: texts, or lists of texts if the pattern has more than one group."""
    regex = _compiled(pattern, ignorecase=ignorecase, multiline=multiline)
    source = text(value)
    found: list[Any] = []
    for match in regex.each(source):
        if regex.groups > 1:
            found.append([_group(match, n, source) or "" for n in range(1, regex.groups + 1)])
        else:
            found.append(_group(match, regex.groups, source) or "")
        if len(found) > MAX_ITEMS:
            fits_items(len(found))
    return found


def regex_replace(
    value: Any,
    pattern: str,
    replacement: str = "",
    ignorecase: bool = False,
    multiline: bool = False,
    count: int = 0,
    mandatory_count: int = 0,
) -> str:
    """Return a text with each match replaced. Raises ValueError for fewer than `mandatory_count` matches."""
    regex = _compiled(pattern, ignorecase=ignorecase, multiline=multiline)
    source, write = text(value), _replacement(regex, text(replacement))
    out: list[str] = []
    at = characters = done = 0
    for match in regex.each(source):
        written = write(match, source)
        characters += match[0] - at + len(written)
        out += source[at : match[0]], written
        fits(characters)
        at, done = match[1], done + 1
        if done == count:
            break
    if done < mandatory_count:
        raise ValueError(f"regex_replace expects at least {mandatory_count} matches, and found {done}")
    return "".join(out) + source[at:]


def regex_escape(value: Any) -> str:
    """Return a pattern that matches exactly this text."""
    return _SPECIAL.sub(lambda found: "\\" + found[0], text(value))


def matches(value: Any, pattern: str, ignorecase: bool = False, multiline: bool = False) -> bool:
    """Return whether a text starts with a match."""
    regex = _compiled(pattern, ignorecase=ignorecase, multiline=multiline)
    return regex.match(text(value)) is not None


def searches(value: Any, pattern: str, ignorecase: bool = False, multiline: bool = False) -> bool:
    """Return whether a text contains a match."""
    regex = _compiled(pattern, ignorecase=ignorecase, multiline=multiline)
    return regex.search(text(value)) is not None


def _compiled(pattern: str, *, ignorecase: bool, multiline: bool) -> Regex:
    from connector.templating.regex import compile_regex  # imported only if a template uses it

    return compile_regex(pattern, ignorecase=ignorecase, multiline=multiline)


def _group(match: Groups, number: int, source: str) -> str | None:
    start = match[2 * number]
    return None if start < 0 else source[start : match[2 * number + 1]]


def _numbered(regex: Regex, reference: Any) -> int:
    r"""Return the number of the group that `\1` or `\g<name>` refers to. Raises ValueError."""
    found = _REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
    if found is None or found[3]:
        raise ValueError("a group of regex_search is written '\\\\1' or '\\\\g<name>'")
    return _number(regex, found[1] if found[2] is None else found[2])


def _number(regex: Regex, name: str) -> int:
    number = int(name) if name.isascii() and name.isdigit() else regex.names.get(name, -1)
    if not 0 <= number <= regex.groups:
        raise ValueError(f'the regular expression has no group "{name}"')
    return number


def _replacement(regex: Regex, pattern: str) -> Callable[[Groups, str], str]:
    """Return a function that returns the replacement for a match."""
    parts: list[str | int] = []
    at = 0
    for found in _REFERENCE.finditer(pattern):
        parts.append(pattern[at : found.start()])
        at = found.end()
        if found[3] is None:
            if found[2] and found[2].startswith("0"):
                raise ValueError("a replacement cannot contain an octal escape: write \\g<0> for the match")
            parts.append(_number(regex, found[1] if found[2] is None else found[2]))
        elif found[3] in _CONTROLS:
            parts.append(_CONTROLS[found[3]])
        elif found[3].isascii() and found[3].isalpha():
            raise ValueError(
                f"a replacement cannot contain \\{found[3]}: write \\\\{found[3]} for a backslash"
            )
        else:
            parts.append(found[0])
    parts.append(pattern[at:])
    if len(parts) == 1:
        return lambda match, source: pattern
    return lambda match, source: "".join(
        part if isinstance(part, str) else _group(match, part, source) or "" for part in parts
    )
