"""The connector's names and titles, derived from a vendor's names."""

from __future__ import annotations

import re

_ACRONYMS = ("id", "uid", "uuid", "url", "os", "csv", "html", "api", "sms", "totp", "df", "cc", "ip")
_ID = re.compile(r"(?:^id|Id|[_-]id)s?$")


def snake(name: str) -> str:
    """Return a vendor's name (`displayName`, `scan-group-id`, `getOSPatches`) in snake case."""
    name = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)
    name = re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", name)
    return re.sub(r"\W+", "_", name).strip("_").lower()


def title(name: str) -> str:
    """Return a snake-case name as a title: `device_id` is Device ID."""
    return " ".join(_title_word(word) for word in name.split("_"))


def _title_word(word: str) -> str:
    if word in _ACRONYMS:
        return word.upper()
    return word[:-1].upper() + "s" if word.endswith("s") and word[:-1] in _ACRONYMS else word.capitalize()


def singular(noun: str) -> str:
    """Return the singular of a noun: `policies` is policy."""
    if noun.endswith("ies"):
        return noun[:-3] + "y"
    if noun.endswith(("sses", "uses", "xes")):
        return noun[:-2]
    return noun[:-1] if noun.endswith("s") and not noun.endswith(("ss", "us")) else noun


def is_id(name: str) -> bool:
    """Return whether a vendor's name is the name of an id, or of a list of ids."""
    return _ID.search(name) is not None
