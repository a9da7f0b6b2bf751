"""Regular expressions with the syntax of Python's `re`, which take time proportional to the text's length.

Python's own engine can take years for a pattern such as `(a+)+$`, and nothing can interrupt it. This engine
follows all alternatives at the same time (Pike's virtual machine), finds the same match as Python's engine,
and charges steps to the rendering of the template. Like other engines of this kind, it has no backreferences
and no lookaround.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Any, NoReturn

from connector.templating.limits import CHARACTERS_A_STEP, refuse, spend

if sys.version_info >= (3, 11):
    from re import _compiler, _parser  # type: ignore[attr-defined]
else:
    import sre_compile as _compiler
    import sre_parse as _parser

Groups = tuple[int, ...]
"""The start and end of each group; group 0 is the whole match. Both are -1 for a group without a match."""

MAX_PATTERN_LENGTH = 1000
"""The maximum length of a pattern in characters."""
_MAX_INSTRUCTIONS = 2000
_STEPS_A_STATE = 6
_MAX_REMEMBERED = 4096

_CHAR, _CHECK, _SAVE, _SPLIT, _JUMP, _MATCH = range(6)
_Instruction = tuple[int, Any, int]
_ONE_CHARACTER = frozenset(("LITERAL", "NOT_LITERAL", "ANY", "IN"))
_NOT_SUPPORTED = {
    "GROUPREF": "backreferences such as \\1 are",
    "GROUPREF_EXISTS": "conditions such as (?(1)a|b) are",
    "ASSERT": "lookahead and lookbehind are",
    "ASSERT_NOT": "lookahead and lookbehind are",
    "ATOMIC_GROUP": "atomic groups are",
    "POSSESSIVE_REPEAT": "possessive quantifiers are",
}


class Regex:
    """A compiled pattern."""

    def __init__(self, pattern: str, flags: int) -> None:
        try:
            tree = _parser.parse(pattern, flags)
        except (re.error, OverflowError) as error:
            raise ValueError(f"not a valid regular expression ({error})") from error
        self.names: dict[str, int] = dict(tree.state.groupdict)
        self.groups: int = tree.state.groups - 1
        self._code: list[_Instruction] = []
        self._emit_all(tree, tree.state.flags)
        self._add(_MATCH)
        self._first = self._first_characters()

    def match(self, text: str) -> Groups | None:
        """Return the match at the start of a text."""
        return self._find(text, 0, is_anchored=True)

    def search(self, text: str) -> Groups | None:
        """Return the first match in a text."""
        return self._find(text, 0)

    def each(self, text: str) -> Iterator[Groups]:
        """Yield all matches that do not overlap, as `re.finditer` does."""
        at, must_advance = 0, False
        while at <= len(text):
            found = self._find(text, at, must_advance=must_advance)
            if found is None:
                return
            yield found
            at, must_advance = found[1], found[0] == found[1]

    def _find(
        self, text: str, start: int, *, is_anchored: bool = False, must_advance: bool = False
    ) -> Groups | None:
        code = self._code
        nowhere: Groups = (-1,) * (2 * self.groups + 2)
        threads: list[tuple[int, Groups]] = []
        seen: set[int] = set()
        found: Groups | None = None
        at = start
        while at <= len(text):
            if not threads and found is None and not is_anchored:
                at = self._skip(text, at)
            if found is None and (at == start or not is_anchored):
                self._follow(0, nowhere, text, at, threads, seen)
            spend(_STEPS_A_STATE * (1 + len(seen)))
            following: list[tuple[int, Groups]] = []
            seen = set()
            char = text[at] if at < len(text) else ""
            for place, groups in threads:
                operation, characters, _ = code[place]
                if operation == _MATCH:
                    if must_advance and at == start:
                        continue
                    found = groups
                    break
                if char and characters[char]:
                    self._follow(place + 1, groups, text, at + 1, following, seen)
            threads = following
            if not threads and (found is not None or is_anchored):
                break
            at += 1
        return found

    def _skip(self, text: str, at: int) -> int:
        """Return the next position at which a match can start, or the end of the text."""
        first, start = self._first, at
        if first is not None:
            while at < len(text) and not first[text[at]]:
                at += 1
            spend((at - start) // CHARACTERS_A_STEP * 4)
        return at

    def _follow(
        self,
        place: int,
        groups: Groups,
        text: str,
        at: int,
        threads: list[tuple[int, Groups]],
        seen: set[int],
    ) -> None:
        """Add the instructions that read a character and are reachable from `place`, preferred ones first."""
        code = self._code
        stack = [(place, groups)]
        while stack:
            place, groups = stack.pop()
            if place in seen:
                continue
            seen.add(place)
            operation, argument, other = code[place]
            if operation == _SPLIT:
                stack.append((other, groups))
                stack.append((argument, groups))
            elif operation == _JUMP:
                stack.append((argument, groups))
            elif operation == _SAVE:
                stack.append((place + 1, (*groups[:argument], at, *groups[argument + 1 :])))
            elif operation == _CHECK:
                if argument(text, at):
                    stack.append((place + 1, groups))
            else:
                threads.append((place, groups))

    def _first_characters(self) -> _Characters | None:
        """Return the characters with which a match can start, or None if a match can be empty."""
        threads: list[tuple[int, Groups]] = []
        checks = self._code
        self._code = [(_JUMP, n + 1, 0) if code[0] == _CHECK else code for n, code in enumerate(checks)]
        self._follow(0, (-1,) * (2 * self.groups + 2), "", 0, threads, set())
        self._code = checks
        if any(checks[place][0] == _MATCH for place, _ in threads):
            return None
        parts: list[_Characters] = [checks[place][1] for place, _ in threads]
        return _Characters(lambda char: any(part[char] for part in parts))

    # --- compiling ---

    def _add(self, operation: int, argument: Any = None, other: int = 0) -> int:
        if len(self._code) >= _MAX_INSTRUCTIONS:
            refuse("the regular expression is too large: use a smaller number in {…}")
        self._code.append((operation, argument, other))
        return len(self._code) - 1

    def _emit_all(self, tree: Any, flags: int) -> None:
        """Compile the whole pattern, as group 0."""
        self._add(_SAVE, 0)
        self._emit(tree, flags)
        self._add(_SAVE, 1)

    def _emit(self, tree: Any, flags: int) -> None:
        for item in tree:
            name, argument = str(item[0]), item[1]
            if name in _ONE_CHARACTER:
                matches = _compiled(item, flags)
                self._add(_CHAR, _Characters(partial(_is_matched, matches)))
            elif name == "AT":
                self._add(_CHECK, _compiled(item, flags))
            elif name == "BRANCH":
                self._emit_branch(argument[1], flags)
            elif name == "SUBPATTERN":
                self._emit_group(argument, flags)
            elif name in ("MAX_REPEAT", "MIN_REPEAT"):
                least, most, repeated = argument
                self._emit_repeat(least, most, repeated, flags, is_greedy=name == "MAX_REPEAT")
            else:
                _not_supported(name)

    def _emit_group(self, argument: Any, flags: int) -> None:
        group, added, removed, tree = argument
        flags = (flags | added) & ~removed
        if group is None:
            self._emit(tree, flags)
            return
        self._add(_SAVE, 2 * group)
        self._emit(tree, flags)
        self._add(_SAVE, 2 * group + 1)

    def _emit_branch(self, branches: list[Any], flags: int) -> None:
        jumps = []
        for branch in branches[:-1]:
            split = self._add(_SPLIT)
            self._emit(branch, flags)
            jumps.append(self._add(_JUMP))
            self._code[split] = (_SPLIT, split + 1, len(self._code))
        self._emit(branches[-1], flags)
        for jump in jumps:
            self._code[jump] = (_JUMP, len(self._code), 0)

    def _emit_repeat(self, least: int, most: Any, tree: Any, flags: int, *, is_greedy: bool) -> None:
        if most != 1 and tree.getwidth()[0] == 0:
            raise ValueError("the regular expression repeats a part that can match an empty text")
        for _ in range(least):
            self._emit(tree, flags)
        if most == _parser.MAXREPEAT:
            split = self._add(_SPLIT)
            self._emit(tree, flags)
            self._add(_JUMP, split)
            self._branch(split, is_greedy=is_greedy)
            return
        splits = []
        for _ in range(most - least):
            splits.append(self._add(_SPLIT))
            self._emit(tree, flags)
        for split in splits:
            self._branch(split, is_greedy=is_greedy)

    def _branch(self, split: int, *, is_greedy: bool) -> None:
        """Set the targets of a split: the part that follows it, and the end of the code."""
        inside, outside = split + 1, len(self._code)
        self._code[split] = (_SPLIT, inside, outside) if is_greedy else (_SPLIT, outside, inside)


class _Characters(dict[str, bool]):
    """A cache of whether an instruction matches a character."""

    def __init__(self, matches: Callable[[str], bool]) -> None:
        super().__init__()
        self._matches = matches

    def __missing__(self, char: str) -> bool:
        found = self._matches(char)
        if len(self) < _MAX_REMEMBERED:
            self[char] = found
        return found


def _compiled(item: Any, flags: int) -> Callable[..., Any]:
    """Return a function that matches one character, or one position such as `$`, with Python's engine."""
    state: Any = _parser.State()
    state.flags, state.str = flags, ""
    match: Callable[..., Any] = _compiler.compile(_parser.SubPattern(state, [item]), 0).match
    return match


def _is_matched(matches: Callable[..., Any], char: str) -> bool:
    return matches(char) is not None


def _not_supported(name: str) -> NoReturn:
    what = _NOT_SUPPORTED.get(name, "this part is")
    raise ValueError(f"the regular expression cannot be used: {what} not supported")


@lru_cache(maxsize=256)
def _compile(pattern: str, flags: int) -> Regex:
    return Regex(pattern, flags)


def compile_regex(pattern: str, *, ignorecase: bool = False, multiline: bool = False) -> Regex:
    """Return a compiled pattern. Raises ValueError if it is not valid, InputError if it is too large."""
    if not isinstance(pattern, str):
        raise TypeError("a regular expression is a text")
    if len(pattern) > MAX_PATTERN_LENGTH:
        refuse(f"a regular expression can have at most {MAX_PATTERN_LENGTH:,} characters")
    return _compile(pattern, (re.IGNORECASE if ignorecase else 0) | (re.MULTILINE if multiline else 0))
