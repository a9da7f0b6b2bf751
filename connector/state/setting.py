"""The setting `state`: the URL of the database with the shared state."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from connector.common.redaction import HIDDEN, Secret, remember
from connector.errors import RunError

VARIABLE = "NINJAONE_STATE"
"""The environment variable with the URL of the database, for runs and connections without the setting."""
_SCHEMES = ("postgresql", "postgres")
_PASSWORDS = ("password", "sslpassword")
"""The settings of a URL that are passwords."""
_HOST = r"(\[[^]]*\]|[^]:[,]*)(:[0-9]*)?"
_HOSTS = f"{_HOST}(,{_HOST})*"
_of_command = ""
"""The URL of `--state` while a command with this option runs."""


def find_state(*given: str | None) -> str:
    """Return the URL of the state's database: the first one given, else `--state`, else the environment's.

    Return an empty text if the state is in files. The URL can have a password, so it is a secret; the
    password is hidden in all further output of this process. Raises RunError.
    """
    for url in (*given, _of_command, os.environ.get(VARIABLE)):
        if url:
            return check_state(url)
    return ""


@contextmanager
def state_of_command(url: str) -> Iterator[None]:
    """Use this database wherever no other one is set, in all threads of this process.

    It is not put in the environment, which child processes inherit, because it can have a password.
    """
    global _of_command
    before, _of_command = _of_command, url
    try:
        yield
    finally:
        _of_command = before


def check_state(url: str, place: str = "state") -> str:
    """Return the URL of a database as a secret. Raises RunError, which does not show the URL."""
    try:
        parts = urlsplit(url)
        is_valid = parts.scheme in _SCHEMES and url.isprintable() and not _may_be_cut(parts)
    except ValueError:
        is_valid = False
    if not is_valid:
        raise RunError(
            f"{place}: use the URL of a PostgreSQL database, such as postgresql://user@host/database; in a "
            "password, write %2F for /, %40 for @, %23 for #, %3F for ?, and %25 for %"
        )
    for password in passwords_of(url):
        remember(password)
    return Secret(url)


def _may_be_cut(parts: SplitResult) -> bool:
    """Return whether a password may have an unescaped character that ends it: @, /, # or ?.

    The rest of the password would be parsed as a host, port or database, which messages show.
    """
    user, _, hosts = parts.netloc.rpartition("@")
    settings = parts.query.split("&") if parts.query else []
    return (
        "@" in user
        or "@" in parts.path
        or bool(parts.fragment)
        or not re.fullmatch(_HOSTS, hosts)
        or not all("=" in setting for setting in settings)
    )


def passwords_of(url: str) -> list[str]:
    """Return the passwords in the URL of a database, as written and decoded."""
    parts = urlsplit(url)
    user = parts.netloc.rpartition("@")[0]
    raw = [user.partition(":")[2]]
    raw += [value for name, value in parse_qsl(parts.query) if name in _PASSWORDS]
    return list(dict.fromkeys(text for one in raw for text in (one, unquote(one)) if text))


def without_passwords(url: str) -> str:
    """Return the URL of a database without its passwords, for commands."""
    parts = urlsplit(url)
    user, at, hosts = parts.netloc.rpartition("@")
    settings = [
        setting for setting in parts.query.split("&") if unquote(setting.partition("=")[0]) not in _PASSWORDS
    ]
    query = f"?{'&'.join(settings)}" if any(settings) else ""
    return f"{parts.scheme}://{user.partition(':')[0]}{at}{hosts}{parts.path}{query}"


def shown(url: str) -> str:
    """Return the URL of a database for messages: host and name, without user, password and options."""
    parts = urlsplit(url)
    return f"postgresql://{parts.netloc.rpartition('@')[2]}{parts.path}".replace("\n", HIDDEN)
