"""Names and descriptions in the form that n8n's linter requires."""

from __future__ import annotations

import re

_TOKENS = re.compile(r"[^\s:–—-]+|.")  # noqa: RUF001 - the dashes are meant
_SMALL = re.compile(
    r"\b(?:an?d?|a[st]|because|but|by|en|for|i[fn]|neither|nor|o[fnr]|only|over|per|so|some|than|that|the|to|up"
    r"|upon|vs?\.?|versus|via|when|with|without|yet)\b",
    re.IGNORECASE,
)
_OWN_CASE = re.compile(r".(?=[A-Z]|\..)")
_LETTER = re.compile(r"[A-Za-z0-9À-ÿ]")
_ACRONYMS = {"itam": "ITAM"}
_UPPER = {"id": "ID", "ids": "IDs", "url": "URL", "urls": "URLs", "json": "JSON"}


def title_case(text: str) -> str:
    """Return a text in title case. Small words, and words with capitals inside, stay as they are."""
    words = []
    for match in _TOKENS.finditer(" ".join(text.split())):
        word = match[0]
        is_at_an_end = match.start() == 0 or match.end() == len(match.string)
        if not _OWN_CASE.search(word) and (not _SMALL.search(word) or is_at_an_end):
            word = _LETTER.sub(lambda letter: letter[0].upper(), word, count=1)
        words.append(word)
    return "".join(words)


def sentence_case(text: str) -> str:
    """Return a text in sentence case, without punctuation. Words in capitals stay as they are."""
    words = [word if word.isupper() else word.lower() for word in re.findall("[A-Za-z0-9]+", text)]
    return " ".join([words[0].capitalize() if words[0].islower() else words[0], *words[1:]])


def description(text: str) -> str:
    """Return a description: one sentence has no period at its end, and n8n shows it as HTML."""
    text = re.sub(r"\b[iI]ds?\b|\b[uU]rls?\b|\b[jJ]son\b", lambda word: _UPPER[word[0].lower()], text)
    text = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = text[:1].upper() + text[1:]
    sentences = len(text.split(". "))
    if sentences == 1:
        return text.removesuffix(".")
    return text if text.endswith(".") else f"{text}."


def whether(text: str) -> str:
    """Return the description of a boolean, which must begin with "Whether"."""
    if text.startswith("Whether "):
        return description(text)
    return description(f"Whether to send true instead of false. {text[:1].upper()}{text[1:]}".strip())


def resource_title(area: str) -> str:
    """Return the singular name of an area: "User or Role" for `users_roles`."""
    words = area.split("_")
    singular = [_ACRONYMS.get(word) or _singular(word).capitalize() for word in words]
    joint = " or " if len(words) > 1 and all(word.endswith("s") for word in words) else " "
    return joint.join(singular)


def _singular(word: str) -> str:
    for ending, one in (("ies", "y"), ("ches", "ch"), ("s", "")):
        if word.endswith(ending):
            return word.removesuffix(ending) + one
    return word


def sorting_key(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts names as JavaScript's `localeCompare` does: case last, punctuation first."""
    return [(character.isalnum(), character) for character in name.casefold()]
