"""Selects the connection of each row, if a template does, such as `connection: "{{ tenant }}"`.

The value of the template must exactly match one of the connections that the run allows. A row with any other
value is rejected; its value appears only in the error message. A resumed run evaluates the template again, so
it can use only the row's fields, not the time (`now`) or the filter `random`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from connector.catalog.inputs import Input
from connector.common.absent import ABSENT
from connector.connections.settings import is_file
from connector.errors import InputError, RowError, RunError, shorten
from connector.templating.scope import Row, Scope, is_template

SelectConnection = Callable[[Row], str]
"""A function that returns the name of a row's tenant, one of the allowed names. Raises InputError."""


def read_allowed(listed: Iterable[str], folder: Path = Path()) -> dict[str, str]:
    """Return the name or file of each allowed connection, keyed by the value that selects it in a row.

    Files are relative to `folder`. Raises RunError for empty and duplicate names.
    """
    allowed: dict[str, str] = {}
    for name in map(str.strip, listed):
        if not name:
            raise RunError("allow_connections: a name is empty")
        if name in allowed:
            raise RunError(f'allow_connections: "{name}" is listed twice')
        allowed[name] = str(folder / name) if is_file(name) else name
    return allowed


def read_choice(connection: str | None, allowed: Mapping[str, str]) -> SelectConnection | None:
    """Return the compiled template of the connection, or None if all rows use the same connection.

    Raises RunError, also if only one of template and `allow_connections` is given.
    """
    if connection is None or not is_template(connection):
        if allowed:
            raise RunError(
                "allow_connections requires a connection template that selects one of these for each row, "
                'such as --connection "{{ tenant }}"'
            )
        return None
    if not allowed:
        raise RunError(
            f"connection {connection} is a template; list the connections that rows may select with "
            "--allow-connections NAME,NAME (allow_connections in a job)"
        )
    return _compile(connection, allowed)


def _compile(source: str, allowed: Mapping[str, str]) -> SelectConnection:
    from connector.templating.templates import compile_template  # imported only for a template

    given = Input("connection", "Connection", {"type": "string"})
    try:
        render = compile_template(source, given.schema)
    except RunError as error:
        raise RunError(f"connection: {error}") from error
    refuse_random("connection", source)
    hint = f"Allowed connections: {shorten(', '.join(allowed))}"

    def choose(row: Row) -> str:
        try:
            name = given.read(render(Scope(row)))
        except RowError as error:
            raise InputError(error.code, f"connection: {error}. {hint}") from error
        if name is ABSENT:
            raise InputError("input_invalid", f"connection: the template is empty for this row. {hint}")
        if name not in allowed:
            raise InputError("input_invalid", f'connection: "{shorten(name, 60)}" is not allowed. {hint}')
        return str(name)

    return choose


def refuse_random(setting: str, source: str) -> None:
    """Raise RunError if the template of a setting does not return the same value for a row every time."""
    from jinja2 import nodes  # imported only for a template

    from connector.templating.environment import read_template

    if any(called.name == "random" for called in read_template(source).find_all(nodes.Filter)):
        raise RunError(
            f"{setting}: the filter random cannot be used here, because a resumed run needs the "
            "same value again"
        )
