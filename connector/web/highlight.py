"""Syntax highlighting with a few regular expressions per language, applied when a page is rendered."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

_TEXT = r'"(?:\\.|[^"\\\n])*"|\'(?:\'\'|\\.|[^\'\\\n])*\''
_NUMBER = r"(?<![\w.%-])-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.:-])"
_WORD = r"(?<![\w-])(?:true|false|null)(?![\w-])"
_LANGUAGES = {
    "yaml": (
        r"(?P<c>(?:^|(?<=\s))#[^\n]*)",
        r"(?P<k>(?:(?<=[{,\[] )|(?<=[{\[])|^[ -]*)[\w$.-]+(?=:(?:\s|$)))",
        rf"(?P<s>{_TEXT})",
        rf"(?P<n>{_NUMBER}|{_WORD})",
    ),
    "json": (
        r'(?P<k>"(?:\\.|[^"\\\n])*"(?=\s*:))',
        rf"(?P<s>{_TEXT})",
        rf"(?P<n>{_NUMBER}|{_WORD})",
    ),
    "shell": (
        r"(?P<c>(?:^|(?<=\s))#[^\n]*)",
        rf"(?P<s>{_TEXT})",
        r"(?P<n>\$\w+)",
        r"(?P<k>(?<=\s)--?[A-Za-z][\w-]*)",
    ),
    "python": (
        r"(?P<c>#[^\n]*)",
        rf'(?P<s>"""[\s\S]*?"""|{_TEXT})',
        r"(?P<k>\b(?:from|import|def|return|yield|for|in|if|else|not|and|or|is|with|as|None|True|False|"
        r"class|try|except|raise|while|pass)\b)",
        rf"(?P<n>{_NUMBER})",
    ),
}
_PATTERNS = {name: re.compile("|".join(parts), re.MULTILINE) for name, parts in _LANGUAGES.items()}


def highlight(text: str, language: str) -> Markup:
    """Return HTML with spans for comments (class `c`), keys (`k`), strings (`s`) and numbers (`n`)."""
    pattern = _PATTERNS.get(language)
    if pattern is None:
        return escape(text)
    pieces: list[str] = []
    end = 0
    for match in pattern.finditer(text):
        pieces.append(escape(text[end : match.start()]))
        pieces.append(Markup('<span class="{}">{}</span>').format(match.lastgroup, match[0]))
        end = match.end()
    pieces.append(escape(text[end:]))
    return Markup("").join(pieces)
