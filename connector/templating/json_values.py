"""The JSON values that templates return. This module does not import Jinja; see `scope`."""

from __future__ import annotations

import threading
from typing import Any

from connector.common import json_text
from connector.common.absent import ABSENT
from connector.common.json_text import Json
from connector.errors import InputError, cited


class _Noticed(threading.local):
    """Facts about the rendering on this thread that cause a warning in the row's envelope."""

    null_in_text = False


noticed = _Noticed()


def without_null(value: Json) -> Json:
    """Return a JSON value without its nulls, or ABSENT if nothing is left of it."""
    if value is None:
        return ABSENT
    if isinstance(value, dict):
        members = {n: kept for n, m in value.items() if (kept := without_null(m)) is not ABSENT}
        return members if members or not value else ABSENT
    if isinstance(value, list):
        items = [kept for item in value if (kept := without_null(item)) is not ABSENT]
        return items if items or not value else ABSENT
    return value


def parse_json(rendered: str) -> Json:
    """Parse a template's rendered JSON. Raises InputError that quotes the text, shortened."""
    try:
        return json_text.loads(rendered)
    except ValueError as error:
        quotes = "; text needs quotes around it" if '"' not in rendered else ""
        hint = json_text.syntax_hint(rendered) or quotes
        raise InputError(
            "template_error", f"the template renders invalid JSON ({error}){hint}{cited(rendered)}"
        ) from error


def is_blank(value: Any) -> bool:
    """Return whether a value is a blank text."""
    return isinstance(value, str) and not value.strip()
